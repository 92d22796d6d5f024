package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.base.Throwables;
import dev.latchkey.cache.FanoutCache;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.Failpoint;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several processes on one cache in shards, some of which die. The integral number i is in the shard i modulo 8. */
@Tag("process")
@Tag("everyJdk")
class FanoutProcessesTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final List<Long> ONE_OF_EACH = LongStream.range(0, 8).boxed().toList();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path() {
        return directory.resolve("cache");
    }

    private static void assertClean(FanoutCache cache) {
        assertEquals("no damage found", cache.check(false).toString());
    }

    private static String failure(Throwable t) {
        return "FAILED " + Throwables.getStackTraceAsString(t).replace('\n', ' ');
    }

    // Opening at once

    /** On each line it hears: opens that directory, counts in every shard, closes. */
    static final class Opener {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Child.say("UP");
            while (true) {
                Path path = Path.of(Child.hear());
                String said = "OK";
                try (FanoutCache cache = FanoutCache.open(path)) {
                    ONE_OF_EACH.forEach(cache::incr);
                } catch (RuntimeException e) {
                    said = failure(e);
                }
                Child.say(said);
            }
        }
    }

    @Test
    void sixteenProcessesThatOpenAnEmptyDirectoryAtOnceAllSucceedAndAgree() {
        List<JavaProcess> children = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            children.add(processes.start(JavaCommand.of(Opener.class).lifetime(Duration.ofMinutes(10))));
        }
        children.forEach(child -> child.await("UP", LONG));
        for (int round = 0; round < 10; round++) {
            Path path = directory.resolve("cache" + round);
            children.forEach(child -> child.send(path.toString()));
            for (JavaProcess child : children) {
                assertEquals("OK", child.await("", LONG), "round " + round);
            }
            try (FanoutCache cache = FanoutCache.open(path, 8)) {
                assertEquals(List.of(16, 16, 16, 16, 16, 16, 16, 16), counts(cache), "round " + round);
                assertEquals(1L << 30, cache.settings().get(dev.latchkey.cache.Setting.SIZE_LIMIT));
                assertClean(cache);
            }
        }
    }

    private static List<Integer> counts(FanoutCache cache) {
        return ONE_OF_EACH.stream()
                .map(key -> cache.getOrDefault(key, Integer.class, 0))
                .toList();
    }

    /** Dies after so many shards were made. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void whatAProcessThatDiedHadBegunToMakeIsCompletedByTheNext(int commits) {
        JavaCommand command = JavaCommand.of(Maker.class, path().toString());
        JavaProcess maker =
                processes.start(Failpoint.kill("before-commit", commits).in(command, directory.path()));
        maker.await("UP", LONG);
        maker.exitCode(LONG);
        try (FanoutCache cache = FanoutCache.open(path())) {
            assertEquals(5, cache.shards());
            cache.set("a", 1);
            assertClean(cache);
        }
    }

    static final class Maker {
        public static void main(String[] args) {
            Child.start();
            Child.say("UP");
            try (FanoutCache cache = FanoutCache.open(Path.of(args[0]), 5)) {
                cache.set(1, 1);
                cache.set(2, 1);
                Child.say("MADE");
            }
        }
    }

    // Dying at any instant

    /** Counts in all shards at once, as fast as it can. */
    static final class Counter {
        public static void main(String[] args) {
            Child.start();
            try (FanoutCache cache = FanoutCache.open(Path.of(args[0]))) {
                for (int i = 0; ; i++) {
                    byte[] large = new byte[40_000 + i % 7];
                    long sum = cache.transact(() -> {
                        ONE_OF_EACH.forEach(cache::incr);
                        ONE_OF_EACH.forEach(key -> cache.set("large" + key, large));
                        return cache.get(0, Long.class);
                    });
                    Child.say("COMMITTED " + sum);
                }
            }
        }
    }

    @Test
    void whoeverIsKilledInTheMidstOfTransactionsLosesNothingThatWasCommitted() {
        FanoutCache.open(path(), 8).close();
        Random random = new Random(7);
        int before = 0;
        for (int round = 0; round < 12; round++) {
            JavaProcess victim = processes.start(Counter.class, path().toString());
            String last = victim.await("COMMITTED", LONG);
            for (int i = random.nextInt(100); i > 0; i--) {
                last = victim.await("COMMITTED", LONG);
            }
            victim.kill();
            List<String> said = victim.output();
            int told = Integer.parseInt(said.get(said.size() - 1).split(" ")[1]);
            try (FanoutCache cache = FanoutCache.open(path())) {
                List<Integer> counts = counts(cache);
                for (int shard = 0; shard < 7; shard++) {
                    assertTrue(counts.get(shard) <= counts.get(shard + 1), "the first shard is the last: " + counts);
                }
                assertTrue(counts.get(7) <= counts.get(0) + 1, "of one transaction alone: " + counts);
                assertTrue(counts.get(0) >= told && told > before, counts + " after " + last + " and " + told);
                cache.transact(() -> ONE_OF_EACH.forEach(key -> cache.set(key, told)));
                before = told;
            }
        }
        try (FanoutCache cache = FanoutCache.open(path())) {
            cache.check(true);
            assertClean(cache);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 8})
    void aCrashInTheMidstOfTheCommitsLeavesTheLastShardsCommitted(int commit) {
        FanoutCache.open(path(), 8).close();
        JavaCommand command = JavaCommand.of(Counter.class, path().toString());
        JavaProcess victim =
                processes.start(Failpoint.kill("before-commit", commit).in(command, directory.path()));
        victim.exitCode(LONG);
        try (FanoutCache cache = FanoutCache.open(path())) {
            assertEquals(
                    IntStream.range(0, 8)
                            .map(i -> i > 8 - commit ? 1 : 0)
                            .boxed()
                            .toList(),
                    counts(cache));
            assertEquals(2 * (commit - 1), cache.size());
        }
    }

    // Sharing

    /** Moves amounts between accounts in all shards, and looks at the sum. */
    static final class Teller {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Random random = new Random(Integer.parseInt(args[1]));
            try (FanoutCache cache = FanoutCache.open(Path.of(args[0]))) {
                Child.ready();
                for (int i = 0; i < 300; i++) {
                    long from = random.nextInt(8);
                    long to = random.nextInt(8);
                    if (random.nextInt(3) == 0) {
                        Map<Object, Object> all = new LinkedHashMap<>();
                        ONE_OF_EACH.forEach(key -> all.put("mark" + key, args[1] + random.nextInt()));
                        String mark = "one" + args[1] + i;
                        all.replaceAll((key, value) -> mark);
                        cache.setAll(all);
                    }
                    long[] seen = cache.transact(() -> {
                        cache.decr(from, 5);
                        cache.incr(to, 5);
                        long sum = cache.getAll(ONE_OF_EACH, Long.class).values().stream()
                                .mapToLong(each -> each)
                                .sum();
                        long marks = ONE_OF_EACH.stream()
                                .map(key -> cache.getOrDefault("mark" + key, String.class, ""))
                                .distinct()
                                .count();
                        return new long[] {sum, marks};
                    });
                    if (seen[0] != 800 || seen[1] != 1) {
                        Child.say("FAILED saw a sum of " + seen[0] + " and " + seen[1] + " marks");
                    }
                }
                Child.say("DONE");
            } catch (RuntimeException e) {
                Child.say(failure(e));
            }
        }
    }

    @Test
    void transactionsOfSeveralProcessesSeeAllOfEachOtherOrNothing() {
        try (FanoutCache cache = FanoutCache.open(path(), 8)) {
            ONE_OF_EACH.forEach(key -> cache.set(key, 100));
            List<JavaProcess> tellers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                tellers.add(processes.start(Teller.class, path().toString(), "" + i));
            }
            processes.gun(tellers);
            tellers.forEach(teller -> assertEquals("DONE", teller.await("", LONG)));
            assertEquals(800, counts(cache).stream().mapToInt(each -> each).sum());
            assertClean(cache);
        }
    }

    /** Writes more than there is room for. */
    static final class Filler {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            try (FanoutCache cache = FanoutCache.open(Path.of(args[0]))) {
                Child.ready();
                for (int i = 0; i < 600; i++) {
                    cache.set(args[1] + " " + i, new byte[50_000]);
                }
                Child.say("DONE");
            } catch (RuntimeException e) {
                Child.say(failure(e));
            }
        }
    }

    @Test
    void processesThatWriteShareOneLimitAndRemoveNoMoreThanNeeded() {
        long limit = 5_000_000;
        FanoutCache.builder(path()).sizeLimit(limit).reaper(false).open().close();
        List<JavaProcess> fillers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            fillers.add(processes.start(Filler.class, path().toString(), "filler" + i));
        }
        processes.gun(fillers);
        fillers.forEach(filler -> assertEquals("DONE", filler.await("", LONG)));
        try (FanoutCache cache = FanoutCache.open(path())) {
            cache.cull();
            assertTrue(
                    cache.size() <= 100 && cache.size() >= 60, cache.size() + " entries of 50,000 bytes in " + limit);
            assertClean(cache);
        }
    }
}
