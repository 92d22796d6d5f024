package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a lock of several names, and whoever looks at it, promise between processes. */
class MultiLockProcessTest extends ProcessFixture {
    private static final int SECONDS = Integer.getInteger("latchkey.stress.seconds", 15);

    private final Map<JavaProcess, Path> logs = new HashMap<>();

    private JavaProcess child(Class<?> main, String... more) {
        List<String> arguments = new ArrayList<>(List.of(cachePath().toString()));
        arguments.addAll(List.of(more));
        return opened(JavaCommand.of(main, arguments.toArray(String[]::new))
                .lifetime(Duration.ofSeconds(SECONDS).plusMinutes(2)));
    }

    private JavaProcess taker() {
        Path log = directory.resolve("log-" + logs.size());
        JavaProcess taker = child(MultiLockChild.class, log.toString());
        logs.put(taker, log);
        return taker;
    }

    /** One name, held by one thread of one process; the end is that of the process if it was killed before. */
    private record Span(String name, String who, long from, long until, long token) {}

    @Test
    void pairsInAnyOrderExcludeEachOtherAndAreNeverSeenHalfAlthoughTheirHoldersAreKilled() throws Exception {
        Random random = new Random(7);
        Map<JavaProcess, Long> killed = new HashMap<>();
        List<JavaProcess> takers = new ArrayList<>();
        IntStream.range(0, 4).forEach(i -> takers.add(taker()));
        JavaProcess looker = child(MultiLockChild.class, "look");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (System.nanoTime() < end) {
            letRun(Duration.ofMillis(300 + random.nextInt(600)), takers);
            JavaProcess victim = takers.remove(random.nextInt(takers.size()));
            killed.put(victim, victim.killNow());
            takers.add(taker());
        }
        takers.forEach(taker -> taker.send("STOP"));
        takers.forEach(taker -> taker.await("STOPPED", SOON)); // each wait comes to an end: no deadlock
        looker.send("STOP");
        String[] looked = looker.await("LOOKED", SOON).split(" ", -1);
        List<Span> spans = new ArrayList<>();
        takers.forEach(taker -> spans.addAll(spans(taker, Long.MAX_VALUE)));
        killed.forEach((victim, instant) -> {
            victim.exitCode(SOON);
            spans.addAll(spans(victim, instant));
        });
        System.out.println(spans.size() / 2 + " pairs by 4 processes with " + killed.size() + " kills, looked "
                + looked[1] + " times at " + looked[2] + " pairs");
        MultiLockChild.NAMES.forEach(name -> checkExclusion(spans, name));
        assertEquals("0", looked[3], () -> looker.output().toString());
        assertTrue(Long.parseLong(looked[2]) > 50, "it saw " + looked[2] + " pairs in " + looked[1] + " looks");
        assertTrue(spans.size() > 200, "only " + spans.size() / 2 + " pairs were taken");
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            assertEquals(List.of(), Inspector.of(cache).locks());
            assertTrue(new MultiLock(cache, MultiLockChild.NAMES).tryLock(SOON), "nothing is left behind");
        }
    }

    private List<Span> spans(JavaProcess taker, long death) {
        taker.output().forEach(line -> assertFalse(line.startsWith("FAILED"), line));
        List<Span> spans = new ArrayList<>();
        for (int i = 0; i < MultiLockChild.THREADS; i++) {
            addSpans(spans, Path.of(logs.get(taker) + "-" + i), death);
        }
        return spans;
    }

    private static void addSpans(List<Span> spans, Path log, long death) {
        String text;
        try {
            text = Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String[] in = {};
        for (String line : text.substring(0, text.lastIndexOf('\n') + 1).split("\n", -1)) {
            String[] words = line.split(" ", -1);
            if (words[0].equals("IN")) {
                in = words;
            } else if (words[0].equals("OUT")) {
                addPair(spans, in, log, Long.parseLong(words[1]));
                in = new String[0];
            }
        }
        if (in.length > 0) {
            addPair(spans, in, log, death); // held until it was killed
        }
    }

    private static void addPair(List<Span> spans, String[] in, Path log, long until) {
        long from = Long.parseLong(in[3]);
        for (int i = 0; i < 2; i++) {
            spans.add(new Span(in[1 + i], log.toString(), from, Math.max(from, until), Long.parseLong(in[4 + i])));
        }
    }

    private static void checkExclusion(List<Span> all, String name) {
        List<Span> spans = all.stream()
                .filter(span -> span.name.equals(name))
                .sorted(Comparator.comparingLong(Span::from))
                .toList();
        for (int i = 1; i < spans.size(); i++) {
            Span one = spans.get(i - 1);
            Span next = spans.get(i);
            assertTrue(one.until <= next.from, () -> "two hold '" + name + "': " + one + " and " + next);
            assertTrue(one.token < next.token, () -> "tokens of '" + name + "': " + one + " and " + next);
        }
    }

    /** As long as the turn of that process lasts. */
    @Test
    void aPairDoesNotOvertakeAProcessThatStandsInLineForOneOfItsNames() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        JavaProcess holder = child(CoordinationChild.class);
        JavaProcess next = child(CoordinationChild.class);
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            MultiLock both = new MultiLock(cache, List.of("a", "b"));
            Lock a = new Lock(cache, "a");
            int inOrder = 0;
            for (int i = 0; i < 20 || inOrder < 10; i++) {
                assertTrue(i < 60, "only " + inOrder + " were served in their order");
                holder.send("lock a");
                holder.await("LOCKED", SOON);
                next.send("lock a");
                await().atMost(SOON).until(() -> a.waiters() == 1);
                Future<long[]> pair = threads.submit(() -> {
                    both.lock();
                    long pairAt = System.nanoTime();
                    long token = both.fencingToken("a");
                    both.unlock();
                    return new long[] {token, pairAt};
                });
                long sent = System.nanoTime();
                holder.send("unlock a");
                String[] granted = next.await("LOCKED", SOON).split(" ", -1);
                next.send("unlock a");
                long[] paired = pair.get(20, TimeUnit.SECONDS);
                boolean first = Long.parseLong(granted[2]) < paired[0];
                assertTrue(
                        first || paired[1] - sent >= Line.RESERVATION_NANOS,
                        "round " + i + ": the line was overtaken after " + (paired[1] - sent) + " ns");
                inOrder += first ? 1 : 0;
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aPairIsFreedByForceWhenItsProcessIsStopped() throws Exception {
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            JavaProcess taker = child(CoordinationChild.class);
            taker.send("pair a b");
            taker.await("LOCKED", SOON);
            MultiLock both = new MultiLock(cache, List.of("b", "c", "a"));
            taker.stop();
            assertFalse(both.tryLock(Duration.ofMillis(200)));
            Inspector inspector = Inspector.of(cache);
            for (Inspector.HeldLock lock : inspector.locks()) {
                assertEquals(taker.pid(), lock.holder().pid());
                assertTrue(inspector.forceRelease(lock.name(), lock.holder().token()));
            }
            assertTrue(both.tryLock());
            taker.cont();
            taker.send("unpair a b");
            assertTrue(taker.await("FAILED unpair", SOON).contains("LockLostException"));
            both.unlock();
        }
    }

    @Test
    void theInspectorIsAProgramThatWorksBesideLiveProcesses() {
        JavaProcess holder = child(CoordinationChild.class);
        holder.send("lock a");
        String token = holder.await("LOCKED", SOON).split(" ", -1)[2];
        JavaProcess waiter = child(CoordinationChild.class);
        waiter.send("lock a");
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            await().atMost(SOON).until(() -> !Inspector.of(cache).waiters().isEmpty());
        }
        holder.stop();
        JavaProcess shows = processes.start(Inspector.class, cachePath().toString());
        assertEquals(0, shows.exitCode(SOON), () -> shows.output().toString());
        String shown = String.join("\n", shows.output());
        assertTrue(shown.contains(token) && shown.contains(String.valueOf(holder.pid())), shown);
        assertTrue(shown.contains("WAITERS\n") && shown.contains(String.valueOf(waiter.pid())), shown);
        assertTrue(shown.contains(CoordinationChild.class.getName()), shown);
        JavaProcess wrong = processes.start(Inspector.class, cachePath().toString(), "--release", "a", "1");
        assertEquals(1, wrong.exitCode(SOON));
        JavaProcess releases = processes.start(Inspector.class, cachePath().toString(), "--release", "a", token);
        assertEquals(0, releases.exitCode(SOON), () -> releases.output().toString());
        waiter.await("LOCKED", SOON);
        JavaProcess lost = processes.start(Inspector.class);
        assertEquals(2, lost.exitCode(SOON));
        assertTrue(String.join("\n", lost.output()).contains("usage: "));
    }
}
