package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** How a call waits for a database that is busy. */
class BusyTest {
    private final AtomicInteger attempts = new AtomicInteger();

    private Boolean attempt(int busy) {
        if (attempts.getAndIncrement() < busy) {
            throw new Errors.BusyException("busy", new IllegalStateException());
        }
        return true;
    }

    /** Fifty at a millisecond each would keep a processor busy for which the one they wait for may be waiting. */
    @Test
    void whoWaitsLongLooksSeldom() {
        Deadline deadline = Deadline.after(Duration.ofMillis(600));
        assertThrows(
                CacheTimeoutException.class,
                () -> Busy.retry(deadline, () -> "test", () -> attempt(Integer.MAX_VALUE)));
        assertTrue(attempts.get() < 150, attempts + " attempts in 600 ms");
    }

    @Test
    void whoHasWaitedForAMomentLooksOften() {
        long start = System.nanoTime();
        assertTrue(Busy.retry(Deadline.never(), () -> "test", () -> attempt(20)));
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        assertEquals(21, attempts.get());
        assertTrue(millis < 100, millis + " ms for 20 attempts");
    }

    @Test
    void nobodyWaitsLongerThanItIsTold() {
        long start = System.nanoTime();
        AtomicInteger refusals = new AtomicInteger();
        assertTrue(Busy.retry(Deadline.never(), () -> "test", () -> attempt(300), () -> {
            refusals.incrementAndGet();
            return TimeUnit.MICROSECONDS.toNanos(10);
        }));
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        assertEquals(300, refusals.get());
        assertTrue(millis < 1_000, millis + " ms for 300 attempts with 10 us between them");
    }
}
