package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.cache.spi.State;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * A rate limit as it is stored: the generic cell rate algorithm on whole nanoseconds. The theoretical arrival time, {@code tat},
 * is when all permits are there again. Legal transitions, each one update of the row:
 *
 * <pre>
 *   nothing -> tat = now                                  found: once, with all permits
 *   tat     -> max(tat, now) + permits x interval         reserve; its slot is the new tat - burst x interval, or now
 *   tat     -> tat - permits x interval                   cancel, before its slot, if tat is what the reservation made it
 *   rate    -> another rate                               alter: what is used stays used, what is reserved stays before it
 *   another boot -> tat = now + what was left of it       convert, before each of the others
 * </pre>
 *
 * <p>Let p be the first and q the last to reserve of those whose slots are in a window of length t, and c what all of them cost in
 * time. Then slot(q) >= slot(p) + c - burst x interval, so they are at most burst + t / interval permits; in whatever order the
 * clocks were read.
 *
 * @param rate how many permits in how much time
 * @param tat when all permits are there again, on the host clock of the boot
 * @param atNanos when it was written, on the same clock
 * @param atMillis the same by the wall clock
 * @param boot which boot the host clock counts from
 */
record ThrottleState(ThrottleRate rate, long tat, long atNanos, long atMillis, String boot) {
    static final String KIND = "throttle";

    /** The farthest that a whole queue may reserve ahead. */
    static final long AHEAD_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** One look at both clocks. */
    record Reading(long nanos, long wallMillis, String boot) {
        static Reading of(HostClock clock) {
            return new Reading(clock.nanos(), clock.wallMillis(), clock.bootId());
        }
    }

    /**
     * What a caller wants.
     *
     * @param latestNanos the last slot that is of use to it, and when it stops waiting for an answer
     * @param isImmediate whether only a slot that has come is of use
     */
    record Ask(long permits, long latestNanos, boolean isImmediate) {
        /** Later than any slot. */
        static final long NEVER_NANOS = Long.MAX_VALUE / 2;

        static Ask now(long permits, long latestNanos) {
            return new Ask(permits, latestNanos, true);
        }

        static Ask until(long permits, long latestNanos) {
            return new Ask(permits, latestNanos, false);
        }

        static Ask ever(long permits) {
            return new Ask(permits, NEVER_NANOS, false);
        }
    }

    /**
     * When a caller may go on.
     *
     * @param nanos not before this instant
     * @param permits how many it may take
     * @param tat what reserving it made of the tat
     * @param costNanos by how much it moved the tat
     */
    record Slot(long nanos, long permits, long tat, long costNanos) {}

    enum Verdict {
        GRANTED,
        /** Its slot is of no use to the caller. */
        TOO_LATE,
        /** Its slot is farther away than may be reserved now. */
        NOT_YET,
        /** It wants more than the burst. */
        TOO_MANY
    }

    /** The slot is the one that was reserved, or the one that would have been. */
    record Answer(Verdict verdict, Slot slot, long burst) {
        /** The database was busy, or others come first. */
        static final Answer NO_TIME = new Answer(Verdict.TOO_LATE, new Slot(0, 0, 0, 0), 0);

        boolean isGranted() {
            return verdict == Verdict.GRANTED;
        }
    }

    static ThrottleState full(ThrottleRate rate, Reading now) {
        return new ThrottleState(rate, now.nanos, now.nanos, now.wallMillis, now.boot);
    }

    /** Reads what is stored; nothing stored is a throttle with all permits. */
    static ThrottleState of(State row, ThrottleRate founding, Reading now) {
        return (row.exists() ? parse(row.detail()) : full(founding, now)).asOf(now);
    }

