package dev.latchkey.stress.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class NumberedItemTest {
    @Test
    void theNumbersOfAThreadRiseFromOne() {
        long first = NumberedItem.first("w7", 1);
        assertEquals(1, NumberedItem.of(first + 1).sequence());
        assertEquals(2, NumberedItem.of(first + 2).sequence());
        assertEquals(
                NumberedItem.of(first + 1).producer(),
                NumberedItem.of(first + 2).producer());
    }

    @Test
    void noOtherThreadOrProcessHasTheSame() {
        long producer = NumberedItem.of(NumberedItem.first("w7", 1) + 1).producer();
        assertNotEquals(
                producer, NumberedItem.of(NumberedItem.first("w7", 0) + 1).producer());
        assertNotEquals(
                producer, NumberedItem.of(NumberedItem.first("p8", 0) + 1).producer());
    }

    @Test
    void theNumbersOfManyProcessesFitIntoAValue() {
        assertTrue(NumberedItem.first("w9999", 999) < 1_000_000_000_000_000_000L);
    }
}
