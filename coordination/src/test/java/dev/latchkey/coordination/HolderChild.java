package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Holdable.Held;
import dev.latchkey.testing.Child;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A process that acquires and gives back whatever can be held, as it is told line by line, with one answer for each line. {@code @t}
 * in front of a command has the thread of that name do it; instants are {@code System.nanoTime}, which is one clock for all
 * processes of a host.
 */
final class HolderChild {
    private static final Map<String, ExecutorService> WORKERS = new ConcurrentHashMap<>();
    private static final Map<String, Thread> THREADS = new ConcurrentHashMap<>();
    private static final Map<String, Deque<Held>> HELD = new ConcurrentHashMap<>();
    private static final Map<String, Obstacle.Raised> RAISED = new ConcurrentHashMap<>();
    private static volatile @Nullable Cache cache;

    private HolderChild() {}

    /** With a directory, which is opened at once, or without one. */
    public static void main(String[] arguments) throws Exception {
        Child.start();
        if (arguments.length > 0) {
            open(arguments[0]);
        }
        Child.say("OPEN");
        while (true) {
            String line = Child.hear();
            if (line.startsWith("@")) {
                String[] parts = line.substring(1).split(" ", 2);
                Future<?> unused = worker(parts[0]).submit(() -> run(parts[1].split(" ", -1)));
            } else {
                run(line.split(" ", -1));
            }
        }
    }

    private static ExecutorService worker(String name) {
        return WORKERS.computeIfAbsent(
                name,
                missing -> Executors.newSingleThreadExecutor(task -> {
                    Thread thread = new Thread(task, name);
                    thread.setDaemon(true);
                    THREADS.put(name, thread);
                    return thread;
                }));
    }

    private static void run(String[] command) {
        try {
            Child.say(
                    switch (command[0]) {
                        case "open" -> open(command[1]);
                        case "close" -> close();
                        case "acquire" ->
                            acquired(command, Holdable.valueOf(command[1]).acquire(cache(), command[2]));
                        case "try" -> tried(command, Duration.ofMillis(Long.parseLong(command[3])));
                        case "release" -> release(command);
                        case "release-of-others" -> releaseOfOthers(command);
                        case "raise" -> raise(command);
                        case "lift" -> lift(command);
                        case "pass" -> pass(command);
                        case "queue" -> queue(command[1]);
                        case "semaphore" -> semaphore(command[1], Integer.parseInt(command[2]));
                        case "waiting" -> waiting(command[1]);
                        case "stamp" -> stamp(Path.of(command[1]));
                        case "interrupt" -> interrupt(command[1]);
                        default -> "UNKNOWN " + command[0];
                    });
        } catch (InterruptedException e) {
            Child.say("INTERRUPTED " + command[0]);
        } catch (Throwable t) {
            Child.say("FAILED " + t);
        }
    }

    private static Cache cache() {
        return Objects.requireNonNull(cache, "nothing is open");
    }

    private static String open(String directory) {
        cache = Cache.open(Path.of(directory));
        return "OPENED";
    }

    private static String close() {
        cache().close();
        HELD.clear();
        return "CLOSED";
    }

    private static Deque<Held> held(String[] command) {
        return HELD.computeIfAbsent(command[1] + " " + command[2], missing -> new ArrayDeque<>());
    }

    private static String acquired(String[] command, Held held) {
        long now = System.nanoTime();
        held(command).push(held);
        return "ACQUIRED " + now + " " + held.token();
    }

    private static String tried(String[] command, Duration patience) throws Exception {
        Held held = Holdable.valueOf(command[1]).tryAcquire(cache(), command[2], patience);
        return held == null ? "REFUSED" : acquired(command, held);
    }

    private static String release(String[] command) {
        held(command).pop().giveBack();
        return "RELEASED " + System.nanoTime();
    }

    private static String releaseOfOthers(String[] command) {
        Holdable.valueOf(command[1]).giveBackOfOthers(cache(), command[2]);
        return "RELEASED " + System.nanoTime();
    }

    private static String raise(String[] command) throws Exception {
        RAISED.put(command[1] + " " + command[2], Obstacle.valueOf(command[1]).raise(cache(), command[2]));
        return "RAISED";
    }

    private static String lift(String[] command) throws Exception {
        Objects.requireNonNull(RAISED.remove(command[1] + " " + command[2])).lift();
        return "LIFTED " + System.nanoTime();
    }

    /** Waits until nothing is in the way any more, and tells when and how that ended. */
    private static String pass(String[] command) {
        AtomicLong instant = new AtomicLong();
        Runnable free = () -> instant.compareAndSet(0, System.nanoTime());
        Object end;
        try {
            end = Obstacle.valueOf(command[1]).await(cache(), command[2], null, free);
        } catch (Exception e) {
            end = e.getClass().getName();
        }
        free.run();
        return "PASSED " + instant + " " + end;
    }

    private static String queue(String name) {
        new WorkQueue<>(cache(), name, String.class).put("x");
        return "MADE";
    }

    private static String semaphore(String name, int permits) {
        return "MADE " + new BoundedSemaphore(cache(), name, permits).permits();
    }

    private static String waiting(String thread) {
        CacheFixture.awaitWaiting(Objects.requireNonNull(THREADS.get(thread)));
        return "WAITING";
    }

    private static String interrupt(String thread) {
        Objects.requireNonNull(THREADS.get(thread)).interrupt();
        return "SENT";
    }

    /** Writes the time into a file as long as it runs; what it wrote last stays there, however it ends. */
    private static String stamp(Path file) throws IOException {
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            LongBuffer stamps = channel.map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES)
                    .order(ByteOrder.nativeOrder())
                    .asLongBuffer();
            stamps.put(0, System.nanoTime());
            Thread thread = new Thread(() -> {
                while (true) {
                    stamps.put(0, System.nanoTime());
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        return "STAMPING";
    }
}
