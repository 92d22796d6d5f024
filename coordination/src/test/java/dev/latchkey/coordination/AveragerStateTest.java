package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AveragerStateTest {
    private static AveragerState of(double... values) {
        AveragerState state = AveragerState.EMPTY;
        for (double value : values) {
            state = AveragerState.parse(state.with(value).detail()); // each time from what is stored
        }
        return state;
    }

    @Test
    void theAverageIsTheSumDividedByTheCount() {
        assertEquals(OptionalDouble.empty(), of().average());
        assertEquals(OptionalDouble.of(0.5), of(0.5).average());
        assertEquals(OptionalDouble.of(2), of(1, 2, 3).average());
        assertEquals(OptionalDouble.of(0), of(-1, 1).average());
    }

    @Test
    void whatRoundingTakesIsNotLost() {
        assertEquals(OptionalDouble.of(0.5), of(1e100, 1, -1e100, 1).average());
        AveragerState state = AveragerState.EMPTY;
        for (int i = 0; i < 1_000_000; i++) {
            state = state.with(0.1);
        }
        assertEquals(OptionalDouble.of(0.1), state.average());
    }

    @Test
    void itIsAsExactAsADoubleCanSayWhateverIsAdded() {
        Random random = new Random(5);
        for (int round = 0; round < 50; round++) {
            AveragerState state = AveragerState.EMPTY;
            BigDecimal exact = BigDecimal.ZERO;
            for (int i = 0; i < 500; i++) {
                double value = random.nextGaussian() * Math.pow(10, random.nextInt(12) - 4);
                state = state.with(value);
                exact = exact.add(new BigDecimal(value));
            }
            double expected = exact.divide(BigDecimal.valueOf(500), MathContext.DECIMAL128)
                    .doubleValue();
            assertEquals(expected, state.average().orElseThrow(), Math.ulp(expected));
        }
    }

    @Test
    void aSumBeyondADoubleIsRefused() {
        AveragerState greatest = of(Double.MAX_VALUE);
        assertThrows(ArithmeticException.class, () -> greatest.with(Double.MAX_VALUE));
        assertEquals(OptionalDouble.of(0), greatest.with(-Double.MAX_VALUE).average());
    }

    @Test
    void whatIsStoredIsReadable() {
        assertEquals("total=3.0 lost=0.0 count=2", of(1, 2).detail());
        AveragerState state = of(1e100, 1, Double.MIN_VALUE, -0.0);
        assertEquals(state, AveragerState.parse(state.detail()));
    }
}
