package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.FanoutCache;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Coordination of several processes over one cache in shards: all of it is in the first shard. */
class FanoutProcessTest extends ProcessFixture {
    private static final List<Long> ONE_OF_EACH = LongStream.range(0, 8).boxed().toList();

    /** Holds a lock, a permit and an item, and writes with the lock's token in all shards, until it is killed. */
    static final class Holder {
        public static void main(String[] args) throws Exception {
            Child.start();
            try (FanoutCache cache = FanoutCache.open(Path.of(args[0]))) {
                Lock lock = new Lock(cache, "lock");
                LockHandle handle = lock.acquire();
                new BoundedSemaphore(cache, "permits", 1).acquire();
                String item = new WorkQueue<>(cache, "work", String.class)
                        .claim(SOON)
                        .orElseThrow()
                        .value();
                Child.say("HELD " + item);
                for (int i = 1; ; i++) {
                    int n = i;
                    handle.runFenced(() -> {
                        ONE_OF_EACH.forEach(key -> cache.set(key, n));
                        return n;
                    });
                    Child.say("WROTE " + n);
                }
            }
        }
    }

    @Test
    void whatAProcessHeldThatIsKilledIsFreeAtOnceAndNothingIsLockedForEver() throws Exception {
        try (FanoutCache cache = FanoutCache.open(cachePath())) {
            WorkQueue<String> work = new WorkQueue<>(cache, "work", String.class);
            BoundedSemaphore permits = new BoundedSemaphore(cache, "permits", 1);
            Lock lock = new Lock(cache, "lock");
            for (int round = 0; round < 3; round++) {
                work.put("item" + round);
                JavaProcess holder =
                        processes.start(JavaCommand.of(Holder.class, cachePath().toString()));
                holder.await("WROTE", SOON);
                assertFalse(lock.tryLock());
                assertFalse(permits.tryAcquire());
                assertEquals(1, work.inFlight());
                long gone = kill(holder).gone();
                assertTrue(lock.tryLock(SOON));
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - gone);
                assertTrue(millis < 5000, "free after " + millis + " ms");
                lock.unlock();
                assertTrue(permits.tryAcquire(SOON));
                permits.release();
                Claim<String> claim = work.claim(SOON).orElseThrow();
                assertEquals("item" + round, claim.value());
                assertEquals(2, claim.attempt());
                claim.ack();
            }
        }
    }

    /** Waits for a lock that the parent holds. */
    static final class Waiter {
        public static void main(String[] args) throws Exception {
            Child.start();
            try (FanoutCache cache = FanoutCache.open(Path.of(args[0]))) {
                Child.say("OPEN");
                Child.hear();
                Lock lock = new Lock(cache, "lock");
                lock.lock();
                Child.say("GOT " + cache.get("written under the lock"));
                lock.unlock();
            }
            Child.say("CLOSED");
        }
    }

    @Test
    void aLockIsHandedOverToAnotherProcessWithAllThatWasWrittenUnderIt() throws Exception {
        JavaProcess waiter = opened(JavaCommand.of(Waiter.class, cachePath().toString()));
        try (FanoutCache cache = FanoutCache.open(cachePath())) {
            Lock lock = new Lock(cache, "lock");
            try (LockHandle handle = lock.acquire()) {
                waiter.send("go");
                CacheFixture.awaitLine(cache, Kind.LOCK, "lock", 1);
                handle.runFenced(() -> {
                    cache.set("written under the lock", "yes");
                    ONE_OF_EACH.forEach(key -> cache.set(key, "yes"));
                });
            }
            waiter.await("GOT yes", SOON);
            waiter.await("CLOSED", SOON);
            CacheFixture.awaitNoResidue(cache, Kind.LOCK, "lock");
            assertEquals(1, Inspector.of(cache).sessions().size());
        }
        for (int shard = 0; shard < 8; shard++) {
            try (Cache one = Cache.open(cachePath().resolve("00" + shard))) {
                assertEquals(List.of(), Inspector.of(one).sessions(), "shard " + shard);
            }
        }
    }

    @Test
    void whatJoinsATransactionIsUndoneWithAllShards() throws Exception {
        try (FanoutCache cache = FanoutCache.open(cachePath())) {
            WorkQueue<String> work = new WorkQueue<>(cache, "work", String.class);
            CountDownLatch latch = new CountDownLatch(cache, "latch", 2);
            Runnable body = () -> {
                ONE_OF_EACH.forEach(key -> cache.set(key, "undone"));
                work.put("undone");
                latch.countDown();
                throw new IllegalStateException("no");
            };
            assertThrows(IllegalStateException.class, () -> cache.transact(body));
            assertEquals(0, work.size());
            assertEquals(2, latch.getCount());
            assertEquals(0, cache.size());
            cache.transact(() -> {
                ONE_OF_EACH.forEach(key -> cache.set(key, "done"));
                work.put("done");
                latch.countDown();
                assertThrows(IllegalStateException.class, () -> new Lock(cache, "lock").tryLock());
            });
            assertEquals("done", work.claim(Duration.ZERO).orElseThrow().value());
            assertEquals(1, latch.getCount());
            assertEquals(8, cache.size());
        }
    }
}