    static ThrottleState parse(String detail) {
        Map<String, String> values = new HashMap<>();
        for (String pair : detail.split(" ", -1)) {
            int equals = pair.indexOf('=');
            values.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        String burst = values.getOrDefault("burst", "");
        ThrottleRate rate = new ThrottleRate(
                number(values, "count"), number(values, "period"), burst.equals("count") ? 0 : Long.parseLong(burst));
        return new ThrottleState(
                rate,
                number(values, "tat"),
                number(values, "at"),
                number(values, "wall"),
                values.getOrDefault("boot", ""));
    }

    private static long number(Map<String, String> values, String key) {
        return Long.parseLong(values.getOrDefault(key, ""));
    }

    String detail() {
        return "count=" + rate.count() + " period=" + rate.periodNanos() + " burst="
                + (rate.givenBurst() == 0 ? "count" : rate.givenBurst()) + " tat=" + tat + " at=" + atNanos + " wall="
                + atMillis + " boot=" + boot;
    }

    /** The same on the clock of this boot. The wall clock counts whole milliseconds, so one of them is not believed. */
    ThrottleState asOf(Reading now) {
        boolean sameBoot = boot.equals(now.boot) && (!boot.isEmpty() || now.nanos >= atNanos);
        if (sameBoot) {
            return this;
        }
        long passed = TimeUnit.MILLISECONDS.toNanos(Math.max(0, now.wallMillis - atMillis - 1));
        long left = Math.max(0, Math.max(0, tat - atNanos) - passed);
        return new ThrottleState(rate, now.nanos + left, now.nanos, now.wallMillis, now.boot);
    }

    private ThrottleState with(ThrottleRate otherRate, long otherTat, Reading now) {
        return new ThrottleState(otherRate, otherTat, now.nanos, now.wallMillis, now.boot);
    }

    /** The slot that so many permits would get. */
    Slot slot(long permits, Reading now) {
        long cost = permits * rate.intervalNanos();
        long next = Math.max(tat, now.nanos) + cost;
        return new Slot(Math.max(next - rate.toleranceNanos(), now.nanos), permits, next, cost);
    }

    /** How many permits are to be had at once. */
    long remaining(Reading now) {
        long used = Math.max(0, tat - now.nanos);
        return Math.max(0, rate.toleranceNanos() - used) / rate.intervalNanos();
    }

    /** How long until a permit is to be had, 0 if one is. */
    long retryAfterNanos(Reading now) {
        return slot(1, now).nanos - now.nanos;
    }

    private Answer answer(Ask ask, boolean mayBeFar, Reading now) {
        if (ask.permits > rate.burst()) {
            return new Answer(Verdict.TOO_MANY, new Slot(now.nanos, ask.permits, tat, 0), rate.burst());
        }
        Slot slot = slot(ask.permits, now);
        long latest = ask.isImmediate ? Math.min(now.nanos, ask.latestNanos) : ask.latestNanos;
        Verdict verdict = slot.nanos > latest
                ? Verdict.TOO_LATE
                : mayBeFar || slot.nanos - now.nanos <= AHEAD_NANOS ? Verdict.GRANTED : Verdict.NOT_YET;
        return new Answer(verdict, slot, rate.burst());
    }

    /**
     * Reserves for callers in their order, up to the first whose slot is not to be reserved yet; answers those, and that one.
     *
     * @param mayBeFar whether one slot may be reserved however far away it is
     */
    static Decision<List<Answer>> reserve(
            State row, ThrottleRate founding, List<Ask> asks, boolean mayBeFar, Reading now) {
        ThrottleState state = of(row, founding, now);
        List<Answer> answers = new ArrayList<>();
        boolean granted = false;
        boolean blocked = false;
        for (int i = 0; i < asks.size() && !blocked; i++) {
            Answer answer = state.answer(asks.get(i), mayBeFar && !granted, now);
            answers.add(answer);
            if (answer.isGranted()) {
                requireNear(row.name(), answer.slot, now);
                state = state.with(state.rate, answer.slot.tat, now);
                granted = true;
            }
            blocked = answer.verdict == Verdict.NOT_YET;
        }
        return granted ? store(row, state, answers) : Decision.keep(row, answers);
    }

    private static void requireNear(String name, Slot slot, Reading now) {
        if (slot.tat - now.nanos > ThrottleRate.LONGEST_NANOS) {
            throw new IllegalStateException(
                    "throttle '" + name + "' has been reserved for the next 36 years; nothing more can be reserved");
        }
    }

    /** Takes a reservation back, if nobody has reserved after it and its slot has not come. */
    static Decision<Boolean> cancel(State row, ThrottleRate founding, Slot slot, Reading now) {
        ThrottleState state = of(row, founding, now);
        boolean isLast = row.exists() && state.tat == slot.tat && slot.nanos > now.nanos;
        return isLast
                ? store(row, state.with(state.rate, state.tat - slot.costNanos, now), true)
                : Decision.keep(row, false);
    }

    /** Stores a throttle that has all its permits, unless there is one. */
    static Decision<Boolean> found(State row, ThrottleRate rate, Reading now) {
        return row.exists() ? Decision.keep(row, false) : store(row, full(rate, now), true);
    }

    /**
     * Sets another rate. What was reserved keeps its slot, and the new rate begins after the last of these; of the permits of the
     * new rate as many are used as were of the old one.
     */
    static Decision<ThrottleRate> alter(
            State row, ThrottleRate founding, UnaryOperator<ThrottleRate> change, Reading now) {
        ThrottleState state = of(row, founding, now);
        ThrottleRate other = change.apply(state.rate);
        return store(row, state.with(other, state.tatAfter(other, now), now), other);
    }

    private long tatAfter(ThrottleRate other, Reading now) {
        long lastSlot = tat - rate.toleranceNanos();
        long interval = rate.intervalNanos();
        long used = lastSlot > now.nanos ? rate.burst() : (Math.max(0, tat - now.nanos) + interval - 1) / interval;
        return Math.max(lastSlot, now.nanos) + Math.min(used, other.burst()) * other.intervalNanos();
    }

    private static <R> Decision<R> store(State row, ThrottleState next, R result) {
        return Decision.store(row.withDetail(next.detail()), result);
    }
}
