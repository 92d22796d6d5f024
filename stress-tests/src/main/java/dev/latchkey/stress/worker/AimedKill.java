package dev.latchkey.stress.worker;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.HistoryLog;
import dev.latchkey.stress.referee.RefereeConnection;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * SIGKILL at a moment that is too short to be hit from outside, such as COMMIT. The process gives it to itself, after it has
 * told the referee that it is as good as dead; the history shows what it was doing.
 */
public final class AimedKill {
    /** The note that a process leaves right before it kills itself: at which moment, and how many microseconds after it. */
    public static final String DYING = "dying";

    private static final int SIGKILL = 9;
    /** Below that, what follows the moment goes on while the delay runs. */
    private static final long SHORT_MICROS = 1_000;

    private final HistoryLog log;
    private final RefereeConnection referee;
    private final String process;
    private final AtomicReference<@Nullable Aim> armed = new AtomicReference<>();

    AimedKill(HistoryLog log, RefereeConnection referee, String process) {
        this.log = log;
        this.referee = referee;
        this.process = process;
    }

    /** When to die. */
    private static final class Aim {
        /** Operations, with {@code -done} if it is to be over, or names of failpoints: whichever comes first. */
        final Set<String> moments;
        /** How long after it; 0 for at once, before anything else is done. */
        final long delayMicros;

        final Function raise = NativeLibrary.getProcess().getFunction("raise");
        final CountDownLatch reached = new CountDownLatch(1);
        volatile String moment = "";
        volatile boolean counting;

        Aim(Set<String> moments, long delayMicros) {
            this.moments = moments;
            this.delayMicros = delayMicros;
        }
    }

    /** Arms it, unless it is armed already; what it needs is loaded now, so that it costs no time then. */
    void aim(Set<String> moments, long delayMicros) {
        if (armed.get() != null) {
            return;
        }
        Aim aim = new Aim(moments, delayMicros);
        aim.raise.invokeInt(new Object[] {0}); // no signal: the first call of all takes long
        Thread executioner = new Thread(() -> execute(aim), "executioner");
        executioner.setDaemon(true);
        executioner.start();
        armed.set(aim);
    }

    /**
     * Says that a moment has come. A short delay runs while the caller goes on at once, so that it can end within a COMMIT; a
     * process is given up for dead only right before it dies.
     */
    void reached(String moment) {
        Aim aim = armed.get();
        if (aim == null || !aim.moments.contains(moment) || !armed.compareAndSet(aim, null)) {
            return;
        }
        if (aim.delayMicros < SHORT_MICROS) {
            giveUp(moment, aim);
        }
        if (aim.delayMicros == 0) {
            die(aim);
        }
        aim.moment = moment;
        aim.reached.countDown();
        while (aim.delayMicros < SHORT_MICROS && !aim.counting) {
            Thread.onSpinWait();
        }
    }

    private void execute(Aim aim) {
        try {
            aim.reached.await();
        } catch (InterruptedException e) {
            return;
        }
        long end = System.nanoTime() + aim.delayMicros * 1000;
        aim.counting = true;
        if (aim.delayMicros < SHORT_MICROS) {
            while (System.nanoTime() < end) {
                Thread.onSpinWait();
            }
        } else {
            LockSupport.parkNanos(end - System.nanoTime());
            giveUp(aim.moment, aim);
        }
        die(aim);
    }

    private void giveUp(String moment, Aim aim) {
        referee.condemn(process);
        log.write(Kind.NOTE, DYING, moment, aim.delayMicros);
    }

    private static void die(Aim aim) {
        aim.raise.invokeInt(new Object[] {SIGKILL});
    }
}
