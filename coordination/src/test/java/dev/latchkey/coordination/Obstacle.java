package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * What one puts in the way of others who wait for something that is not held: an item, the leadership, a result, a count, the last
 * party. What is promised of all such waiting is shown with each.
 */
enum Obstacle {
    /** The only item is claimed. */
    CLAIM,
    /** Somebody leads. */
    LEADERSHIP,
    /** The result is being computed. */
    COMPUTATION,
    /** The count is 1. */
    COUNT,
    /** Of three parties one has come. */
    PARTIES;

    /** How to go out of the way. */
    interface Raised {
        void lift() throws Exception;
    }

    /** Whether the death of the process goes out of the way as well. */
    boolean diesWithItsProcess() {
        return this != COUNT;
    }

    /** Whether whoever waits may be given a limit. */
    boolean hasLimit() {
        return this != LEADERSHIP;
    }

    /** How the wait ends when whoever is in the way dies, if not as if it had been lifted. */
    @Nullable
    Class<? extends Exception> endAfterDeath() {
        return this == PARTIES ? BrokenBarrierException.class : null;
    }

    /** What an interrupt of the wait is. */
    Class<? extends Exception> interruption() {
        return this == COMPUTATION ? CacheException.class : InterruptedException.class;
    }

    Raised raise(Cache cache, String name) throws Exception {
        switch (this) {
            case CLAIM -> {
                queue(cache, name).put("item");
                Claim<String> claim =
                        queue(cache, name).claim(Duration.ofSeconds(20)).orElseThrow();
                return claim::nack;
            }
            case LEADERSHIP -> {
                LeaderElection election = new LeaderElection(cache, name);
                CompletableFuture<Boolean> end = new CompletableFuture<>();
                return standing(election::isLeading, end, () -> election.lead(() -> end.get()));
            }
            case COMPUTATION -> {
                CompletableFuture<Boolean> computing = new CompletableFuture<>();
                CompletableFuture<Boolean> end = new CompletableFuture<>();
                MemoizeStampede memoized = memoized(cache, name, null);
                memoized.invalidate();
                return standing(computing::isDone, end, () -> memoized.wrapCallable(Boolean.class, () -> {
                            computing.complete(true);
                            return end.get();
                        })
                        .get());
            }
            case COUNT -> {
                CountDownLatch latch = new CountDownLatch(cache, name, 1);
                latch.trySetCount(1);
                return latch::countDown;
            }
            case PARTIES -> {
                CyclicBarrier barrier = barrier(cache, name);
                Running party = Running.start(() -> barrier.await());
                awaitUntil(() -> barrier.getNumberWaiting() == 1);
                return () -> {
                    barrier.await();
                    party.outcome();
                };
            }
        }
        throw new AssertionError(this);
    }

    /** Does something on another thread until it is told to end. */
    private static Raised standing(Callable<Boolean> begun, CompletableFuture<Boolean> end, Callable<?> call) {
        Running running = Running.start(call);
        awaitUntil(() -> begun.call() || running.isOver());
        return () -> {
            end.complete(true);
            if (running.outcome() instanceof Throwable t) {
                throw new AssertionError(t);
            }
        };
    }

    /** Waits until nothing is in the way; false if the limit was over before. */
    boolean await(Cache cache, String name, @Nullable Duration limit) throws Exception {
        return await(cache, name, limit, () -> {});
    }

    /** Also tells as soon as nothing is in the way, if something is left to do then: to compute and to store the result. */
    boolean await(Cache cache, String name, @Nullable Duration limit, Runnable free) throws Exception {
        return switch (this) {
            case CLAIM -> {
                var claim = queue(cache, name).claim(limit == null ? Duration.ofDays(1) : limit);
                claim.ifPresent(Claim::ack);
                yield claim.isPresent();
            }
            case LEADERSHIP -> Objects.requireNonNull(new LeaderElection(cache, name).lead(() -> true));
            case COMPUTATION -> {
                Boolean shared = memoized(cache, name, limit)
                        .wrapCallable(Boolean.class, () -> {
                            free.run();
                            return limit == null;
                        })
                        .get();
                yield Objects.requireNonNull(shared);
            }
            case COUNT -> {
                CountDownLatch latch = new CountDownLatch(cache, name, 1);
                if (limit == null) {
                    latch.await();
                    yield true;
                }
                yield latch.await(limit);
            }
            case PARTIES -> {
                try {
                    if (limit == null) {
                        barrier(cache, name).await();
                    } else {
                        barrier(cache, name).await(limit);
                    }
                    yield true;
                } catch (TimeoutException e) {
                    yield false;
                }
            }
        };
    }

    /** Uses a name for it, without waiting. */
    void touch(Cache cache, String name) throws Exception {
        switch (this) {
            case CLAIM -> queue(cache, name).put("item");
            case LEADERSHIP -> new LeaderElection(cache, name).lead(() -> {});
            case COMPUTATION -> throw new IllegalStateException("keys of functions are no names");
            case COUNT -> new CountDownLatch(cache, name, 1).countDown();
            case PARTIES -> barrier(cache, name).reset();
        }
    }

    /** Whether nobody waits or is in the way, and the next time is as the first. */
    boolean isOver(Cache cache, String name) {
        return switch (this) {
            case CLAIM -> queue(cache, name).size() == 0 && queue(cache, name).inFlight() == 0;
            case LEADERSHIP -> new LeaderElection(cache, name).leader().isEmpty();
            case COMPUTATION ->
                cache.unwrap(CoordinationEngine.class)
                        .states()
                        .list("flight", Deadline.never())
                        .isEmpty();
            case COUNT -> true;
            case PARTIES -> barrier(cache, name).getNumberWaiting() == 0;
        };
    }

    private static WorkQueue<String> queue(Cache cache, String name) {
        return new WorkQueue<>(cache, name, String.class);
    }

    private static MemoizeStampede memoized(Cache cache, String name, @Nullable Duration limit) {
        MemoizeStampede.Builder builder = MemoizeStampede.builder(cache, name).expireAfter(Duration.ofDays(1));
        return (limit == null ? builder : builder.waitAtMost(limit)).build();
    }

    private static CyclicBarrier barrier(Cache cache, String name) {
        return new CyclicBarrier(cache, name, 3);
    }

    private static void awaitUntil(Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(CacheFixture.SOON)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .until(condition);
    }
}
