package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** A call on a thread of its own, and how it ended. */
public final class Running {
    private static final Duration SOON = Duration.ofSeconds(20);

    private final Thread thread;
    private volatile @Nullable Object outcome;
    private volatile boolean interrupted;

    private Running(Callable<?> call) {
        this.thread = new Thread(() -> {
            Object ended;
            try {
                ended = call.call();
            } catch (Throwable t) {
                ended = t;
            }
            interrupted = Thread.currentThread().isInterrupted();
            outcome = ended == null ? "done" : ended;
        });
        thread.setDaemon(true);
        thread.start();
    }

    public static Running start(Callable<?> call) {
        return new Running(call);
    }

    /** Waits for what the call has returned or thrown. */
    public Object outcome() {
        await().atMost(SOON)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .until(() -> outcome != null);
        return Objects.requireNonNull(outcome);
    }

    /** The class of what it has thrown, or what it has returned. */
    public Object end() {
        Object ended = outcome();
        return ended instanceof Throwable ? ended.getClass() : ended;
    }

    public boolean isOver() {
        return outcome != null;
    }

    /** Whether its thread sleeps for somebody to wake it. */
    public boolean isAsleep() {
        return thread.getState() == Thread.State.WAITING || thread.getState() == Thread.State.TIMED_WAITING;
    }

    /** The same, or in a call of the system until something is granted. */
    public boolean isWaiting() {
        return isAsleep() || CacheFixture.isWaiting(thread);
    }

    /** Whether the flag was set when the call ended. */
    public boolean wasInterrupted() {
        outcome();
        return interrupted;
    }

    public Running interrupt() {
        thread.interrupt();
        return this;
    }
}
