package dev.latchkey.coordination;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.Transition;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import dev.latchkey.coordination.ThrottleState.Answer;
import dev.latchkey.coordination.ThrottleState.Ask;
import dev.latchkey.coordination.ThrottleState.Reading;
import dev.latchkey.coordination.ThrottleState.Slot;
import dev.latchkey.coordination.ThrottleState.Verdict;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/*
 * The callers of this process queue here, in memory. One at a time deals with the database, and reserves slots for the first of
 * them and for those behind it, up to 10 ms ahead; one slot if the next one is farther away. Whoever has a slot leaves the queue and
 * sleeps until it comes. So what dies with this process is what was reserved for the next 10 ms, or one slot, and not its queue.
 *
 * Slots are reserved again when half of those 10 ms have passed, so that the next transaction is over before the last of them: the
 * rate does not suffer from the time that waking up takes. The first in the queue wakes up for it; another caller that is awake and
 * finds it late does it in its place.
 *
 * `mutex` guards the queue and who has which slot, and is never held while waiting for the database or for a slot.
 */
/** One throttle, as all threads of this process share it. */
final class ThrottleLine {
    private static final int MOST_AT_ONCE = 64;
    /** One attempt rides over the commits of others, not over a long transaction. */
    private static final Duration ONE_ATTEMPT = Duration.ofMillis(10);

    /** One attempt also waits for those in front whose attempt is under way; each needs a commit. */
    private static final Duration QUEUE_PATIENCE = Duration.ofMillis(50);

    private static final long COMMIT_PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final Duration CANCEL_PATIENCE = Duration.ofMillis(20);

    private final CoordinationEngine engine;
    private final StateStore states;
    private final String name;
    private final ReentrantLock mutex = new ReentrantLock();
    private final ArrayDeque<Caller> queue = new ArrayDeque<>();
    private final Set<Caller> reserved = new HashSet<>();
    /** Who sleeps, to be woken when the engine closes. */
    private final Set<Thread> asleep = ConcurrentHashMap.newKeySet();

    private volatile @Nullable State remembered;
    /** Before this instant there is nothing that the first in the queue could reserve. */
    private long nothingBeforeNanos = Long.MIN_VALUE;
    /** One of them is in the database. */
    private boolean attempting;

    ThrottleLine(CoordinationEngine engine, String name) {
        this.engine = engine;
        this.states = engine.states();
        this.name = name;
    }

    /** A thread that waits for a slot, or for the time of the one it has. */
    private static final class Caller {
        final Thread thread = Thread.currentThread();
        final Ask ask;
        /** What was answered; null while it waits in the queue. Written under the mutex. */
        volatile @Nullable Answer answer;

        /** Another caller is in the database and has asked for it too. */
        boolean asked;

        /** It takes no answer any more. */
        boolean gone;

        Caller(Ask ask) {
            this.ask = ask;
        }

        /** When it stops waiting. Nothing is reserved for it after its time, but what was before it may still be being committed. */
        long endNanos() {
            return asked ? ask.latestNanos() + COMMIT_PATIENCE_NANOS : ask.latestNanos();
        }
    }

    private enum Step {
        ATTEMPT,
        SLEEP,
        RETURN,
        REFUSE
    }

    /** What a caller does next, and until when it sleeps. */
    private record Turn(Step step, long untilNanos) {}

    // Acquiring

