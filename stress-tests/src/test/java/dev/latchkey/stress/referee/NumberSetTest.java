package dev.latchkey.stress.referee;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NumberSetTest {
    private final NumberSet numbers = new NumberSet();

    @Test
    void tellsWhatIsNewLikeAnySet() {
        Set<Long> expected = new HashSet<>();
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            long number = random.nextInt(5_000) - 2_500L;
            assertEquals(expected.add(number), numbers.add(number), "number " + number);
        }
    }

    @Test
    void theEndsOfTheRangeAreNumbersLikeOthers() {
        assertTrue(numbers.add(Long.MIN_VALUE));
        assertTrue(numbers.add(Long.MAX_VALUE));
        assertTrue(numbers.add(Long.MAX_VALUE - 1));
        assertTrue(numbers.add(Long.MIN_VALUE + 1));
        assertFalse(numbers.add(Long.MAX_VALUE));
        assertFalse(numbers.add(Long.MIN_VALUE));
        assertEquals(2, numbers.ranges());
    }

    @Test
    void numbersWithoutAGapAreOneRangeInWhateverOrderTheyCome() {
        for (long number : new long[] {1, 3, 5, 4, 2, 0}) {
            assertTrue(numbers.add(number));
        }
        assertEquals(1, numbers.ranges());
    }
}
