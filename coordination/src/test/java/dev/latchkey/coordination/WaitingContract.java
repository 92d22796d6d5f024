package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.latchkey.cache.CacheClosedException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is promised of every call that waits for something that cannot be held, whoever is in the way. */
abstract class WaitingContract extends CacheFixture {
    private Opposition opposition;

    abstract Opposition newOpposition();

    @BeforeEach
    void meet() {
        opposition = newOpposition();
    }

    @AfterEach
    void part() {
        opposition.close();
    }

    private Running waiting(Obstacle what) {
        Running waits = Running.start(() -> what.await(cache, "a", null));
        awaitAsleep(waits);
        return waits;
    }

    /** Long enough for one who does not wait to have come through. */
    private static void awaitAsleep(Running waits) {
        await().during(Duration.ofMillis(100))
                .atMost(SOON)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> !waits.isOver());
    }

    private void awaitOver(Obstacle what) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(5)).until(() -> what.isOver(cache, "a"));
    }

    @ParameterizedTest
    @EnumSource
    void whoeverWaitsGoesOnWhenNothingIsInTheWayAnyMore(Obstacle what) throws Exception {
        for (int i = 0; i < 5; i++) {
            opposition.raise(what);
            Running waits = waiting(what);
            opposition.lift(what);
            assertEquals(true, waits.outcome());
            awaitOver(what);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptEndsTheWaitAndLeavesNothing(Obstacle what) throws Exception {
        opposition.raise(what);
        Running waits = waiting(what);
        waits.interrupt();
        assertEquals(what.interruption(), waits.end());
        assertEquals(what.interruption() != InterruptedException.class, waits.wasInterrupted());
        if (what != Obstacle.PARTIES) { // whom it breaks the generation for is shown elsewhere
            Running next = waiting(what);
            opposition.lift(what);
            assertEquals(true, next.outcome());
        }
        awaitOver(what);
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptThatCameBeforeIsTakenFirst(Obstacle what) throws Exception {
        opposition.raise(what);
        Running waits = Running.start(() -> {
            Thread.currentThread().interrupt();
            return what.await(cache, "a", null);
        });
        assertEquals(what.interruption(), waits.end());
    }

    @ParameterizedTest
    @EnumSource
    void aLimitEndsTheWaitAndNoSooner(Obstacle what) throws Exception {
        assumeTrue(what.hasLimit(), "it has no limit");
        opposition.raise(what);
        long start = System.nanoTime();
        assertFalse(what.await(cache, "a", Duration.ofMillis(200)));
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        assertTrue(millis >= 200 && millis < 5_000, millis + " ms");
    }

    @ParameterizedTest
    @EnumSource
    void noTimeAtAllIsOneLook(Obstacle what) throws Exception {
        assumeTrue(what.hasLimit(), "it has no limit");
        for (Duration none : List.of(Duration.ZERO, Duration.ofMillis(-1))) {
            opposition.raise(what);
            assertFalse(what.await(cache, "a", none));
            if (what == Obstacle.PARTIES) {
                new CyclicBarrier(cache, "a", 3).reset(); // a party without time breaks the generation
                awaitOver(what);
            } else {
                opposition.lift(what);
            }
            if (what == Obstacle.CLAIM) {
                assertTrue(what.await(cache, "a", Duration.ZERO), "the item that was given back");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void insideATransactionNobodyWaits(Obstacle what) throws Exception {
        assumeTrue(what != Obstacle.COMPUTATION, "it is computed by the caller then");
        opposition.raise(what);
        cache.transact(() -> {
            assertThrows(IllegalStateException.class, () -> what.await(cache, "a", null));
        });
    }

    @ParameterizedTest
    @EnumSource
    void closingTheCacheEndsTheWait(Obstacle what) throws Exception {
        opposition.raise(what);
        Running waits = waiting(what);
        cache.close();
        assertEquals(CacheClosedException.class, waits.end());
    }

    @ParameterizedTest
    @EnumSource
    void aNameOfAnotherKindIsRefused(Obstacle what) {
        assumeTrue(what != Obstacle.COMPUTATION, "its names are keys");
        new Averager(cache, "mean").add(1);
        assertThrows(NameInUseException.class, () -> what.await(cache, "mean", null));
        assertThrows(NameInUseException.class, () -> what.touch(cache, "mean"));
        for (String bad : List.of("", "x".repeat(10_000))) {
            assertThrows(IllegalArgumentException.class, () -> what.await(cache, bad, null));
        }
    }
}
