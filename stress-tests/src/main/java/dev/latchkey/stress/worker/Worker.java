package dev.latchkey.stress.worker;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.HistoryLog;
import dev.latchkey.stress.referee.RefereeConnection;
import dev.latchkey.testing.Child;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A process of a run. It waits for the starting gun, works until it is told to stop, and closes everything behind itself.
 *
 * <p>Lines that it understands: {@code stop}; {@code interrupt N}, for the thread N; {@code die MOMENT,MOMENT MICROS}, see
 * {@link AimedKill}.
 */
public final class Worker {
    /** What the last process says when it has drained the directory; it leaves when it is told to stop. */
    public static final String DRAINED = "DRAINED";

    private static final int UNEXPECTED = 70;

    private static volatile @Nullable Worker running;

    private final Scenario scenario;
    private final Path directory;
    private final String process;
    private final long seed;
    private final int threads;
    private final HistoryLog log;
    private final int refereePort;
    private final AimedKill kill;
    private final AtomicInteger openCaches = new AtomicInteger();
    private volatile boolean stopping;

    private Worker(
            String scenario, Path directory, String process, long seed, int threads, HistoryLog log, int refereePort) {
        this.scenario = Scenario.of(scenario);
        this.directory = directory;
        this.process = process;
        this.seed = seed;
        this.threads = threads;
        this.log = log;
        this.refereePort = refereePort;
        this.kill = new AimedKill(log, new RefereeConnection(refereePort, process), process);
    }

    /** What a worker says when a call has failed as none may: there is no reason to go on. */
    public static final String ERROR = "ERROR";

    /** What a worker says, with a process number, when a signal has just gone to a thread of that process, which waits for the lock now. */
    public static final String CALLED = "CALLED ";

    /** What a worker process is for. */
    public enum Role {
        /** It makes what must be there before the others start. */
        PREPARE,
        /** It works until it is told to stop. */
        WORK,
        /** It is the last, and takes away what the others have left. */
        DRAIN
    }

    /** Runs a worker: role, scenario, directory, process, seed, threads, history, port of the referee. */
    public static void main(String[] args) throws Exception {
        Child.start();
        Role role = Role.valueOf(args[0]);
        Worker worker = new Worker(
                args[1],
                Path.of(args[2]),
                args[3],
                Long.parseLong(args[4]),
                Integer.parseInt(args[5]),
                new HistoryLog(Path.of(args[6])),
                Integer.parseInt(args[7]));
        WarmUp.run();
        running = worker;
        switch (role) {
            case PREPARE -> worker.alone(worker.scenario::prepare);
            case WORK -> worker.work();
            case DRAIN -> worker.drain();
        }
        worker.noteResidue();
        System.exit(0);
    }

    /** The instrumented failpoints of the engine end here. */
    public static void reached(String point) {
        Worker worker = running;
        if (worker == null) {
            return;
        }
        switch (point) {
            case "before-commit" -> worker.log.write(Kind.NOTE, "committing");
            case "before-checkpoint" -> worker.log.write(Kind.NOTE, "checkpointing");
            default -> {}
        }
        worker.kill.reached(point);
        switch (point) {
            case "after-commit" -> worker.log.write(Kind.NOTE, "committed");
            case "after-checkpoint" -> worker.log.write(Kind.NOTE, "checkpointed");
            default -> {}
        }
    }

    /** A part of a scenario. */
    @FunctionalInterface
    private interface Part {
        void run(Actor actor) throws InterruptedException;
    }

    private Actor actor(int thread) {
        return new Actor(scenario, directory, process, thread, log, kill, openCaches, refereePort, seed * 31 + thread);
    }

    private void alone(Part part) throws InterruptedException {
        try (Actor actor = actor(0)) {
            if (actor.open()) {
                part.run(actor);
            }
        }
    }

    private void drain() throws InterruptedException {
        alone(actor -> {
            scenario.drain(actor);
            Child.say(DRAINED);
            Child.hear();
        });
    }

    private void work() throws InterruptedException {
        boolean together = scenario.shiftsTogether(new Random(seed));
        Phaser shifts = together ? new Phaser(threads) : null;
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int number = i;
            all.add(new Thread(() -> work(number, shifts), "t" + i));
        }
        Child.say(Child.READY);
        String line = Child.hear();
        while (!line.equals(Child.GO)) { // what is to be done before the start, such as to die while opening
            obey(line, all);
            line = Child.hear();
        }
        all.forEach(Thread::start);
        while (!stopping) {
            obey(Child.hear(), all);
        }
        for (Thread thread : all) {
            thread.join();
        }
    }

    private void obey(String line, List<Thread> all) {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
            case "stop" -> stopping = true;
            case "interrupt" -> all.get(Integer.parseInt(words[1]) % all.size()).interrupt();
            case "die" -> kill.aim(Set.of(words[1].split(",", -1)), Long.parseLong(words[2]));
            default -> throw new IllegalArgumentException("heard '" + line + "'");
        }
    }

    private void work(int number, @Nullable Phaser shifts) {
        try (Actor actor = actor(number)) {
            while (!stopping) {
                if (actor.open()) {
                    for (int left = scenario.shift(actor.random()); left > 0 && !stopping; left--) {
                        step(actor);
                    }
                    actor.closeCache();
                }
                if (shifts != null) {
                    shifts.arriveAndAwaitAdvance();
                }
            }
        } finally {
            if (shifts != null) {
                shifts.arriveAndDeregister();
            }
        }
    }

    /** What a step does not expect ends the process, which is noticed; a thread that ended alone would not be. */
    private void step(Actor actor) {
        boolean unused = Thread.interrupted(); // of the step before
        try {
            scenario.step(actor);
        } catch (InterruptedException e) {
            // the step is over
        } catch (RuntimeException | Error e) {
            e.printStackTrace();
            Runtime.getRuntime().halt(UNEXPECTED);
        }
    }

    /** What this process has left behind in itself: a daemon may need a moment to end. */
    private void noteResidue() throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        while (System.nanoTime() < end && (ownThreads() > 0 || descriptors() > 0)) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
        log.write(Kind.NOTE, "residue", ownThreads(), descriptors());
    }

    private static long ownThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.isAlive() && thread.getName().startsWith("latchkey-"))
                .count();
    }

    private long descriptors() throws IOException {
        Path own = Path.of("/proc/self/fd");
        if (!Files.isDirectory(own)) {
            return 0;
        }
        String inside = directory.toRealPath() + "/";
        long count = 0;
        try (Stream<Path> all = Files.list(own)) {
            for (Path descriptor : all.toList()) {
                if (target(descriptor).startsWith(inside)) {
                    count++;
                }
            }
        }
        return count;
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // the one of this very listing
        }
    }
}
