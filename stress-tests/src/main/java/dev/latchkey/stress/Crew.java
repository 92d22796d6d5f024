package dev.latchkey.stress;

import dev.latchkey.stress.check.NumberedItem;
import dev.latchkey.stress.worker.WallClock;
import dev.latchkey.stress.worker.Worker;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Python;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Starts the worker processes of a run, and remembers all there ever were. */
final class Crew implements AutoCloseable {
    private final Options options;
    private final ScenarioName scenario;
    private final Path work;
    private final Path directory;
    private final Path clock;
    private final TestBuild build;
    private final int refereePort;
    private final List<Member> all = new ArrayList<>();
    /** Workers that have started and wait, so that the place of a dead one is taken at once. */
    private final Deque<Member> spares = new ArrayDeque<>();

    Crew(
            Options options,
            ScenarioName scenario,
            Path work,
            Path directory,
            Path clock,
            TestBuild build,
            int refereePort) {
        this.options = options;
        this.scenario = scenario;
        this.work = work;
        this.directory = directory;
        this.clock = clock;
        this.build = build;
        this.refereePort = refereePort;
    }

    /** A worker process, its name and its history. */
    record Member(String name, JavaProcess process, Path history) {
        private static final Duration DYING = Duration.ofSeconds(5);

        boolean isPython() {
            return name.startsWith("p");
        }

        /** Does something to the process that only fails if it is dying, as it may at any time. */
        void unlessDying(Runnable act) {
            try {
                act.run();
            } catch (AssertionError e) {
                process.exitCode(DYING);
            }
        }

        /** Sends it a line. */
        void tell(String line) {
            unlessDying(() -> process.send(line));
        }
    }

    Member start(Worker.Role role) {
        String name = "w" + all.size();
        Path history = work.resolve(name + ".history");
        long seed = options.seed() * 1_000 + all.size();
        JavaCommand command = build.command(
                        Worker.class,
                        role.name(),
                        scenario.word(),
                        directory.toString(),
                        name,
                        Long.toString(seed),
                        Integer.toString(options.threads()),
                        history.toString(),
                        Integer.toString(refereePort))
                .options("-Djava.io.tmpdir=" + work, "-Djna.tmpdir=" + work, "-D" + WallClock.FILE + "=" + clock)
                .lifetime(options.lifetime());
        Member member = new Member(name, command.start(), history);
        all.add(member);
        return member;
    }

    /** Starts a process of Python, which works. */
    Member startPython() {
        String name = "p" + all.size();
        Path history = work.resolve(name + ".history");
        JavaProcess process = Python.start(
                script(),
                directory.toString(),
                name,
                Long.toString(options.seed() * 1_000 + all.size()),
                history.toString(),
                Integer.toString(refereePort),
                Long.toString(NumberedItem.first(name, 0)),
                Long.toString(options.lifetime().toSeconds()));
        Member member = new Member(name, process, history);
        all.add(member);
        return member;
    }

    private static String script() {
        try (InputStream script = Worker.class.getResourceAsStream("worker.py")) {
            return new String(Objects.requireNonNull(script).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts workers that wait until they are taken. */
    void keepSpares(int count) {
        while (spares.size() < count) {
            spares.add(start(Worker.Role.WORK));
        }
    }

    /** The first of the spares if it is ready; null if none is. */
    @Nullable
    Member takeSpare() {
        Member first = spares.peek();
        boolean ready = first != null && first.process().output().contains(Child.READY);
        return ready ? spares.remove() : null;
    }

    /** All there ever were. */
    List<Member> all() {
        return all;
    }

    /** Kills all; one that cannot be killed does not save the others. */
    @Override
    public void close() {
        all.forEach(member -> member.process().killNow());
        all.forEach(member -> member.process().close());
    }
}
