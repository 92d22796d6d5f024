package dev.latchkey.stress;

import dev.latchkey.stress.Crew.Member;
import dev.latchkey.stress.Outcome.Kill;
import dev.latchkey.stress.Schedule.Act;
import dev.latchkey.stress.Schedule.Step;
import dev.latchkey.stress.check.Checker;
import dev.latchkey.stress.check.Fault;
import dev.latchkey.stress.check.Remains;
import dev.latchkey.stress.check.RemainsReader;
import dev.latchkey.stress.check.Run;
import dev.latchkey.stress.check.Violation;
import dev.latchkey.stress.history.Event;
import dev.latchkey.stress.history.History;
import dev.latchkey.stress.referee.RefereeConnection;
import dev.latchkey.stress.referee.RefereeProcess;
import dev.latchkey.stress.referee.RefereeRecord;
import dev.latchkey.stress.worker.AimedKill;
import dev.latchkey.stress.worker.WallClock;
import dev.latchkey.stress.worker.Worker;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.SmallVolume;
import dev.latchkey.testing.Stalls;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One run of one scenario: workers are started, disturbed, replaced when they die, told to stop, and followed by one that
 * drains the directory; then everything they wrote down is judged.
 */
final class Trial implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration END = Duration.ofSeconds(20);
    /** The same where a rule is broken, and a hang is what it may come to. */
    private static final Duration END_OF_BROKEN = Duration.ofSeconds(10);
    /** A worker needs about as long to start as it takes until two others are killed. */
    private static final int SPARES = 3;

    /** How often somebody looks whether a broken rule has shown. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);

    /** Workers that share two processors wait for each other about as long; a machine that stands still is another matter. */
    private static final Duration STALL = Duration.ofMillis(20);

    private static final int KILLED = 137;
    private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final Options options;
    private final ScenarioName scenario;
    private final Stage stage;
    private final Path directory;
    private final RefereeProcess referee;
    private final RefereeConnection connection;
    private final Crew crew;
    private final Nemesis nemesis;
    private final List<Member> working = new ArrayList<>();
    /** Those whose end has been dealt with. */
    private final Set<Member> ended = new HashSet<>();

    private final List<Kill> kills = new ArrayList<>();
    private final Stalls stalls;
    private final List<Violation> violations = new ArrayList<>();
    private final Map<Member, Progress> progress = new HashMap<>();
    /** How many calls were heard of each, see {@link Worker#CALLED}. */
    private final Map<Member, Integer> calls = new HashMap<>();

    private boolean killsNextCalled;
    private boolean drained;
    private long longestLog;
    private int seconds;

    /** How long a history was, and since when. */
    private record Progress(long bytes, long nanos) {}

    private Trial(Options options, ScenarioName scenario, Stage stage, Path work, @Nullable SmallVolume disk)
            throws IOException {
        this.options = options;
        this.scenario = scenario;
        this.stage = stage;
        this.directory = (disk == null ? work : disk.path()).resolve("cache");
        TestBuild build = TestBuild.of(options.broken());
        this.referee = RefereeProcess.start(work.resolve("referee.record"), options.lifetime());
        this.connection = referee.connect(RefereeConnection.CONTROLLER);
        Path clock = work.resolve("clock");
        this.crew = new Crew(options, scenario, work, directory, clock, build, referee.port());
        this.nemesis = new Nemesis(directory, disk, WallClock.at(clock), connection);
        this.stalls = new Stalls();
    }

    /** Runs a scenario in a folder of its own, which must be empty. */
    static Outcome run(Options options, ScenarioName scenario, Path work) throws IOException {
        return run(options, scenario, Stage.withoutBudget(), work);
    }

    /** Runs a scenario when its turn has come, for as long as it may. */
    static Outcome run(Options options, ScenarioName scenario, Stage stage, Path work) throws IOException {
        try (SmallVolume disk = disk(scenario, work);
                Trial trial = new Trial(options, scenario, stage, work, disk)) {
            Outcome outcome = trial.run();
            if (disk != null && !outcome.violations().isEmpty()) {
                copy(trial.directory, work.resolve("cache")); // the disk is about to go
            }
            return outcome;
        }
    }

    private static @Nullable SmallVolume disk(ScenarioName scenario, Path work) throws IOException {
        return scenario.diskMebibytes() == 0
                ? null
                : SmallVolume.mount(Files.createDirectory(work.resolve("disk")), scenario.diskMebibytes());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    private Outcome run() throws IOException {
        try {
            play();
        } catch (IOException | RuntimeException | AssertionError e) {
            violations.add(new Violation("HARNESS", stackTrace(e)));
        }
        for (Member member : crew.all()) {
            endOf(member);
        }
        connection.close();
        Path record = referee.end(START);
        return judge(RefereeRecord.read(record));
    }

    private static String stackTrace(Throwable e) {
        StringWriter text = new StringWriter();
        e.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    private void play() throws IOException {
        if (scenario.isPrepared()) {
            awaitEnd(crew.start(Worker.Role.PREPARE), START);
        }
        gatherCrew();
        seconds = stage.enter(options.seconds());
        try {
            disturb(fireStartingGun());
            if (isClean()) {
                stopAll();
            }
        } finally {
            stage.leave();
        }
        if (isClean() && options.broken().map(BrokenRule::needsDrain).orElse(true)) {
            drain();
            drained = true;
        }
    }

    private boolean isClean() {
        return violations.isEmpty() && referee.violations().isEmpty();
    }

    /** Only spares, and the workers of a run that was broken off, are still there. */
    private void endOf(Member member) throws IOException {
        if (ended.add(member)) {
            nemesis.kill(member);
            bury(member);
        }
    }

    private void gatherCrew() {
        for (int i = 0; i < options.jvms(); i++) {
            working.add(crew.start(Worker.Role.WORK));
        }
        for (int i = 0; i < scenario.pythons(); i++) {
            working.add(crew.startPython());
        }
        working.forEach(member -> member.process().await(Child.READY, START));
        if (!options.quiet()) {
            crew.keepSpares(SPARES);
        }
    }

    private long fireStartingGun() {
        long started = System.nanoTime();
        working.forEach(member -> member.process().send(Child.GO));
        return started;
    }

    private void disturb(long started) throws IOException {
        Deque<Step> schedule = new ArrayDeque<>(options.quiet() ? List.of() : schedule());
        long end = started + TimeUnit.SECONDS.toNanos(seconds);
        long nextLook = started + LOOK_NANOS;
        while (System.nanoTime() < end && isClean() && !hasFailed()) {
            Step next = schedule.peek();
            if (next != null && System.nanoTime() - started >= TimeUnit.MILLISECONDS.toNanos(next.millis())) {
                schedule.remove();
                act(scenario.suited(next), victim(next));
            }
            killTheCalled();
            nemesis.letGo(false);
            replaceTheDead();
            noticeSilence();
            measureLog();
            if (options.broken().isPresent() && System.nanoTime() >= nextLook) {
                if (hasShown(options.broken().get())) {
                    break; // those who judge all of it have the last word
                }
                nextLook = System.nanoTime() + LOOK_NANOS;
            }
            LockSupport.parkNanos(TICK_NANOS);
        }
        nemesis.letGo(true);
        nemesis.freeDisk();
    }

    /**
     * Whether what has been written down so far breaks a promise that a broken rule serves. The histories are read one after the
     * other, while they grow: what the first ones seem to lack is there when they are read again.
     */
    private boolean hasShown(BrokenRule rule) throws IOException {
        Set<Violation> seen = shown(rule);
        return !seen.isEmpty() && shown(rule).stream().anyMatch(seen::contains);
    }

    private Set<Violation> shown(BrokenRule rule) throws IOException {
        Run run = new Run(histories(), faults(), stalls.ofAtLeast(STALL), Remains.NOTHING);
        Set<Violation> shown = new HashSet<>();
        for (Checker checker : scenario.checkers(options, false)) {
            checker.check(run).stream()
                    .filter(violation -> rule.promises().contains(violation.promise()))
                    .filter(violation -> BrokenRule.EARLY.contains(violation.promise()))
                    .forEach(shown::add);
        }
        return shown;
    }

    private List<History> histories() throws IOException {
        List<History> histories = new ArrayList<>();
        for (Member member : crew.all()) {
            histories.add(History.read(member.name(), member.history()));
        }
        return histories;
    }

    private List<Fault> faults() {
        return nemesis.faults().stream()
                .sorted(Comparator.comparingLong(Fault::nanos))
                .toList();
    }

    private void act(Step step, Member victim) {
        if (step.act() == Act.KILL_WAITING && scenario.hasCalls()) {
            killsNextCalled = true;
        } else if (!step.act().hasVictim() || !nemesis.isStopped(victim) || step.act() == Act.KILL) {
            nemesis.act(step, victim);
        }
    }

    /** Whoever was signalled is killed before he has the lock again, if it is the time for that. */
    private void killTheCalled() {
        for (Member caller : List.copyOf(working)) {
            List<String> lines = scenario.hasCalls() ? caller.process().output() : List.of();
            List<String> called = lines.stream()
                    .filter(line -> line.startsWith(Worker.CALLED))
                    .toList();
            Integer before = calls.put(caller, called.size());
            if (killsNextCalled && called.size() > (before == null ? 0 : before)) {
                long pid = Long.parseLong(called.get(called.size() - 1).substring(Worker.CALLED.length()));
                working.stream()
                        .skip(1) // which is spared
                        .filter(member -> member.process().pid() == pid)
                        .findFirst()
                        .ifPresent(member -> {
                            killsNextCalled = false;
                            nemesis.kill(member);
                        });
            }
        }
    }

    private boolean hasFailed() {
        return working.stream().anyMatch(member -> member.process().output().contains(Worker.ERROR));
    }

    /** Another one for each scenario, of one seed. */
    private List<Step> schedule() {
        return Schedule.of(31 * options.seed() + scenario.word().hashCode(), seconds);
    }

    /** The first worker is spared from kills, so that one lives through everything. */
    private Member victim(Step step) {
        int spared = step.act().isKill() && working.size() > 1 ? 1 : 0;
        return working.get(spared + step.victim() % (working.size() - spared));
    }

    private void replaceTheDead() throws IOException {
        for (int i = 0; i < working.size(); i++) {
            Member member = working.get(i);
            if (!member.process().isAlive()) {
                if (ended.add(member)) {
                    bury(member);
                }
                Member fresh = member.isPython() ? crew.startPython() : crew.takeSpare();
                if (fresh != null) {
                    crew.keepSpares(SPARES);
                    boolean opens = crew.all().size() % 4 == 0;
                    if (opens) {
                        fresh.tell("die first-open " + crew.all().size() * 7919L % 3_000);
                    }
                    fresh.tell(Child.GO);
                    working.set(i, fresh);
                }
            }
        }
    }

    /** Finds out what a process died of, and of a kill what it was doing. */
    private void bury(Member member) throws IOException {
        int status = member.process().exitCode(END);
        if (status == 0) {
            return;
        }
        History history = History.read(member.name(), member.history());
        Optional<Event> dying = history.events().stream()
                .filter(event -> event.operation().equals(AimedKill.DYING))
                .findFirst();
        if (dying.isPresent()) {
            nemesis.note(dying.get().nanos(), Fault.Kind.KILL, member.name());
        }
        OptionalLong instant = nemesis.faults().stream()
                .filter(done -> done.kind() == Fault.Kind.KILL && done.process().equals(member.name()))
                .mapToLong(Fault::nanos)
                .min();
        if (status != KILLED || instant.isEmpty()) {
            violations.add(new Violation("NO_CRASH", describe(member, "ended with status " + status)));
        } else if (!history.events().isEmpty()) {
            kills.add(new Kill(member.name(), instant.getAsLong(), Moment.of(history, instant.getAsLong())));
        }
    }

    private static String describe(Member member, String what) {
        return member.name() + " " + what + "; its output:\n"
                + String.join("\n", member.process().output());
    }

    /** A worker that writes nothing down for long hangs, unless it is stopped. */
    private void noticeSilence() throws IOException {
        long now = System.nanoTime();
        for (Member member : working) {
            long bytes = Files.exists(member.history()) ? Files.size(member.history()) : 0;
            Progress last = progress.get(member);
            if (last == null || last.bytes != bytes || nemesis.isStopped(member)) {
                progress.put(member, new Progress(bytes, now));
            } else if (now - last.nanos > SILENCE_NANOS && member.process().isAlive()) {
                hang(member);
            }
        }
    }

    private void hang(Member member) {
        try {
            int status = member.process().exitCode(Duration.ZERO);
            violations.add(new Violation("NO_CRASH", describe(member, "ended with status " + status)));
        } catch (AssertionError e) {
            violations.add(new Violation("NO_HANG", String.valueOf(e.getMessage())));
        }
    }

    private void measureLog() {
        try {
            longestLog = Math.max(longestLog, Files.size(directory.resolve("cache.db-wal")));
        } catch (IOException e) {
            // there is none just now
        }
    }

    private void stopAll() throws IOException {
        working.forEach(member -> member.tell("stop"));
        Duration limit = options.broken().isPresent() ? END_OF_BROKEN : END;
        long end = System.nanoTime() + limit.toNanos();
        for (Member member : working) {
            awaitEnd(member, Duration.ofNanos(Math.max(0, end - System.nanoTime())));
        }
    }

    /** Waits until a process has ended well; one that was still to kill itself may do so. */
    private void awaitEnd(Member member, Duration limit) throws IOException {
        try {
            member.process().exitCode(limit);
            if (ended.add(member)) {
                bury(member);
            }
        } catch (AssertionError e) {
            violations.add(new Violation("NO_HANG", String.valueOf(e.getMessage())));
        }
    }

    /** The last process takes what the dead have left; its engine sweeps their rows within seconds. */
    private void drain() throws IOException {
        Member last = crew.start(Worker.Role.DRAIN);
        last.process().await(Worker.DRAINED, START);
        long end = System.nanoTime() + END.toNanos();
        while (RemainsReader.sessionsExcept(directory, last.process().pid()) > 0 && System.nanoTime() < end) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        }
        last.process().send("stop");
        awaitEnd(last, END);
    }

    private Outcome judge(RefereeRecord record) throws IOException {
        Run run = new Run(histories(), faults(), stalls.ofAtLeast(STALL), RemainsReader.read(directory, longestLog));
        boolean whole = drained && isClean();
        referee.violations()
                .forEach(found -> violations.add(new Violation(found.kind().name(), found.text())));
        violations.addAll(new Reports(record).check(run));
        for (Checker checker : scenario.checkers(options, whole)) {
            violations.addAll(checker.check(run));
        }
        return new Outcome(scenario, options.withSeconds(seconds), run, kills, List.copyOf(violations));
    }

    @Override
    public void close() {
        try (referee;
                stalls) {
            crew.close();
        }
    }
}
