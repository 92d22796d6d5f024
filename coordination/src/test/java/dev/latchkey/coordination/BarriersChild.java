package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.testing.Child;
import java.io.File;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * A process that meets others at barriers and latches and stands for election, as it is told line by line. {@code @w} in front of a
 * command has the thread of that name do it.
 */
final class BarriersChild {
    private static final ExecutorService WORKER = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "w");
        thread.setDaemon(true);
        return thread;
    });

    private BarriersChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        Path directory = Path.of(arguments[0]);
        Cache cache = Cache.open(directory);
        Child.say("OPEN");
        while (true) {
            String line = Child.hear();
            if (line.startsWith("@w ")) {
                Future<?> unused =
                        WORKER.submit(() -> run(cache, line.substring(3).split(" ", -1)));
            } else {
                run(cache, line.split(" ", -1));
            }
        }
    }

    private static void run(Cache cache, String[] command) {
        try {
            Child.say(
                    switch (command[0]) {
                        case "await" -> await(barrier(cache, command), Long.parseLong(command[2]));
                        case "act" -> act(cache, Integer.parseInt(command[1]));
                        case "generations" ->
                            generations(cache, Integer.parseInt(command[1]), Integer.parseInt(command[2]));
                        case "count" ->
                            "COUNTED "
                                    + new CountDownLatch(cache, "l", Integer.parseInt(command[1]))
                                            .countDown(command[2]);
                        case "latch" -> latch(new CountDownLatch(cache, "l", Integer.parseInt(command[1])));
                        case "lead" -> lead(cache, Path.of(command[1]));
                        case "led" -> "LED " + new LeaderElection(cache, command[1]).lead(() -> true);
                        case "cycles" -> cycles(cache, Integer.parseInt(command[1]));
                        case "residue" -> residue();
                        case "close" -> close(cache);
                        default -> "UNKNOWN " + command[0];
                    });
        } catch (BrokenBarrierException e) {
            Child.say("BROKEN " + System.nanoTime());
        } catch (TimeoutException e) {
            Child.say("TIMEOUT " + System.nanoTime());
        } catch (Throwable t) {
            Child.say("FAILED " + command[0] + " " + t);
        }
    }

    private static CyclicBarrier barrier(Cache cache, String[] command) {
        return new CyclicBarrier(cache, "b", Integer.parseInt(command[1]));
    }

    private static String await(CyclicBarrier barrier, long seconds)
            throws InterruptedException, BrokenBarrierException, TimeoutException {
        int index = barrier.await(Duration.ofSeconds(seconds));
        return "PASSED " + System.nanoTime() + " " + index;
    }

    /** Comes with an action that does not end. */
    private static String act(Cache cache, int parties) throws InterruptedException, BrokenBarrierException {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", parties, () -> {
            cache.incr("acted");
            Child.say("ACTING");
            while (true) {
                LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(60));
            }
        });
        return "PASSED " + System.nanoTime() + " " + barrier.await();
    }

    /** Nobody can have passed the next generation while this one is here: so many actions have been run, and no more. */
    private static String generations(Cache cache, int number, int parties)
            throws InterruptedException, BrokenBarrierException {
        CyclicBarrier barrier = new CyclicBarrier(cache, "b", parties, () -> cache.incr("acted"));
        for (long generation = 1; generation <= number; generation++) {
            barrier.await();
            long acted = cache.getOrDefault("acted", Long.class, 0L);
            if (acted != generation) {
                return "FAILED generation " + generation + ": the action was run " + acted + " times";
            }
        }
        return "THROUGH " + number;
    }

    private static String latch(CountDownLatch latch) throws InterruptedException {
        Child.say("WAITING");
        latch.await();
        return "GONE_ON " + System.nanoTime();
    }

    /** Leads until it is killed, and proves to be alone by a lock of the kernel. */
    private static String lead(Cache cache, Path referee) throws Exception {
        LeaderElection election = new LeaderElection(cache, "e");
        try (FileChannel channel = FileChannel.open(referee, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            return election.lead(() -> {
                long now = System.nanoTime();
                FileLock alone = channel.tryLock();
                Child.say(alone == null ? "TWO" : "LEADING " + now + " " + election.fencingToken());
                Thread.sleep(60_000);
                return "RESIGNED";
            });
        }
    }

    /** Whatever one can do with barriers, latches and elections, on four threads, until it is done or killed. */
    private static String cycles(Cache cache, int rounds) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread = new Thread(() -> {
                for (int round = 0; round < rounds; round++) {
                    cycle(cache, ThreadLocalRandom.current().nextInt(8));
                }
            });
            thread.start();
            threads.add(thread);
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
        Duration patience = Duration.ofMillis(ThreadLocalRandom.current().nextInt(40));
        CountDownLatch latch = new CountDownLatch(cache, "l", 5);
        try {
            switch (what) {
                case 0, 1, 2 -> new CyclicBarrier(cache, "b", 3).await(patience);
                case 3, 4 -> new CyclicBarrier(cache, "b", 3, () -> cache.incr("acted")).await(patience);
                case 5 -> {
                    latch.countDown("t" + ThreadLocalRandom.current().nextInt(20));
                    latch.await(patience);
                }
                case 6 -> {
                    latch.countDown();
                    latch.trySetCount(5);
                }
                default ->
                    new LeaderElection(cache, "e").lead(() -> {
                        TimeUnit.NANOSECONDS.sleep(patience.toNanos() / 8);
                        return "led";
                    });
            }
        } catch (BrokenBarrierException e) {
            new CyclicBarrier(cache, "b", 3).reset();
        } catch (InterruptedException | TimeoutException | CacheException e) {
            // one of the ways for it to end
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
