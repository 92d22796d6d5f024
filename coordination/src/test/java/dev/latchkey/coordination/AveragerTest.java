package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class AveragerTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Cache cache;
    private Averager averager;

    @BeforeEach
    void open() {
        cache = Cache.open(directory.resolve("cache"));
        averager = new Averager(cache, "a");
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private boolean isStored() {
        return cache.unwrap(CoordinationEngine.class)
                .states()
                .find("a", Deadline.never())
                .isPresent();
    }

    @Test
    void itAveragesWhatWasAddedSinceTheLastPop() {
        assertEquals(OptionalDouble.empty(), averager.get());
        assertEquals(OptionalDouble.empty(), averager.pop());
        averager.add(1);
        new Averager(cache, "a").add(2);
        assertEquals(OptionalDouble.of(1.5), averager.get());
        assertEquals(OptionalDouble.of(1.5), averager.get());
        assertEquals(OptionalDouble.of(1.5), averager.pop());
        assertEquals(OptionalDouble.empty(), averager.get());
        averager.add(-4);
        assertEquals(OptionalDouble.of(-4), averager.get());
    }

    @Test
    void poppingLeavesNothing() {
        averager.add(1);
        assertEquals(OptionalDouble.of(1), averager.pop());
        assertFalse(isStored());
        new Lock(cache, "a").lock(); // the name is free
        assertThrows(NameInUseException.class, () -> averager.add(1));
        assertThrows(NameInUseException.class, averager::get);
        assertThrows(NameInUseException.class, averager::pop);
    }

    @Test
    void itIsNoEntryOfTheCache() {
        averager.add(3);
        cache.clear();
        assertEquals(0, cache.size());
        cache.close();
        cache = Cache.open(directory.resolve("cache"));
        assertEquals(OptionalDouble.of(3), new Averager(cache, "a").get());
    }

    @Test
    void whatHasNoAverageIsRefusedAndStoresNothing() {
        for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> averager.add(bad));
        }
        assertFalse(isStored());
        averager.add(Double.MAX_VALUE);
        assertThrows(ArithmeticException.class, () -> averager.add(Double.MAX_VALUE));
        assertEquals(OptionalDouble.of(Double.MAX_VALUE), averager.get());
        assertThrows(IllegalArgumentException.class, () -> new Averager(cache, ""));
    }

    private static final class RollBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void callsInsideATransactionJoinIt() {
        averager.add(1);
        assertThrows(
                RollBack.class,
                () -> cache.transact((Runnable) () -> {
                    averager.add(5);
                    assertEquals(OptionalDouble.of(3), averager.get());
                    assertEquals(OptionalDouble.of(3), averager.pop());
                    assertEquals(OptionalDouble.empty(), averager.get());
                    throw new RollBack();
                }));
        assertEquals(OptionalDouble.of(1), averager.get());
        cache.transact(() -> {
            averager.add(5);
            cache.set("average", averager.pop().orElseThrow());
        });
        assertEquals(3.0, cache.get("average", Double.class));
        assertEquals(OptionalDouble.empty(), averager.get());
    }

    @Test
    void aClosedCacheRefusesEveryCall() {
        cache.close();
        assertThrows(CacheClosedException.class, () -> averager.add(1));
        assertThrows(CacheClosedException.class, averager::get);
        assertThrows(CacheClosedException.class, averager::pop);
    }

    @Test
    @Tag("process")
    void nothingThatProcessesAddIsLostOrCountedTwice() {
        List<JavaProcess> children = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            children.add(processes.start(
                    AveragerChild.class, directory.resolve("cache").toString(), String.valueOf(i)));
        }
        processes.gun(children);
        for (JavaProcess child : children) {
            child.await("ADDED", SOON);
        }
        // 3 x 400 numbers i + 3 k: all numbers from 0 to 1199, once
        assertEquals(OptionalDouble.of(599.5), averager.pop());
    }
}
