package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Stalls;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is promised of every wait for something that cannot be held when a process is killed or stopped. */
@Tag("process")
@Timeout(120)
class ObstacleProcessTest extends ProcessFixture {
    private static final int KILLS = 10;
    private static final long MOST_MICROS = TimeUnit.MILLISECONDS.toMicros(50);

    private Queue<JavaProcess> children(int number) {
        Queue<JavaProcess> children = new ArrayDeque<>();
        for (int i = 0; i < number; i++) {
            children.add(processes.start(
                    JavaCommand.of(HolderChild.class, cachePath().toString())));
        }
        children.forEach(child -> child.await("OPEN", SOON));
        return children;
    }

    private static void awaitWaiting(JavaProcess child, Obstacle what) {
        child.send("@w pass " + what + " a");
        ask(child, "waiting w", "WAITING");
    }

    /** Whoever has passed, or has learned that it never will, leaves the way free for the next round. */
    private void clear(Cache cache, Obstacle what) {
        if (what == Obstacle.PARTIES) {
            new CyclicBarrier(cache, "a", 3).reset();
        }
        await().atMost(SOON).pollInterval(Duration.ofMillis(5)).until(() -> what.isOver(cache, "a"));
    }

    @ParameterizedTest
    @EnumSource
    void theDeathOfWhoeverIsInTheWayEndsTheWaitWithinFiftyMilliseconds(Obstacle what) throws Exception {
        assumeTrue(what.diesWithItsProcess(), "what was counted stays counted");
        Class<?> broken = what.endAfterDeath();
        String end = broken == null ? "true" : broken.getName();
        try (Cache cache = Cache.open(cachePath());
                Stalls stalls = new Stalls()) {
            JavaProcess heir = children(1).remove();
            List<Long> late = new ArrayList<>();
            List<Long> measured = new ArrayList<>();
            for (JavaProcess victim : children(1 + KILLS)) {
                ask(victim, "raise " + what + " a", "RAISED");
                awaitWaiting(heir, what);
                Delay delay = new Delay(stalls, heir);
                Death death = kill(victim);
                String passed = heir.await("PASSED", SOON);
                assertEquals(end, passed.split(" ", -1)[2]);
                late.add(delay.microsBetween(death.gone(), instant(passed)));
                measured.add(Delay.micros(instant(passed) - death.gone()));
                clear(cache, what);
            }
            late.remove(0); // when the heir loaded its classes
            measured.remove(0);
            System.out.println("measured: " + what + " of a killed process: microseconds from its death, the machine's"
                    + " delays taken out: " + Delay.distribution(late) + "; with them " + Delay.distribution(measured));
            late.forEach(one -> assertTrue(one <= MOST_MICROS, "late by " + late + " microseconds"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aWaiterThatIsKilledLeavesNothing(Obstacle what) throws Exception {
        Queue<JavaProcess> children = children(3);
        JavaProcess inTheWay = children.remove();
        JavaProcess other = children.remove();
        JavaProcess victim = children.remove();
        try (Cache cache = Cache.open(cachePath())) {
            ask(inTheWay, "raise " + what + " a", "RAISED");
            awaitWaiting(victim, what);
            kill(victim);
            if (what == Obstacle.PARTIES) {
                await().atMost(SOON).until(() -> new CyclicBarrier(cache, "a", 3).isBroken());
                clear(cache, what);
                return;
            }
            awaitWaiting(other, what);
            ask(inTheWay, "lift " + what + " a", "LIFTED");
            assertEquals("true", other.await("PASSED", SOON).split(" ", -1)[2]);
            clear(cache, what);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoeverIsStoppedStaysInTheWay(Obstacle what) throws Exception {
        Queue<JavaProcess> children = children(2);
        JavaProcess inTheWay = children.remove();
        JavaProcess other = children.remove();
        ask(inTheWay, "raise " + what + " a", "RAISED");
        awaitWaiting(other, what);
        inTheWay.stop();
        await().during(Duration.ofMillis(600)).atMost(SOON).until(() -> other.output().stream()
                .noneMatch(line -> line.startsWith("PASSED")));
        inTheWay.cont();
        ask(inTheWay, "lift " + what + " a", "LIFTED");
        assertEquals("true", other.await("PASSED", SOON).split(" ", -1)[2]);
    }
}
