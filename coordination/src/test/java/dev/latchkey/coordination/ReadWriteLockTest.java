package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the two sides of a read-write lock have to do with each other. */
class ReadWriteLockTest extends CacheFixture {
    private ReadWriteLock.ReadLock read;
    private ReadWriteLock.WriteLock write;

    @BeforeEach
    void open() {
        ReadWriteLock lock = new ReadWriteLock(cache, "a");
        read = lock.readLock();
        write = lock.writeLock();
    }

    @Test
    void readersReadTogether() throws Exception {
        CyclicBarrier together = new CyclicBarrier(4);
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(threads.submit(() -> {
                read.lock();
                try {
                    return together.await(20, TimeUnit.SECONDS);
                } finally {
                    read.unlock();
                }
            }));
        }
        for (Future<?> one : all) {
            one.get(20, TimeUnit.SECONDS);
        }
    }

    private record Attempt(boolean granted, long nanos) {}

    /** Each had a turn in the queue of the process, and whoever came meanwhile was refused. */
    @Test
    void readersThatTryAtTheSameTimeDoNotRefuseEachOther() throws Exception {
        int together = 0;
        for (int round = 0; round < 50 || together < 30; round++) {
            assertTrue(round < 500, "all of them were granted only " + together + " times");
            CyclicBarrier gun = new CyclicBarrier(4);
            List<Future<Attempt>> all = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                all.add(threads.submit(() -> {
                    gun.await(20, TimeUnit.SECONDS);
                    long start = System.nanoTime();
                    boolean reading = read.tryLock();
                    long took = System.nanoTime() - start;
                    if (reading) {
                        read.unlock();
                    }
                    return new Attempt(reading, took);
                }));
            }
            boolean allRead = true;
            for (Future<Attempt> one : all) {
                Attempt attempt = one.get(20, TimeUnit.SECONDS);
                // an attempt is over after 10 ms, also if the machine had no time for it
                assertTrue(
                        attempt.granted || attempt.nanos >= TimeUnit.MILLISECONDS.toNanos(10),
                        "round " + round + ": " + attempt);
                allRead &= attempt.granted;
            }
            together += allRead ? 1 : 0;
        }
    }

    @Test
    void aWriterIsAlone() throws Exception {
        AtomicInteger writers = new AtomicInteger();
        AtomicInteger readers = new AtomicInteger();
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            boolean writes = i % 3 == 0;
            all.add(threads.submit(() -> {
                for (int round = 0; round < 100; round++) {
                    FencedLock lock = writes ? write : read;
                    lock.lock();
                    AtomicInteger mine = writes ? writers : readers;
                    mine.incrementAndGet();
                    int others = writes ? writers.get() - 1 + readers.get() : writers.get();
                    mine.decrementAndGet();
                    lock.unlock();
                    assertEquals(0, others);
                }
            }));
        }
        for (Future<?> one : all) {
            one.get(50, TimeUnit.SECONDS);
        }
        assertFalse(read.isLocked() || write.isLocked());
    }

    @Test
    void aWriterThatWaitsKeepsLaterReadersOutSoThatItIsNotStarved() throws Exception {
        read.lock();
        Future<Boolean> writer = threads.submit(() -> {
            boolean writing = write.tryLock(SOON);
            write.unlock();
            return writing;
        });
        await().atMost(SOON).until(() -> write.waiters() == 1);
        assertFalse(elsewhere(() -> read.tryLock()), "behind the writer");
        assertFalse(elsewhere(() -> read.tryLock(Duration.ofMillis(100))));
        read.lock();
        assertEquals(2, read.getHoldCount(), "whoever reads already may go on");
        read.unlock();
        read.unlock();
        assertTrue(writer.get(20, TimeUnit.SECONDS));
        assertTrue(read.tryLock(SOON));
    }

    @Test
    void whoeverWritesMayReadAndKeepReading() throws Exception {
        write.lock();
        read.lock();
        assertEquals(1, read.getHoldCount());
        assertTrue(read.tryLock());
        assertEquals(2, read.getHoldCount());
        assertFalse(elsewhere(() -> read.tryLock()));
        write.unlock();
        assertFalse(write.isHeldByCurrentThread());
        assertTrue(elsewhere(() -> {
            boolean reading = read.tryLock();
            read.unlock();
            return reading;
        }));
        assertFalse(elsewhere(() -> write.tryLock()));
        read.unlock();
        read.unlock();
        assertTrue(elsewhere(() -> write.tryLock()));
    }

    @Test
    void whoeverReadsCannotWriteAndIsToldAtOnce() throws Exception {
        read.lock();
        assertThrows(IllegalMonitorStateException.class, write::lock);
        assertThrows(IllegalMonitorStateException.class, write::lockInterruptibly);
        assertThrows(IllegalMonitorStateException.class, write::acquire);
        assertFalse(write.tryLock());
        assertFalse(write.tryLock(Duration.ofSeconds(1)));
        assertFalse(write.tryLock(Long.MAX_VALUE, TimeUnit.DAYS));
        assertEquals(Optional.empty(), write.tryAcquire(Duration.ofSeconds(1)));
        read.unlock();
        assertTrue(write.tryLock());
    }

    @Test
    void readingWhileOneWritesIsRefusedInATransactionAndWritingAgainJoinsIt() {
        write.lock();
        cache.transact((Runnable) () -> {
            write.lock();
            assertThrows(IllegalStateException.class, read::lock);
        });
        assertEquals(2, write.getHoldCount());
    }

    /** A timed call answers in time, whatever it needs the database for. */
    @Test
    void aBusyDatabaseDelaysADowngradeOnlyUntilItsDeadline() throws Exception {
        write.lock();
        try (BusyDatabase busy = new BusyDatabase()) {
            long start = System.nanoTime();
            assertFalse(read.tryLock());
            assertFalse(read.tryLock(Duration.ofMillis(200)));
            long tookMillis = (System.nanoTime() - start) / 1_000_000;
            assertTrue(tookMillis >= 200, "took " + tookMillis + " ms");
            assertFalse(busy.isOver(), "waited for its end");
        }
        assertTrue(read.tryLock(SOON));
    }

    @Test
    void oneReaderIsForcedOpenWithoutTheOthers() throws Exception {
        LockHandle first = read.acquire();
        LockHandle second = read.acquire();
        assertTrue(read.forceUnlock(first.fencingToken()));
        assertThrows(LockLostException.class, first::verify);
        second.verify();
        assertFalse(write.tryLock());
        second.close();
        assertTrue(write.tryLock(SOON));
    }
}
