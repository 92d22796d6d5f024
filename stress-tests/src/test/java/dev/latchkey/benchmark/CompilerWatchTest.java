package dev.latchkey.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CompilerWatchTest {
    private static final long HALF_A_SECOND = TimeUnit.MILLISECONDS.toNanos(500);

    private long now;
    private long used;
    private final CompilerWatch watch = new CompilerWatch(() -> now, () -> used);

    /** Half a second goes by, in which the compilers use this much. */
    private boolean restsAfterUsing(long micros) {
        now += HALF_A_SECOND;
        used += TimeUnit.MICROSECONDS.toNanos(micros);
        return watch.rests();
    }

    @Test
    void compilersRestOnceTheyHaveUsedHardlyAnythingForTwoSecondsAndAHalf() {
        for (int i = 0; i < 20; i++) {
            assertFalse(restsAfterUsing(400_000), "busy, look " + i);
        }
        for (int i = 0; i < 4; i++) {
            assertFalse(restsAfterUsing(9_000), "quiet, look " + i);
        }
        assertTrue(restsAfterUsing(9_000));
    }

    @Test
    void aWaveOfCompilationsStartsTheCountAnew() {
        for (int i = 0; i < 4; i++) {
            assertFalse(restsAfterUsing(0));
        }
        assertFalse(restsAfterUsing(100_000));
        assertFalse(restsAfterUsing(0));
        assertFalse(restsAfterUsing(0));
        assertFalse(restsAfterUsing(0));
        assertFalse(restsAfterUsing(0));
        assertTrue(restsAfterUsing(0));
    }

    @Test
    void compilersThatUseMoreThanTwoPerCentDoNotRest() {
        for (int i = 0; i < 100; i++) {
            assertFalse(restsAfterUsing(10_100));
        }
    }

    @Test
    void itMayBeAskedAtAnyTimeAndLooksTwiceASecond() {
        int[] looks = {0};
        CompilerWatch counted = new CompilerWatch(() -> now, () -> {
            looks[0]++;
            return 0;
        });
        boolean rests = false;
        while (!rests) {
            rests = counted.rests();
            now += HALF_A_SECOND / 100;
        }
        assertEquals(6, looks[0]);
    }
}
