package dev.latchkey.stress;

import dev.latchkey.stress.Schedule.Step;
import dev.latchkey.stress.check.Fault;
import dev.latchkey.stress.check.ForeignCheckpoint;
import dev.latchkey.stress.referee.RefereeConnection;
import dev.latchkey.stress.worker.WallClock;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.SmallVolume;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Does to the workers and to the directory what the schedule says, and writes it down. */
final class Nemesis {
    private final Path directory;
    private final Path hints;
    private final WallClock clock;
    private final RefereeConnection referee;
    private final @Nullable SmallVolume disk;
    private final Path ballast;
    private boolean clockIsFast;
    private boolean diskIsFull;

    private final List<Fault> faults = new ArrayList<>();
    /** Who is stopped, and until when. */
    private final Map<Crew.Member, Long> stopped = new HashMap<>();

    /** {@code disk}: that of the directory, if it has one of its own. */
    Nemesis(Path directory, @Nullable SmallVolume disk, WallClock clock, RefereeConnection referee) {
        this.directory = directory;
        this.disk = disk;
        this.hints = directory.resolve("cache.db-latchkey").resolve("hints");
        this.ballast = hints.resolveSibling("spare");
        this.clock = clock;
        this.referee = referee;
    }

    List<Fault> faults() {
        return faults;
    }

    void note(long nanos, Fault.Kind kind, String process) {
        faults.add(new Fault(nanos, kind, process));
    }

    void act(Step step, Crew.Member victim) {
        switch (step.act()) {
            case KILL -> kill(victim);
            case KILL_OPENING -> aim(victim, "first-open", step.dice() % 1_000);
            case KILL_WAITING -> aim(victim, "lock,claim,permit,reserve,arrive,ask,pass", 1_500 + step.dice() % 6_000);
            case KILL_HOLDING ->
                aim(
                        victim,
                        "lock-done,claim-done,await-done,permit-done,reserve-done,arrive-done,computing,count-done",
                        step.dice() % 200);
            case KILL_COMMITTING -> aimAtCommit(victim, step.dice());
            case KILL_CHECKPOINTING -> aim(victim, "before-checkpoint", 1 + step.dice() % 400);
            case KILL_CLOSING -> aim(victim, "last-close", step.dice() % 400);
            case STOP -> stop(victim, 50 + step.dice() % 600);
            case INTERRUPT -> interrupt(victim, step.dice());
            case DELETE_HINTS -> deleteHints();
            case ZERO_HINTS -> zeroHints();
            case CHECKPOINT -> checkpoint(step.dice());
            case STEP_CLOCK -> stepClock(step.dice());
            case FILL_OR_FREE_DISK -> fillOrFreeDisk();
        }
    }

    void kill(Crew.Member victim) {
        if (!victim.process().isAlive()) {
            return;
        }
        referee.condemn(victim.name());
        note(victim.process().killNow(), Fault.Kind.KILL, victim.name());
    }

    /** It kills itself when it gets there; its history says when. */
    private static void aim(Crew.Member victim, String moment, int micros) {
        victim.tell("die " + moment + " " + micros);
    }

    /** Mostly at some point of it, sometimes right before or after it, or before the next in line is woken. */
    private static void aimAtCommit(Crew.Member victim, int dice) {
        switch (dice % 8) {
            case 0 -> aim(victim, "before-commit", 0);
            case 1 -> aim(victim, "after-commit", 0);
            case 2 -> aim(victim, "before-ring,after-commit", 0);
            default -> aim(victim, "before-commit", 1 + dice % 40);
        }
    }

    private void interrupt(Crew.Member victim, int thread) {
        note(System.nanoTime(), Fault.Kind.INTERRUPT, victim.name());
        victim.tell("interrupt " + thread);
    }

    private void stop(Crew.Member victim, int millis) {
        JavaProcess process = victim.process();
        if (stopped.containsKey(victim) || !process.isAlive()) {
            return;
        }
        long nanos = System.nanoTime();
        victim.unlessDying(process::stop);
        if (!process.isAlive()) {
            return;
        }
        note(nanos, Fault.Kind.STOP, victim.name());
        stopped.put(victim, nanos + TimeUnit.MILLISECONDS.toNanos(millis));
    }

    /** Lets those go on whose time is over; all of them, if {@code all}. */
    void letGo(boolean all) {
        stopped.entrySet().removeIf(entry -> {
            boolean over = all || System.nanoTime() >= entry.getValue();
            if (over) {
                letGo(entry.getKey());
            }
            return over;
        });
    }

    private void letGo(Crew.Member member) {
        if (!member.process().isAlive()) {
            return; // killed meanwhile
        }
        member.unlessDying(member.process()::cont);
        note(System.nanoTime(), Fault.Kind.CONTINUE, member.name());
    }

    boolean isStopped(Crew.Member member) {
        return stopped.containsKey(member);
    }

    /** As if somebody looked at the database with another program; the next step may find it in the middle of that. */
    private void checkpoint(int dice) {
        long nanos = System.nanoTime();
        if (ForeignCheckpoint.force(directory, ForeignCheckpoint.MODES.get(dice % ForeignCheckpoint.MODES.size()))) {
            note(nanos, Fault.Kind.CHECKPOINT, "");
        }
    }

    /** Forwards and backwards by turns, by up to a day. */
    private void stepClock(int dice) {
        long nanos = System.nanoTime();
        Duration wrong = Duration.ofMinutes(1 + dice % 720);
        clockIsFast = !clockIsFast;
        clock.set(clockIsFast ? wrong : wrong.negated());
        note(nanos, Fault.Kind.CLOCK_STEPPED, "");
    }

    /** It is filled only when what is kept for this has been set aside: else deletes may fail too. */
    private void fillOrFreeDisk() {
        if (diskIsFull) {
            freeDisk();
        } else if (disk != null && ballast.toFile().length() > 0) {
            note(System.nanoTime(), Fault.Kind.DISK_FILLED, "");
            disk.fillOnce();
            diskIsFull = true;
        }
    }

    /** So that there is space again, if there was none. */
    void freeDisk() {
        if (diskIsFull) {
            Objects.requireNonNull(disk, "disk").free();
            note(System.nanoTime(), Fault.Kind.DISK_FREED, "");
            diskIsFull = false;
        }
    }

    private void deleteHints() {
        try {
            long nanos = System.nanoTime();
            if (Files.deleteIfExists(hints)) {
                note(nanos, Fault.Kind.HINTS_DELETED, "");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The file is never made shorter: whoever has it mapped would crash. */
    private void zeroHints() {
        long nanos = System.nanoTime();
        try (SeekableByteChannel file = Files.newByteChannel(hints, StandardOpenOption.WRITE)) {
            ByteBuffer zeros = ByteBuffer.allocate((int) file.size());
            while (zeros.hasRemaining()) {
                file.write(zeros);
            }
            note(nanos, Fault.Kind.HINTS_ZEROED, "");
        } catch (NoSuchFileException e) {
            // deleted before, and not made anew yet
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
