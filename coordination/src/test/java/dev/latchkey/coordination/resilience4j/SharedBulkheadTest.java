package dev.latchkey.coordination.resilience4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.coordination.BoundedSemaphore;
import dev.latchkey.coordination.CacheFixture;
import dev.latchkey.coordination.Inspector;
import io.github.resilience4j.bulkhead.Bulkhead;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What only shared bulkheads do. */
final class SharedBulkheadTest extends CacheFixture {
    private SharedBulkhead bulkhead(int calls) {
        return SharedBulkhead.of(cache, "backend", BulkheadContract.config(calls, Duration.ZERO));
    }

    @Test
    void allObjectsOfANameAreOne() {
        Bulkhead first = bulkhead(2);
        Bulkhead second = bulkhead(2);
        assertTrue(first.tryAcquirePermission());
        assertTrue(second.tryAcquirePermission());
        assertFalse(first.tryAcquirePermission());
        second.onComplete();
        second.onComplete();
        assertEquals(2, first.getMetrics().getAvailableConcurrentCalls());
    }

    @Test
    void aChangedMaximumCountsForAllObjectsAndStaysUntilTheConfigurationIsAnother() {
        Bulkhead first = bulkhead(2);
        first.changeConfig(BulkheadContract.config(5, Duration.ZERO));
        Bulkhead second = bulkhead(2);
        assertEquals(5, second.getBulkheadConfig().getMaxConcurrentCalls());
        assertEquals(5, second.getMetrics().getAvailableConcurrentCalls());
        Bulkhead third = bulkhead(3);
        assertEquals(3, first.getMetrics().getAvailableConcurrentCalls());
        assertEquals(3, second.getMetrics().getMaxAllowedConcurrentCalls());
        assertEquals(0, bulkhead(0).getMetrics().getAvailableConcurrentCalls());
        assertFalse(third.tryAcquirePermission());
    }

    @Test
    void aLowerMaximumTakesEffectAsCallsEnd() {
        Bulkhead bulkhead = bulkhead(3);
        for (int i = 0; i < 3; i++) {
            assertTrue(bulkhead.tryAcquirePermission());
        }
        bulkhead.changeConfig(BulkheadContract.config(1, Duration.ZERO));
        assertEquals(0, bulkhead.getMetrics().getAvailableConcurrentCalls());
        bulkhead.onComplete();
        bulkhead.onComplete();
        assertFalse(bulkhead.tryAcquirePermission());
        bulkhead.onComplete();
        assertTrue(bulkhead.tryAcquirePermission());
    }

    @Test
    void whatIsNotHeldCannotBeGivenBack() {
        Bulkhead bulkhead = bulkhead(1);
        assertThrows(IllegalMonitorStateException.class, bulkhead::onComplete);
        assertEquals(1, bulkhead.getMetrics().getAvailableConcurrentCalls());
    }

    @Test
    void aCallWhosePermissionWasForcedFreeEndsAsItEnds() {
        Bulkhead bulkhead = bulkhead(1);
        assertEquals("done", bulkhead.executeSupplier(() -> {
            String row = RowName.BULKHEAD.of("backend");
            long token = new BoundedSemaphore(cache, row, 1).holders().get(0).token();
            assertTrue(Inspector.of(cache).forceRelease(row, token));
            return "done";
        }));
        assertEquals(1, bulkhead.getMetrics().getAvailableConcurrentCalls());
    }

    @Test
    void aCallThatOutlivesTheCacheEndsAsItEnds() {
        Bulkhead bulkhead = bulkhead(1);
        assertEquals("done", bulkhead.executeSupplier(() -> {
            cache.close();
            return "done";
        }));
        assertThrows(CacheClosedException.class, bulkhead::acquirePermission);
    }

    @Test
    void nothingIsAcquiredInATransaction() {
        Bulkhead bulkhead = bulkhead(1);
        assertThrows(IllegalStateException.class, () -> cache.transact(() -> bulkhead.tryAcquirePermission()));
        assertTrue(bulkhead.tryAcquirePermission());
    }
}
