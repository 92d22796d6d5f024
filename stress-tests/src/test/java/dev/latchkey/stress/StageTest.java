package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class StageTest {
    private static int share(double seconds, int scenarios) {
        return Stage.share((long) (seconds * TimeUnit.SECONDS.toNanos(1)), scenarios);
    }

    @Test
    void eachScenarioGetsAnEqualPartOfTheTimeThatIsLeftLessThatForTheChange() {
        assertEquals(14, share(180, 12));
        assertEquals(9, share(20.5, 2));
        assertEquals(99, share(100, 1));
    }

    @Test
    void aScenarioIsPlayedForAMomentEvenIfTimeIsUp() {
        assertEquals(4, share(10, 4));
        assertEquals(4, share(-3, 1));
    }

    @Test
    void whatOneLeavesTheNextOnesGet() {
        long start = System.nanoTime();
        Stage stage = Stage.forAll(Duration.ofMillis(100_500), 3);
        int[] most = {29, 45, 91}; // of 92.5, and perhaps less after a while
        for (int i = 0; i < 3; i++) {
            int seconds = stage.enter(7);
            double elapsed = (System.nanoTime() - start) / (double) TimeUnit.SECONDS.toNanos(1);
            assertTrue(seconds <= most[i] && seconds >= share(92.5 - elapsed, 3 - i), seconds + " after " + elapsed);
            stage.leave();
        }
    }

    @Test
    @Timeout(60)
    void oneIsPlayedAtATime() throws InterruptedException {
        Stage stage = Stage.withoutBudget();
        List<String> played = new CopyOnWriteArrayList<>();
        assertEquals(7, stage.enter(7));
        Thread second = new Thread(() -> {
            stage.enter(7);
            played.add("second");
            stage.leave();
        });
        second.start();
        while (second.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        assertTrue(played.isEmpty());
        played.add("first");
        stage.leave();
        second.join();
        assertEquals(List.of("first", "second"), played);
    }
}
