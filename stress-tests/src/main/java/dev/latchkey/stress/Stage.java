package dev.latchkey.stress;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where one scenario is played at a time, while the next one's processes start and the one before is drained and judged: half of a
 * run's time would go into that otherwise. It says how long each may be played, so that all together take as long as they may.
 */
final class Stage {
    /** What is left to do when the last one has been played. */
    private static final Duration LAST_JUDGEMENT = Duration.ofSeconds(8);
    /** What passes between the end of one and the start of the next. */
    private static final double CHANGE_SECONDS = 1;

    private static final int LEAST_SECONDS = 4;

    private final ReentrantLock inUse = new ReentrantLock(true);
    private final OptionalLong endNanos;
    private int left;

    private Stage(OptionalLong endNanos, int left) {
        this.endNanos = endNanos;
        this.left = left;
    }

    /** For scenarios each of which is played for as long as it asks for. */
    static Stage withoutBudget() {
        return new Stage(OptionalLong.empty(), 0);
    }

    /** For so many scenarios that take so long together from now on, with all that goes with them. */
    static Stage forAll(Duration budget, int scenarios) {
        return new Stage(
                OptionalLong.of(System.nanoTime() + budget.minus(LAST_JUDGEMENT).toNanos()), scenarios);
    }

    /** Waits until it is free; answers for how many seconds the caller may have it, which asks for some in case there is no budget. */
    int enter(int seconds) {
        inUse.lock();
        return endNanos.isEmpty() ? seconds : share(endNanos.getAsLong() - System.nanoTime(), left--);
    }

    void leave() {
        inUse.unlock();
    }

    /** An equal part of what is left of the time. */
    static int share(long nanos, int scenarios) {
        double each = nanos / (double) TimeUnit.SECONDS.toNanos(1) / Math.max(1, scenarios);
        return Math.max(LEAST_SECONDS, (int) (each - CHANGE_SECONDS));
    }
}
