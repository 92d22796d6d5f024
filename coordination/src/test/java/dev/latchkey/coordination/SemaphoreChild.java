package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Child;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A process that does with the semaphore {@code s} of a directory what it is told, line by line. {@code @t} in front of a
 * command runs it on a thread of that name; instants are {@code System.nanoTime}, which is one clock for all processes of a host.
 */
final class SemaphoreChild {
    private static final Map<String, Thread> THREADS = new HashMap<>();
    private static final Deque<Permit> PERMITS = new ArrayDeque<>();

    private SemaphoreChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        Cache cache = Cache.open(Path.of(arguments[0]));
        BoundedSemaphore semaphore = new BoundedSemaphore(cache, "s", Integer.parseInt(arguments[1]));
        Child.say("OPEN");
        while (true) {
            String line = Child.hear();
            if (!line.startsWith("@")) {
                run(cache, semaphore, line.split(" "));
                continue;
            }
            String[] parts = line.split(" ", 2);
            Thread thread = new Thread(() -> run(cache, semaphore, parts[1].split(" ")), parts[0].substring(1));
            thread.setDaemon(true);
            THREADS.put(thread.getName(), thread);
            thread.start();
        }
    }

    private static void run(Cache cache, BoundedSemaphore semaphore, String[] command) {
        try {
            Child.say(
                    switch (command[0]) {
                        case "acquire" -> acquire(semaphore, Integer.parseInt(command[1]));
                        case "permit" -> permit(semaphore, Integer.parseInt(command[1]));
                        case "release" -> release(semaphore, Integer.parseInt(command[1]));
                        case "try" -> tryAcquire(semaphore, Integer.parseInt(command[1]), Long.parseLong(command[2]));
                        case "interrupt" -> interrupt(command[1]);
                        case "contend" ->
                            contend(
                                    semaphore,
                                    Path.of(command[1]),
                                    Integer.parseInt(command[2]),
                                    Long.parseLong(command[3]));
                        case "vary" -> vary(semaphore, Long.parseLong(command[1]), Long.parseLong(command[2]));
                        case "close" -> close(cache);
                        default -> "UNKNOWN " + command[0];
                    });
        } catch (InterruptedException e) {
            Child.say("INTERRUPTED " + command[0]);
        } catch (Throwable t) {
            Child.say("FAILED " + command[0] + " " + t);
        }
    }

    private static String acquire(BoundedSemaphore semaphore, int permits) throws InterruptedException {
        semaphore.acquire(permits);
        return "ACQUIRED " + System.nanoTime();
    }

    private static String permit(BoundedSemaphore semaphore, int permits) throws InterruptedException {
        Permit permit = semaphore.acquirePermit(permits);
        PERMITS.push(permit);
        return "PERMIT " + System.nanoTime() + " " + permit.fencingToken();
    }

    private static String release(BoundedSemaphore semaphore, int permits) {
        semaphore.release(permits);
        return "RELEASED " + System.nanoTime();
    }

    private static String tryAcquire(BoundedSemaphore semaphore, int permits, long millis) throws InterruptedException {
        long start = System.nanoTime();
        boolean acquired = semaphore.tryAcquire(permits, Duration.ofMillis(millis));
        return "TRIED " + acquired + " " + (System.nanoTime() - start) / 1_000_000;
    }

    private static String interrupt(String thread) {
        THREADS.get(thread).interrupt();
        return "SENT";
    }

    /** Enters again and again, with one or more permits, and claims as many of the referee's seats as it has permits. */
    private static String contend(BoundedSemaphore semaphore, Path seats, int number, long millis) throws Exception {
        Random random = new Random(ProcessHandle.current().pid());
        long end = System.nanoTime() + millis * 1_000_000;
        int rounds = 0;
        try (FileChannel channel = FileChannel.open(seats, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            while (System.nanoTime() < end) {
                int permits = 1 + random.nextInt(number);
                semaphore.acquire(permits);
                try {
                    List<FileLock> taken = takeSeats(channel, number, permits);
                    Thread.sleep(0, 200_000);
                    for (FileLock seat : taken) {
                        seat.release();
                    }
                } finally {
                    semaphore.release(permits);
                }
                rounds++;
            }
        }
        return "CONTENDED " + rounds;
    }

    /** One byte is one seat, and the kernel gives it to one process: there are not enough if too many are inside. */
    private static List<FileLock> takeSeats(FileChannel channel, int number, int wanted) {
        List<FileLock> taken = new ArrayList<>();
        try {
            for (int pass = 0; pass < 3; pass++) { // of a seat that is given back others may have come too early
                for (int seat = 0; seat < number && taken.size() < wanted; seat++) {
                    FileLock lock = isTaken(taken, seat) ? null : channel.tryLock(seat, 1, false);
                    if (lock != null) {
                        taken.add(lock);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (taken.size() < wanted) {
            throw new IllegalStateException("more are inside than there are permits");
        }
        return taken;
    }

    private static boolean isTaken(List<FileLock> taken, int seat) {
        return taken.stream().anyMatch(lock -> lock.position() == seat);
    }

    /** Waits in all ways, with some threads, and gives up in all ways. */
    private static String vary(BoundedSemaphore semaphore, long seed, long millis) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        long end = System.nanoTime() + millis * 1_000_000;
        for (int i = 0; i < 3; i++) {
            Random random = new Random(seed * 10 + i);
            Thread thread = new Thread(() -> varyUntil(semaphore, random, end), "varying-" + i);
            thread.start();
            threads.add(thread);
        }
        Random random = new Random(seed);
        while (System.nanoTime() < end) {
            Thread.sleep(random.nextInt(5));
            threads.get(random.nextInt(3)).interrupt();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return "VARIED";
    }

    private static void varyUntil(BoundedSemaphore semaphore, Random random, long end) {
        while (System.nanoTime() < end) {
            int permits = 1 + random.nextInt(2);
            boolean acquired = false;
            try {
                switch (random.nextInt(4)) {
                    case 0 -> acquired = semaphore.tryAcquire(permits);
                    case 1 -> acquired = semaphore.tryAcquire(permits, Duration.ofMillis(random.nextInt(6)));
                    case 2 -> {
                        semaphore.acquire(permits);
                        acquired = true;
                    }
                    default -> {
                        try (Permit permit = semaphore.acquirePermit(permits)) {
                            permit.verify();
                        }
                    }
                }
                if (random.nextBoolean()) {
                    Thread.sleep(random.nextInt(3));
                }
            } catch (InterruptedException e) {
                // given up, or woken
            } finally {
                if (acquired) {
                    semaphore.release(permits);
                }
            }
        }
    }

    private static String close(Cache cache) {
        cache.close();
        return "CLOSED";
    }
}
