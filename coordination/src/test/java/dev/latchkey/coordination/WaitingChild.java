package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Child;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A process of which many threads wait for one thing: {@code DIRECTORY WHAT THREADS}. */
final class WaitingChild {
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
                case LOCK -> new Lock(cache, "a").lock();
                case RLOCK -> new RLock(cache, "r").lock();
                case READ -> new ReadWriteLock(cache, "w").readLock().lock();
                case WRITE -> new ReadWriteLock(cache, "w").writeLock().lock();
                case MULTILOCK -> new MultiLock(cache, List.of("a", "b")).lock();
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
                Child.say("GOT a broken barrier");
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
        What what = What.valueOf(arguments[1].toUpperCase(Locale.ROOT));
        int number = Integer.parseInt(arguments[2]);
        List<Object> waiting = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            waiting.add(what == What.ASYNC ? async(cache) : thread(cache, what));
        }
        Child.say("WAITING " + waiting.size());
        Child.hear();
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

    private static CompletableFuture<LockHandle> async(Cache cache) {
        return new Lock(cache, "async").acquireAsync();
    }

    private static Thread thread(Cache cache, What what) {
        Thread thread = new Thread(
                () -> {
                    try {
                        what.await(cache);
                        Child.say("GOT " + what);
                    } catch (InterruptedException e) {
                        Child.say("INTERRUPTED " + what);
                    }
                },
                "waits");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}
