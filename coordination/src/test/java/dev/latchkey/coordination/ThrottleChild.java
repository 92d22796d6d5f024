package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.ThrottleState.Slot;
import dev.latchkey.testing.Child;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A process that uses the throttle {@code t} of a directory: {@code DIRECTORY COUNT PERIOD_MILLIS BURST}. Then it does what it is told,
 * line by line; instants are {@code System.nanoTime}, which is the host clock and one clock for all processes.
 */
final class ThrottleChild {
    private ThrottleChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        try (Cache cache = Cache.open(Path.of(arguments[0]))) {
            warmUp(cache);
            Throttle throttle = Throttle.builder(
                            cache, "t", Long.parseLong(arguments[1]), Duration.ofMillis(Long.parseLong(arguments[2])))
                    .burst(Long.parseLong(arguments[3]))
                    .build();
            Child.say("OPEN");
            while (true) {
                String[] command = Child.hear().split(" ");
                switch (command[0]) {
                    case "use" -> {
                        use(throttle, Integer.parseInt(command[1]), Long.parseLong(command[2]), Path.of(command[3]));
                        Child.say("USED");
                    }
                    case "wait" -> start(throttle, Integer.parseInt(command[1]));
                    case "reserve" ->
                        Child.say("RESERVED " + throttle.reserve(1).slotNanos());
                    case "try" -> Child.say("TRIED " + throttle.tryAcquire());
                    default -> throw new IllegalArgumentException(command[0]);
                }
            }
        }
    }

    /** What is measured is a throttle, not the loading of classes. */
    private static void warmUp(Cache cache) throws Exception {
        Throttle other = Throttle.builder(cache, "warm-up", 1_000, Duration.ofSeconds(1))
                .burst(1)
                .build();
        Path file = Files.createTempFile("latchkey-warm-up", ".txt");
        use(other, 2, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(300), file);
        Files.delete(file);
    }

    /** Uses it with some threads until an instant, and writes each slot to a file. */
    private static void use(Throttle throttle, int number, long end, Path file) throws Exception {
        List<Thread> threads = new ArrayList<>();
        try (FileChannel slots = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            for (int i = 0; i < number; i++) {
                Thread thread = new Thread(() -> use(throttle, end, slots), "uses-" + i);
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    private static void use(Throttle throttle, long end, FileChannel slots) {
        try {
            while (System.nanoTime() < end) {
                Slot slot = throttle.slot(1);
                long returned = System.nanoTime();
                if (returned < slot.nanos()) {
                    throw new AssertionError("returned at " + returned + ", before " + slot);
                }
                slots.write(ByteBuffer.wrap((slot.nanos() + " " + returned + "\n").getBytes(StandardCharsets.UTF_8)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException | AssertionError e) {
            Child.say("FAILED " + e);
        }
    }

    /** Waits for one slot with each of some threads. */
    private static void start(Throttle throttle, int number) {
        for (int i = 0; i < number; i++) {
            Thread thread = new Thread(
                    () -> {
                        try {
                            Child.say("GOT " + throttle.slot(1).nanos());
                        } catch (InterruptedException e) {
                            Child.say("FAILED " + e);
                        }
                    },
                    "waits");
            thread.setDaemon(true);
            thread.start();
        }
        Child.say("WAITING");
    }
}
