package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.Stalls;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A process that does with a directory what it is told, line by line. {@code @t} in front of a command runs it on a thread
 * of that name; instants are {@code System.nanoTime}, which is one clock for all processes of a host.
 */
final class CoordinationChild {
    private static final Map<String, Thread> THREADS = new HashMap<>();
    private static final Map<String, Lock> LOCKS = new ConcurrentHashMap<>();
    private static volatile @Nullable Stalls stalls;

    private CoordinationChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        Path directory = Path.of(arguments[0]);
        Cache cache = Cache.open(directory);
        Child.say("OPEN");
        while (true) {
            String line = Child.hear();
            if (!line.startsWith("@")) {
                run(cache, line.split(" "));
                continue;
            }
            String[] parts = line.split(" ", 2);
            Thread thread = new Thread(
                    () -> {
                        run(cache, parts[1].split(" "));
                        LockSupport.parkNanos(
                                TimeUnit.SECONDS.toNanos(2)); // until what the kernel counts of it is read
                    },
                    parts[0].substring(1));
            thread.setDaemon(true);
            THREADS.put(thread.getName(), thread);
            thread.start();
        }
    }

    private static void run(Cache cache, String[] command) {
        try {
            String answer =
                    switch (command[0]) {
                        case "lock" -> lock(lock(cache, command[1]));
                        case "interruptibly" -> lockInterruptibly(lock(cache, command[1]));
                        case "unlock" -> unlock(lock(cache, command[1]));
                        case "pair" -> pair(new MultiLock(cache, List.of(command[1], command[2])));
                        case "unpair" -> unpair(new MultiLock(cache, List.of(command[1], command[2])));
                        case "try" -> tryLock(lock(cache, command[1]), Long.parseLong(command[2]));
                        case "interrupt" -> interrupt(command[1]);
                        case "force" -> "FORCED " + lock(cache, command[1]).forceUnlock(Long.parseLong(command[2]));
                        case "count" ->
                            count(lock(cache, command[1]), Path.of(command[2]), Integer.parseInt(command[3]));
                        case "contend" -> contend(lock(cache, command[1]), Long.parseLong(command[2]));
                        case "work" -> work(cache, command[1]);
                        case "watch" -> watch();
                        case "stalled" -> stalled(Long.parseLong(command[1]), Long.parseLong(command[2]));
                        case "close" -> close(cache);
                        case "exit" -> exit();
                        default -> "UNKNOWN " + command[0];
                    };
            Child.say(answer);
        } catch (InterruptedException e) {
            Child.say("INTERRUPTED " + command[0]);
        } catch (Throwable t) {
            Child.say("FAILED " + command[0] + " " + t);
        }
    }

    private static Lock lock(Cache cache, String name) {
        return LOCKS.computeIfAbsent(name, missing -> new Lock(cache, name));
    }

    private static String lock(Lock lock) {
        lock.lock();
        return "LOCKED " + System.nanoTime() + " " + lock.fencingToken();
    }

    private static String lockInterruptibly(Lock lock) throws InterruptedException {
        lock.lockInterruptibly();
        return "LOCKED " + System.nanoTime() + " " + lock.fencingToken();
    }

    private static String unlock(Lock lock) {
        lock.unlock();
        return "UNLOCKED " + System.nanoTime();
    }

    private static String pair(MultiLock lock) {
        lock.lock();
        return "LOCKED " + System.nanoTime();
    }

    private static String unpair(MultiLock lock) {
        lock.unlock();
        return "UNLOCKED " + System.nanoTime();
    }

    private static String tryLock(Lock lock, long millis) throws InterruptedException {
        long start = System.nanoTime();
        boolean locked = lock.tryLock(Duration.ofMillis(millis));
        return "TRIED " + locked + " " + (System.nanoTime() - start) / 1_000_000;
    }

    private static String interrupt(String thread) {
        THREADS.get(thread).interrupt();
        return "SENT";
    }

    /** A read, modify and write that loses updates when two do it at once. */
    private static String count(Lock lock, Path file, int rounds) throws Exception {
        for (int i = 0; i < rounds; i++) {
            lock.lock();
            try {
                long number = Long.parseLong(Files.readString(file));
                Files.write(file, String.valueOf(number + 1).getBytes(StandardCharsets.UTF_8));
            } finally {
                lock.unlock();
            }
        }
        return "COUNTED " + rounds;
    }

    /** Takes turns for a while and reports each grant: token, when it came, when it was given up. */
    private static String contend(Lock lock, long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        StringBuilder grants = new StringBuilder();
        while (System.nanoTime() < end) {
            long from;
            long token;
            long until;
            lock.lock();
            try {
                from = System.nanoTime();
                token = lock.fencingToken();
                until = System.nanoTime();
            } finally {
                lock.unlock();
            }
            grants.append(' ')
                    .append(token)
                    .append(':')
                    .append(from)
                    .append(':')
                    .append(until);
        }
        return "GRANTS" + grants;
    }

    /** Acknowledges items, each in one transaction with a counter of its own, until the queue has been empty for a second. */
    private static String work(Cache cache, String name) throws InterruptedException {
        WorkQueue<String> queue = new WorkQueue<>(cache, name, String.class);
        int done = 0;
        while (true) {
            Optional<Claim<String>> claimed = queue.claim(Duration.ofSeconds(1));
            if (claimed.isEmpty()) {
                return "WORKED " + done;
            }
            try (Claim<String> claim = claimed.get()) {
                cache.transact(() -> {
                    cache.incr("done " + claim.value());
                    claim.ack();
                });
                done++;
            }
        }
    }

    private static String watch() {
        stalls = new Stalls();
        return "WATCHING";
    }

    /** For how long of a stretch of time this process stood still. */
    private static String stalled(long from, long to) {
        return "STALLED " + Objects.requireNonNull(stalls).nanosWithin(from, to);
    }

    private static String close(Cache cache) {
        cache.close();
        return "CLOSED";
    }

    private static String exit() {
        Runtime.getRuntime().halt(0);
        return "";
    }
}
