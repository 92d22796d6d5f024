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
        Stage stage = Stage.forAll(Duration.ofSeconds(100), 3);
        assertEquals(29, stage.enter(7)); // of 92, and a few milliseconds less
        stage.leave();
        assertEquals(44, stage.enter(7));
        stage.leave();
        assertEquals(90, stage.enter(7));
        stage.leave();
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