    /** Waits for a slot and for its time; null if none comes early enough. */
    @Nullable
    Slot acquire(ThrottleRate founding, int permits, Deadline deadline) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        engine.requireOpen();
        Ask ask = deadline.isUnlimited()
                ? Ask.ever(permits)
                : Ask.until(permits, engine.clock().nanos() + deadline.remainingNanos());
        return states.inTransaction()
                ? acquireInTransaction(founding, ask)
                : await(new Caller(ask), founding, deadline.interruptibly());
    }

    /** One attempt, behind those whose turn it is before; null if there is no permit at once. */
    @Nullable
    Slot tryAcquire(ThrottleRate founding, int permits) {
        engine.requireOpen();
        if (states.inTransaction()) {
            Answer answer = reserve(founding, Ask.now(permits, Ask.NEVER_NANOS), Deadline.never());
            return answer.isGranted() ? answer.slot() : null;
        }
        Ask ask = Ask.now(permits, engine.clock().nanos() + QUEUE_PATIENCE.toNanos());
        try {
            return await(new Caller(ask), founding, Deadline.after(QUEUE_PATIENCE));
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible attempt was interrupted", e);
        }
    }

    private @Nullable Slot acquireInTransaction(ThrottleRate founding, Ask ask) {
        Answer now = reserve(founding, Ask.now(ask.permits(), Ask.NEVER_NANOS), Deadline.never());
        if (!now.isGranted() && now.slot().nanos() <= ask.latestNanos()) {
            throw new IllegalStateException("throttle '" + name + "' has no permit yet, and waiting for one inside a"
                    + " transaction would keep everybody else from writing; use tryAcquire or reserve");
        }
        return now.isGranted() ? now.slot() : null;
    }

    /** Reserves a slot at once, however far away it is, past the queue. */
    Answer reserve(ThrottleRate founding, Ask ask, Deadline deadline) {
        engine.requireOpen();
        Answer answer = update(from -> ThrottleState.reserve(from, founding, List.of(ask), true, now()), deadline)
                .get(0);
        requirePossible(ask, answer);
        if (answer.isGranted()) {
            engine.requireInPlace();
        }
        return answer;
    }

    private @Nullable Slot await(Caller caller, ThrottleRate founding, Deadline deadline) throws InterruptedException {
        boolean interrupted = false;
        boolean returned = false;
        enqueue(caller);
        try {
            while (true) {
                Turn turn = turn(caller);
                switch (turn.step) {
                    case RETURN -> {
                        returned = true;
                        return answerOf(caller).slot();
                    }
                    case REFUSE -> {
                        requirePossible(caller.ask, answerOf(caller));
                        return null;
                    }
                    case ATTEMPT -> attempt(caller, founding, deadline);
                    case SLEEP -> sleep(caller, turn.untilNanos);
                }
                if (!isReady(caller)) {
                    interrupted |= Thread.interrupted();
                    if (interrupted && deadline.isInterruptible()) {
                        interrupted = false;
                        throw new InterruptedException();
                    }
                    if (isOver(caller)) {
                        return null;
                    }
                }
            }
        } finally {
            leave(caller, founding, returned);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Answer answerOf(Caller caller) {
        return java.util.Objects.requireNonNull(caller.answer, "an answer");
    }

    private void enqueue(Caller caller) {
        mutex.lock();
        try {
            queue.add(caller);
        } finally {
            mutex.unlock();
        }
    }

    private Turn turn(Caller caller) {
        mutex.lock();
        try {
            long now = engine.clock().nanos();
            Answer answer = caller.answer;
            if (answer != null) {
                long slot = answer.slot().nanos();
                return !answer.isGranted()
                        ? new Turn(Step.REFUSE, 0)
                        : new Turn(slot <= now ? Step.RETURN : Step.SLEEP, slot);
            }
            long look = lookNanos(now);
            boolean isFirst = queue.peek() == caller;
            if (!attempting && (look <= now || isFirst && caller.ask.isImmediate())) {
                attempting = true;
                return new Turn(Step.ATTEMPT, now);
            }
            if (!attempting && !isFirst && caller.ask.isImmediate()) {
                answer(caller, Answer.NO_TIME); // those in front sleep
                return new Turn(Step.REFUSE, now);
            }
            return new Turn(Step.SLEEP, isFirst && !attempting ? Math.min(look, caller.endNanos()) : caller.endNanos());
        } finally {
            mutex.unlock();
        }
    }

    /** Whether its slot has come, or none will: then neither time nor interrupts matter any more. */
    private boolean isReady(Caller caller) {
        Answer answer = caller.answer;
        return answer != null
                && (!answer.isGranted()
                        || answer.slot().nanos() <= engine.clock().nanos());
    }

    /** Whether its time is over without an answer; afterwards none is given to it. */
    private boolean isOver(Caller caller) {
        mutex.lock();
        try {
            caller.gone =
                    caller.answer == null && caller.endNanos() <= engine.clock().nanos();
            return caller.gone;
        } finally {
            mutex.unlock();
        }
    }

    /** When to ask again: when half of what is reserved here has passed, or all of it: under the mutex. */
    private long lookNanos(long now) {
        long last = lastSlotNanos(now);
        return Math.min(last, Math.max(last - ThrottleState.AHEAD_NANOS / 2, nothingBeforeNanos));
    }

    private long lastSlotNanos(long now) {
        long last = now;
        for (Caller caller : reserved) {
            last = Math.max(last, answerOf(caller).slot().nanos());
        }
        return last;
    }

    /** Nothing may block between the look at the state and this: it could use up the wake-up that an answer sends. */
    private void sleep(Caller caller, long untilNanos) {
        asleep.add(caller.thread);
        try {
            engine.requireOpen(); // or its end wakes the thread
            long nanos = untilNanos - engine.clock().nanos();
            if (nanos > 0) {
                LockSupport.parkNanos(this, nanos);
            }
        } finally {
            asleep.remove(caller.thread);
        }
    }

    /** Asks for all who stand in the queue, in their order. */
    private void attempt(Caller self, ThrottleRate founding, Deadline deadline) {
        List<Caller> asking = new ArrayList<>();
        boolean mayBeFar;
        mutex.lock();
        try {
            for (Caller caller : queue) {
                if (asking.size() < MOST_AT_ONCE) {
                    caller.asked = caller != self; // who withdraws from the line of writers has not been answered
                    asking.add(caller);
                }
            }
            long now = engine.clock().nanos();
            mayBeFar = lastSlotNanos(now) <= now;
        } finally {
            mutex.unlock();
        }
        List<Ask> asks = asking.stream()
                .map(caller -> caller == self ? untilAnswered(caller.ask) : caller.ask)
                .toList();
        List<Answer> answers = List.of();
        try {
            Deadline limit = self.ask.isImmediate() ? Deadline.after(ONE_ATTEMPT) : deadline;
            List<Answer> committed =
                    update(from -> ThrottleState.reserve(from, founding, asks, mayBeFar, now()), limit);
            if (committed.stream().anyMatch(Answer::isGranted)) {
                engine.requireInPlace();
            }
            answers = committed;
        } catch (CacheTimeoutException e) {
            if (self.ask.isImmediate()) {
                answerBusy(self);
            } // else its time is over, or an interrupt ended the wait for the database
        } finally {
            answer(asking, answers, founding);
        }
    }

    /** Whoever is in the database waits for its answer, however long that takes. */
    private static Ask untilAnswered(Ask ask) {
        return ask.isImmediate() ? Ask.now(ask.permits(), Ask.NEVER_NANOS) : ask;
    }

    private void answerBusy(Caller caller) {
        mutex.lock();
        try {
            answer(caller, Answer.NO_TIME);
        } finally {
            mutex.unlock();
        }
    }

    private void answer(List<Caller> asking, List<Answer> answers, ThrottleRate founding) {
        List<Slot> orphans = new ArrayList<>();
        mutex.lock();
        try {
            attempting = false;
            asking.forEach(caller -> caller.asked = false);
            for (int i = 0; i < answers.size(); i++) {
                Caller caller = asking.get(i);
                Answer answer = answers.get(i);
                if (answer.verdict() == Verdict.NOT_YET) {
                    nothingBeforeNanos = answer.slot().nanos() - ThrottleState.AHEAD_NANOS;
                } else if (caller.answer == null && !caller.gone) {
                    answer(caller, answer);
                } else if (answer.isGranted()) {
                    orphans.add(answer.slot());
                }
            }
            orphans.removeIf(this::isInherited);
            wakeFirst();
        } finally {
            mutex.unlock();
        }
        orphans.forEach(slot -> giveBack(slot, founding));
    }

    /** Under the mutex. */
    private void answer(Caller caller, Answer answer) {
        queue.remove(caller);
        caller.answer = answer;
        if (answer.isGranted()) {
            reserved.add(caller);
        }
        LockSupport.unpark(caller.thread);
    }

    /** And whoever makes one attempt, and does not wait for those who sleep in front of it: under the mutex. */
    private void wakeFirst() {
        Caller first = queue.peek();
        for (Caller caller : queue) {
            if (caller == first || caller.ask.isImmediate()) {
                LockSupport.unpark(caller.thread);
            }
        }
    }

    /** However the wait ended: nothing of it stays, and a slot that is not used goes to somebody else. */
    private void leave(Caller caller, ThrottleRate founding, boolean returned) {
        Slot left = null;
        mutex.lock();
        try {
            caller.gone = true;
            Answer answer = caller.answer;
            queue.remove(caller);
            reserved.remove(caller);
            if (!returned && answer != null && answer.isGranted() && !isInherited(answer.slot())) {
                left = answer.slot();
            }
            if (!returned) {
                wakeFirst(); // whose turn, or whose time, may have come sooner
            }
        } finally {
            mutex.unlock();
        }
        if (left != null) {
            giveBack(left, founding);
        }
    }

    /**
     * Whether a slot that its caller does not use goes to the next one here. Under the mutex under which its caller leaves: else the
     * next one could ask for a slot of its own first, and this one would be wasted.
     */
    private boolean isInherited(Slot slot) {
        Caller heir = queue.peek();
        boolean inherits = heir != null && !heir.gone && isOfUse(slot, heir.ask);
        if (inherits) {
            answer(heir, new Answer(Verdict.GRANTED, slot, 0));
        }
        return inherits;
    }

    /** A slot that nobody here uses is free for all if it is the last that was reserved. */
    private void giveBack(Slot slot, ThrottleRate founding) {
        try {
            boolean unused = cancel(founding, slot, Deadline.after(CANCEL_PATIENCE));
        } catch (CacheException | NameInUseException e) {
            // busy, closed or deleted: it is wasted, as that of the dead
        }
    }

    private static boolean isOfUse(Slot slot, Ask ask) {
        return slot.permits() == ask.permits() && !ask.isImmediate() && slot.nanos() <= ask.latestNanos();
    }

    // Reservations

    /** Takes a reservation back; false if others have reserved after it or its slot has come. */
    boolean cancel(ThrottleRate founding, Slot slot, Deadline deadline) {
        return update(from -> ThrottleState.cancel(from, founding, slot, now()), deadline);
    }

    /** Waits for the time of a slot. */
    void await(Slot slot) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        Thread thread = Thread.currentThread();
        asleep.add(thread);
        try {
            while (true) {
                engine.requireOpen(); // or its end wakes the thread
                long left = slot.nanos() - engine.clock().nanos();
                if (left <= 0) {
                    return;
                }
                if (states.inTransaction()) {
                    throw new IllegalStateException("the slot of throttle '" + name
                            + "' has not come, and waiting for it inside a transaction would keep everybody else from"
                            + " writing");
                }
                LockSupport.parkNanos(this, left);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
        } finally {
            asleep.remove(thread);
        }
    }

    Reading now() {
        return Reading.of(engine.clock());
    }

    void afterRollback(Runnable action) {
        states.afterRollback(action);
    }

    // The stored rate

    /** Stores the rate if nobody has stored one, and answers what is stored. */
    ThrottleState register(ThrottleRate rate, Deadline deadline) {
        boolean unused = update(from -> ThrottleState.found(from, rate, now()), deadline);
        return read(rate, deadline);
    }

    ThrottleRate alter(ThrottleRate founding, UnaryOperator<ThrottleRate> change, Deadline deadline) {
        return update(null, from -> ThrottleState.alter(from, founding, change, now()), deadline);
    }

    /** What is stored, on the clock of this boot. */
    ThrottleState read(ThrottleRate founding, Deadline deadline) {
        try {
            return ThrottleState.of(states.read(ThrottleState.KIND, name, deadline), founding, now());
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    void afterCommit(Runnable action) {
        states.afterCommit(action);
    }

    private <R> R update(Transition<R> transition, Deadline deadline) {
        return update(states.inTransaction() ? null : remembered, transition, deadline);
    }

    private <R> R update(@Nullable State base, Transition<R> transition, Deadline deadline) {
        try {
            Update<R> update = states.update(ThrottleState.KIND, name, base, transition, deadline);
            remembered = states.inTransaction() ? null : update.state(); // it may be rolled back
            return update.result();
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    private void requirePossible(Ask ask, Answer answer) {
        if (answer.verdict() == Verdict.TOO_MANY) {
            throw new IllegalArgumentException("permits must be at most the burst of throttle '" + name + "', "
                    + answer.burst() + ", was " + ask.permits());
        }
    }

    String name() {
        return name;
    }

    /** The engine is closed: whoever sleeps finds out. */
    void close() {
        asleep.forEach(LockSupport::unpark);
    }
}
