package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.Failpoint;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.Stalls;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/** A process that reads, writes, waits for conditions and writes under a lock, as it is told line by line. */
@SuppressWarnings("WaitNotInLoop") // where a test counts signals, each wait is to end by one
final class LockFamilyChild {
    private static final Map<String, ReadWriteLock> BOTH = new ConcurrentHashMap<>();
    private static final Map<String, Lock> LOCKS = new ConcurrentHashMap<>();
    /** A process says in pieces of this length when it stood still. */
    static final long SLICE_NANOS = 1_000_000;

    private static volatile @Nullable Stalls stalls;

    private LockFamilyChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        Cache cache = Cache.open(Path.of(arguments[0]));
        Child.say("OPEN");
        while (true) {
            String line = Child.hear();
            if (line.startsWith("@")) {
                Thread thread = new Thread(() -> run(cache, line.substring(1).split(" ", -1)));
                thread.setDaemon(true);
                thread.start();
            } else {
                run(cache, line.split(" ", -1));
            }
        }
    }

    private static void run(Cache cache, String[] command) {
        try {
            Child.say(
                    switch (command[0]) {
                        case "read" -> acquired(both(cache, command[1]).readLock());
                        case "write" -> acquired(both(cache, command[1]).writeLock());
                        case "unread" -> released(both(cache, command[1]).readLock());
                        case "unwrite" -> released(both(cache, command[1]).writeLock());
                        case "lock" -> acquired(lock(cache, command[1]));
                        case "unlock" -> released(lock(cache, command[1]));
                        case "force" ->
                            "FORCED " + lock(cache, command[1]).forceUnlock(Long.parseLong(command[2])) + " "
                                    + System.nanoTime();
                        case "wait" -> await(lock(cache, command[1]), command[2]);
                        case "produce" -> produce(cache, Integer.parseInt(command[1]));
                        case "consume" -> consume(cache, Integer.parseInt(command[1]));
                        case "fenced" -> fenced(cache, lock(cache, command[1]), command[2]);
                        case "unfenced" -> unfenced(cache, lock(cache, command[1]), command[2]);
                        case "cycles" -> cycles(cache, Integer.parseInt(command[1]));
                        case "watch" -> watch();
                        case "stalled" -> stalled(Long.parseLong(command[1]), Long.parseLong(command[2]));
                        case "residue" -> residue();
                        case "close" -> close(cache);
                        default -> "UNKNOWN " + command[0];
                    });
        } catch (LockLostException e) {
            Child.say("LOST " + command[0]);
        } catch (Throwable t) {
            Child.say("FAILED " + command[0] + " " + t);
        }
    }

    private static ReadWriteLock both(Cache cache, String name) {
        return BOTH.computeIfAbsent(name, missing -> new ReadWriteLock(cache, name));
    }

    private static Lock lock(Cache cache, String name) {
        return LOCKS.computeIfAbsent(name, missing -> new Lock(cache, name));
    }

    private static String acquired(FencedLock lock) {
        lock.lock();
        return "LOCKED " + System.nanoTime() + " " + lock.fencingToken();
    }

    private static String released(FencedLock lock) {
        lock.unlock();
        return "UNLOCKED " + System.nanoTime();
    }

    private static String await(Lock lock, String condition) throws InterruptedException {
        Condition waited = lock.newCondition(condition);
        lock.lock();
        try {
            waited.await();
        } finally {
            lock.unlock();
        }
        return "SIGNALLED " + System.nanoTime();
    }

    /** A buffer with one place, by the first two conditions of a lock. */
    private static String produce(Cache cache, int items) throws InterruptedException {
        Lock lock = new Lock(cache, "buffer");
        Condition full = lock.newCondition();
        Condition empty = lock.newCondition();
        Waits waits = new Waits(items);
        for (int i = 0; i < items; i++) {
            lock.lock();
            try {
                long start = System.nanoTime();
                while (cache.get("place", Integer.class) != null) {
                    empty.await();
                }
                waits.add(start, System.nanoTime());
                cache.set("place", i);
                full.signal();
            } finally {
                lock.unlock();
            }
        }
        return "PRODUCED " + items + " " + waits;
    }

    private static String consume(Cache cache, int items) throws InterruptedException {
        Lock lock = new Lock(cache, "buffer");
        Condition full = lock.newCondition();
        Condition empty = lock.newCondition();
        Waits waits = new Waits(items);
        for (int i = 0; i < items; i++) {
            lock.lock();
            try {
                long start = System.nanoTime();
                Integer item = cache.get("place", Integer.class);
                while (item == null) {
                    full.await();
                    item = cache.get("place", Integer.class);
                }
                waits.add(start, System.nanoTime());
                if (item != i) {
                    return "FAILED consume: expected " + i + ", got " + item;
                }
                cache.delete("place");
                empty.signal();
            } finally {
                lock.unlock();
            }
        }
        return "CONSUMED " + items + " " + waits;
    }

    private static final class Waits {
        private final long[] nanos;
        private final StringBuilder overLong = new StringBuilder();
        private int number;

        Waits(int items) {
            nanos = new long[items];
        }

        void add(long from, long to) {
            nanos[number] = to - from;
            number++;
            if (to - from > TimeUnit.MILLISECONDS.toNanos(50)) {
                overLong.append(' ').append(from).append(':').append(to);
            }
        }

        /** In microseconds: median, 99 %, 99.9 % and the longest; then from when to when each lasted that took more than 50 ms. */
        @Override
        public String toString() {
            long[] sorted = nanos.clone();
            Arrays.sort(sorted);
            int n = sorted.length;
            return sorted[n / 2] / 1000 + " " + sorted[n * 99 / 100] / 1000 + " " + sorted[n - 1 - n / 1000] / 1000
                    + " " + sorted[n - 1] / 1000 + overLong;
        }
    }

    private static String watch() {
        stalls = new Stalls();
        return "WATCHING";
    }

    /** For how many nanoseconds this process stood still within each millisecond of a stretch of time. */
    private static String stalled(long from, long to) {
        Stalls seen = Objects.requireNonNull(stalls);
        StringBuilder nanos = new StringBuilder("STALLED");
        for (long at = from; at < to; at += SLICE_NANOS) {
            nanos.append(' ').append(seen.nanosWithin(at, Math.min(to, at + SLICE_NANOS)));
        }
        return nanos.toString();
    }

    /** Writes under the lock, which it holds, and reaches a point at each of five instants. */
    private static String fenced(Cache cache, Lock lock, String value) {
        System.setProperty("latchkey.armed", "true");
        Failpoint.reached("before-begin");
        lock.runFenced(() -> {
            Failpoint.reached("after-verify");
            cache.set("value", value);
            Failpoint.reached("in-body");
        });
        return "WRITTEN " + System.nanoTime();
    }

    /** The same by somebody who believes that a look before the write is enough. */
    private static String unfenced(Cache cache, Lock lock, String value) {
        System.setProperty("latchkey.armed", "true");
        if (!lock.isHeldByCurrentThread()) {
            return "LOST unfenced";
        }
        Failpoint.reached("after-verify");
        cache.set("value", value);
        return "WRITTEN " + System.nanoTime();
    }

    /** Whatever one can do with locks, on four threads, until it is done or killed. */
    private static String cycles(Cache cache, int rounds) throws InterruptedException {
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                for (int round = 0; round < rounds; round++) {
                    cycle(cache, ThreadLocalRandom.current().nextInt(8));
                }
            });
            threads[i].start();
        }
        boolean alive = true;
        while (alive) {
            alive = false;
            for (Thread thread : threads) {
                thread.join(1 + ThreadLocalRandom.current().nextInt(5));
                if (thread.isAlive()) {
                    alive = true;
                    if (ThreadLocalRandom.current().nextInt(4) == 0) {
                        thread.interrupt();
                    }
                }
            }
        }
        return "CYCLED";
    }

    private static void cycle(Cache cache, int what) {
        Duration patience = Duration.ofMillis(ThreadLocalRandom.current().nextInt(20));
        try {
            switch (what) {
                case 0 -> tried(new Lock(cache, "l"), patience);
                case 1 -> tried(new RLock(cache, "r"), patience);
                case 2 -> tried(both(cache, "w").readLock(), patience);
                case 3 -> tried(both(cache, "w").writeLock(), patience);
                case 4 -> waited(new Lock(cache, "l"), patience);
                case 5 -> waited(both(cache, "w").writeLock(), patience);
                case 6 -> cancelled(new Lock(cache, "l"), patience);
                default ->
                    tried(
                            Lock.builder(cache, "leased")
                                    .lease(Duration.ofMillis(5))
                                    .build(),
                            patience);
            }
        } catch (InterruptedException | LockLostException e) {
            // one of the ways for it to end
        }
    }

    private static void tried(FencedLock lock, Duration patience) throws InterruptedException {
        if (lock.tryLock(patience)) {
            try {
                TimeUnit.MICROSECONDS.sleep(ThreadLocalRandom.current().nextInt(2000));
            } finally {
                lock.unlock();
            }
        }
    }

    private static void waited(FencedLock lock, Duration patience) throws InterruptedException {
        Condition condition = lock.newCondition("c");
        if (lock.tryLock(patience)) {
            try {
                condition.signal();
                condition.awaitNanos(patience.toNanos());
            } finally {
                lock.unlock();
            }
        }
    }

    private static void cancelled(Lock lock, Duration patience) throws InterruptedException {
        var future = lock.acquireAsync();
        try {
            TimeUnit.NANOSECONDS.sleep(patience.toNanos() / 4);
        } finally {
            if (!future.cancel(false)) {
                future.join().close();
            }
        }
    }

    private static String residue() {
        String[] descriptors = new File("/proc/self/fd").list();
        return "RESIDUE " + Thread.activeCount() + " " + (descriptors == null ? 0 : descriptors.length);
    }

    private static String close(Cache cache) {
        cache.close();
        return "CLOSED";
    }
}
