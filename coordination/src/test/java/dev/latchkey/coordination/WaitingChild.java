package dev.latchkey.coordination;

import com.google.common.util.concurrent.Uninterruptibles;
import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Child;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A process of which many threads wait for one thing, started with {@code DIRECTORY}. It is told {@code WAIT WHAT THREADS},
 * {@code ABOUT-TO-LEAVE} and {@code LEAVE}, and so on with the next thing; or {@code TICK}, to have a thread that reads a key a hundred times a second.
 */
final class WaitingChild {
    static final String KEY = "key";
    static final String VALUE = "value";
    private static final int TICK_MILLIS = 10;

    private static volatile boolean leaving;

    private WaitingChild() {}

    /** What can be waited for without end. */
    enum What {
        LOCK,
        RLOCK,
        READ,
        WRITE,
        MULTILOCK,
        SEMAPHORE,
        CONDITION,
        THROTTLE,
        /** An item of a queue of which nobody has claimed one. */
        IDLE_QUEUE,
        /** An item of a queue of which another process has claimed one, and may die. */
        QUEUE,
        LATCH,
        BARRIER,
        /** Nobody waits, a future does. */
        ASYNC;

        void await(Cache cache) throws InterruptedException {
            switch (this) {
                case LOCK -> new Lock(cache, "a").lockInterruptibly();
                case RLOCK -> new RLock(cache, "r").lockInterruptibly();
                case READ -> new ReadWriteLock(cache, "w").readLock().lockInterruptibly();
                case WRITE -> new ReadWriteLock(cache, "w").writeLock().lockInterruptibly();
                case MULTILOCK -> new MultiLock(cache, List.of("a", "b")).lockInterruptibly();
                case SEMAPHORE -> new BoundedSemaphore(cache, "s", 2).acquire(2);
                case CONDITION -> awaitCondition(new Lock(cache, "c"));
                case THROTTLE -> new Throttle(cache, "t", 1, Duration.ofHours(1)).acquire();
                case IDLE_QUEUE -> claim(new WorkQueue<>(cache, "idle", String.class));
                case QUEUE -> claim(new WorkQueue<>(cache, "busy", String.class));
                case LATCH -> new CountDownLatch(cache, "latch", 1).await();
                case BARRIER -> awaitBarrier(new CyclicBarrier(cache, "barrier", 1_000));
                case ASYNC -> throw new AssertionError("no thread waits");
            }
        }

        private static void claim(WorkQueue<String> queue) throws InterruptedException {
            if (queue.claim(Duration.ofDays(1)).isEmpty()) {
                throw new AssertionError("gave up");
            }
        }

        private static void awaitBarrier(CyclicBarrier barrier) throws InterruptedException {
            try {
                barrier.await();
            } catch (BrokenBarrierException e) {
                if (!leaving) {
                    Child.say("GOT a broken barrier");
                }
            }
        }

        private static void awaitCondition(Lock lock) throws InterruptedException {
            java.util.concurrent.locks.Condition condition = lock.newCondition();
            lock.lock();
            try {
                while (true) {
                    condition.await();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Child.start();
        Cache cache = Cache.open(Path.of(arguments[0]));
        warmUp(cache);
        Child.say("OPEN");
        List<Runnable> waiting = new ArrayList<>();
        while (true) {
            String[] words = Child.hear().split(" ", -1);
            switch (words[0]) {
                case "WAIT" -> {
                    What what = What.valueOf(words[1]);
                    leaving = false;
                    for (int i = 0; i < Integer.parseInt(words[2]); i++) {
                        waiting.add(what == What.ASYNC ? async(cache) : thread(cache, what));
                    }
                    Child.say("WAITING " + what);
                }
                case "ABOUT-TO-LEAVE" -> {
                    leaving = true;
                    Child.say("LEAVING " + words[1]);
                }
                case "LEAVE" -> {
                    waiting.forEach(Runnable::run);
                    waiting.clear();
                    Child.say("LEFT " + words[1]);
                }
                case "TICK" -> {
                    daemon(() -> tick(cache));
                    Child.say("TICKS");
                }
                default -> throw new IllegalArgumentException(words[0]);
            }
        }
    }

    private static void tick(Cache cache) {
        try {
            while (true) {
                Thread.sleep(TICK_MILLIS);
                if (!VALUE.equals(cache.get(KEY, String.class))) {
                    throw new AssertionError("it was stored before");
                }
            }
        } catch (InterruptedException e) {
            Child.say("INTERRUPTED");
        }
    }

    /** What is measured is waiting, not compiling. */
    @SuppressWarnings("LockNotBeforeTry") // there is nothing to be done under it
    private static void warmUp(Cache cache) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1_500);
        Lock lock = new Lock(cache, "warm-up");
        WorkQueue<String> queue = new WorkQueue<>(cache, "warm-up queue", String.class);
        while (System.nanoTime() < end) {
            lock.lock();
            lock.unlock();
            if (queue.claim(Duration.ZERO).isPresent()) {
                throw new AssertionError("nothing was put");
            }
        }
    }

    /** Waits, and answers how to leave. */
    private static Runnable async(Cache cache) {
        CompletableFuture<LockHandle> future = new Lock(cache, "async").acquireAsync();
        return () -> {
            if (!future.cancel(true)) {
                throw new AssertionError("not to be had");
            }
        };
    }

    private static Runnable thread(Cache cache, What what) {
        Thread thread = daemon(() -> {
            try {
                what.await(cache);
                if (!leaving) { // one that leaves may end the wait of another
                    Child.say("GOT " + what);
                }
            } catch (InterruptedException e) {
                if (!leaving) {
                    Child.say("INTERRUPTED " + what);
                }
            }
        });
        return () -> {
            thread.interrupt();
            Uninterruptibles.joinUninterruptibly(thread, Duration.ofSeconds(10));
            if (thread.isAlive()) {
                throw new AssertionError(thread + " does not leave");
            }
        };
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "waits");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}
