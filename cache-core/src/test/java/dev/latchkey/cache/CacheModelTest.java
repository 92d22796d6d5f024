package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Operations of chance on a cache and on a model of it, whose outcomes must be the same. */
class CacheModelTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int ROUNDS = 50;
    private static final int STEPS = 2_000;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private final long seed = Long.getLong("latchkey.seed", System.nanoTime());
    private final java.util.Deque<String> history = new ArrayDeque<>();
    private ModelCache model = new ModelCache();

    private static Cache open(Path path, int variant) {
        EvictionPolicy[] policies = EvictionPolicy.values();
        return Cache.builder(path)
                .minFileSize(ModelSteps.MIN_FILE_SIZE)
                .evictionPolicy(policies[variant % policies.length])
                .cullLimit(variant % 3 * 5)
                .tagIndex(variant % 2 == 0)
                .statistics(variant % 3 == 0)
                .reaper(variant % 2 == 1)
                .open();
    }

    private String story(String what) {
        return "-Dlatchkey.seed=" + seed + ": " + what + "\n" + String.join("\n", history);
    }

    /** Does to the model what was done to the cache, and compares. */
    private void apply(long number, boolean expiring, String actual) {
        String expected = new ModelSteps(model, ignored -> model.elapse(), expiring).run(number);
        history.add(expected);
        if (history.size() > 50) {
            history.remove();
        }
        assertEquals(expected, actual, () -> story("step " + number));
    }

    private void compare(Cache cache) {
        String difference = ModelSteps.difference(model, cache);
        assertTrue(difference.isEmpty(), () -> story(difference));
    }

    private static void clear(Cache cache, ModelCache model) {
        cache.clear();
        model.clear();
    }

    @Test
    void aHundredThousandOperationsDoWhatTheModelDoes() {
        System.out.println("CacheModelTest -Dlatchkey.seed=" + seed);
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            boolean expiring = round % 2 == 1;
            int variant = round / 4;
            Path path = directory.resolve("cache" + variant);
            if (round % 4 == 0) {
                model = new ModelCache();
            }
            Cache cache = open(path, variant);
            try {
                if (!expiring) {
                    clear(cache, model);
                }
                for (int i = 0; i < STEPS; i++) {
                    long number = seed + round * (long) STEPS + i;
                    apply(number, expiring, steps(cache, expiring).run(number));
                    if (random.nextInt(500) == 0) {
                        compare(cache);
                        cache.close();
                        cache = open(path, variant);
                        compare(cache);
                    }
                }
                compare(cache);
                assertEquals("no damage found", cache.check(false).toString(), story("round " + round));
            } finally {
                cache.close();
            }
        }
    }

    private static ModelSteps steps(Cache cache, boolean expiring) {
        return new ModelSteps(cache, ignored -> ModelSteps.waitForExpiry(), expiring);
    }

    // Two processes

    /** Hears "number count expiring" and does so many operations. */
    static final class Operator {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            try (Cache cache = open(Path.of(args[0]), Integer.parseInt(args[1]))) {
                Child.say("UP");
                while (true) {
                    String[] words = Child.hear().split(" ");
                    long first = Long.parseLong(words[0]);
                    ModelSteps steps = steps(cache, Boolean.parseBoolean(words[2]));
                    for (long number = first; number < first + Long.parseLong(words[1]); number++) {
                        Child.say("STEP " + number + " " + steps.run(number));
                    }
                }
            }
        }
    }

    private JavaProcess operator(Path path, int variant) {
        JavaProcess child = processes.start(JavaCommand.of(Operator.class, path.toString(), Integer.toString(variant))
                .lifetime(Duration.ofMinutes(10)));
        child.await("UP", LONG);
        return child;
    }

    /**
     * The two take turns. One in four is killed: at any instant of its turn, when one operation may or may not have been done,
     * or while it is idle.
     */
    @Test
    @Tag("process")
    void operationsOfTwoProcessesThatAreKilledAtAnyInstantDoWhatTheModelDoes() {
        System.out.println("CacheModelTest -Dlatchkey.seed=" + seed);
        Random random = new Random(seed);
        for (int variant = 0; variant < 2; variant++) {
            Path path = directory.resolve("cache" + variant);
            model = new ModelCache();
            try (Cache cache = open(path, variant)) {
                JavaProcess[] children = {operator(path, variant), operator(path, variant)};
                long number = seed;
                for (int turn = 0; turn < 40; turn++) {
                    boolean expiring = turn / 5 % 2 == 1;
                    if (turn % 10 == 0) {
                        clear(cache, model);
                    }
                    boolean doomed = random.nextInt(4) == 0;
                    int me = turn % 2;
                    number = doomed
                            ? killed(children[me], cache, number, expiring, random)
                            : done(children[me], number, 50 + random.nextInt(100), expiring);
                    if (doomed) {
                        children[me] = operator(path, variant);
                    }
                    compare(cache);
                    CheckReport report = cache.check(false);
                    assertTrue(
                            report.findings().stream().allMatch(CacheModelTest::isLeftByTheDead),
                            () -> story(report.toString()));
                }
                children[0].kill();
                children[1].kill();
                compare(cache);
            }
        }
    }

    /** A process that dies between file and row, or between row and file, leaves a file or an empty folder. */
    private static boolean isLeftByTheDead(CheckReport.Finding finding) {
        return finding.kind() == CheckReport.Kind.UNKNOWN_FILE || finding.kind() == CheckReport.Kind.EMPTY_FOLDER;
    }

    private long done(JavaProcess child, long first, int count, boolean expiring) {
        child.send(first + " " + count + " " + expiring);
        for (long number = first; number < first + count; number++) {
            apply(number, expiring, outcome(child.await("STEP ", LONG), number));
        }
        return first + count;
    }

    private static String outcome(String line, long number) {
        String start = "STEP " + number + " ";
        assertTrue(line.startsWith(start), line);
        return line.substring(start.length());
    }

    private long killed(JavaProcess child, Cache cache, long first, boolean expiring, Random random) {
        int idleAfter = random.nextInt(3) == 0 ? random.nextInt(50) : Integer.MAX_VALUE;
        child.send(first + " " + Math.min(idleAfter, 100_000) + " " + expiring);
        if (idleAfter < Integer.MAX_VALUE) {
            for (int i = 0; i < idleAfter; i++) {
                apply(first + i, expiring, outcome(child.await("STEP ", LONG), first + i));
            }
            child.kill();
            return first + idleAfter;
        }
        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(60_000)));
        child.kill();
        long number = first;
        for (String line : child.output()) {
            if (line.startsWith("STEP " + number + " ")) {
                apply(number, expiring, outcome(line, number));
                number++;
            }
        }
        return number + acceptDoubtfulStep(cache, number, expiring);
    }

    /** The operation that was under way has been done or has not. */
    private int acceptDoubtfulStep(Cache cache, long number, boolean expiring) {
        ModelSteps.waitForExpiry();
        cache.expire();
        model.expire();
        if (ModelSteps.difference(model, cache).isEmpty()) {
            return 0;
        }
        new ModelSteps(model, ignored -> model.elapse(), expiring).run(number);
        history.add("killed in " + number);
        model.elapse();
        model.expire();
        return 1;
    }
}
