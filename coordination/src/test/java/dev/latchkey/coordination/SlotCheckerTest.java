package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SlotCheckerTest {
    private static boolean isFine(long burst, long interval, Long... slots) {
        return SlotChecker.violation(List.of(slots), burst, interval).isEmpty();
    }

    @Test
    void whatTheRateAllowsIsFine() {
        assertTrue(isFine(1, 10));
        assertTrue(isFine(1, 10, 100L, 110L, 120L, 500L, 510L));
        assertTrue(isFine(3, 10, 100L, 100L, 100L, 110L, 120L, 200L, 200L, 200L));
        assertTrue(isFine(2, 10, 120L, 100L, 110L), "in any order");
    }

    @Test
    void oneTooManyIsFoundWhereverItIs() {
        assertTrue(!isFine(1, 10, 100L, 109L));
        assertTrue(!isFine(1, 10, 100L, 200L, 200L));
        assertTrue(!isFine(3, 10, 100L, 100L, 100L, 109L));
        assertTrue(!isFine(3, 10, 100L, 500L, 500L, 505L, 505L));
        assertTrue(!isFine(2, 10, 100L, 110L, 120L, 120L, 129L));
    }

    @Test
    void itAgreesWithLookingAtAllWindows() {
        Random random = new Random(1);
        int bad = 0;
        for (int round = 0; round < 2_000; round++) {
            List<Long> slots = new ArrayList<>();
            long slot = 1_000;
            for (int i = 0; i < 12; i++) {
                slot += random.nextInt(28);
                slots.add(slot);
            }
            boolean violated = isViolatedInSomeWindow(slots, 2, 10);
            bad += violated ? 1 : 0;
            assertEquals(violated, !SlotChecker.violation(slots, 2, 10).equals(Optional.empty()), slots::toString);
        }
        assertTrue(bad > 200 && bad < 1_800, "both were seen: " + bad);
    }

    private static boolean isViolatedInSomeWindow(List<Long> slots, long burst, long interval) {
        for (int i = 0; i < slots.size(); i++) {
            for (int j = i; j < slots.size(); j++) {
                if ((j - i + 1 - burst) * interval > slots.get(j) - slots.get(i)) {
                    return true;
                }
            }
        }
        return false;
    }
}
