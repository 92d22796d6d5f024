package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.cache.spi.State;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A rate limit of fixed periods as it is stored: so many permits in each period of a clock that all processes share. Permits are
 * handed out period by period; {@code period} is the last one of which some were, and that may be one to come. Legal transitions, each
 * one update of the row:
 *
 * <pre>
 *   nothing             -> period 0 begins now, left = limit        found
 *   left >= permits     -> left - permits                           reserve; the slot is the beginning of the period, or now
 *   left &lt; permits      -> the next period, left = limit - permits  reserve; the slot is the beginning of that
 *   the period is over  -> the current one, left = limit            before each of these
 *   left                -> left + permits                           cancel, before its slot, if the period is still the last
 *   left                -> 0                                        drain, if the period is the current one
 *   limit               -> another limit                            change; what is left of the current period stays
 *   another length      -> period 0 begins when the last one ends   configure
 *   another boot        -> as much later as the wall clock says     convert, before each of the others
 * </pre>
 *
 * <p>What is left of a period when somebody wants more than that is lost, so no period ever gives out more than the limit, whatever is
 * asked for. Only who wants more permits than the limit at once gets those of several periods, and goes on with the last of them.
 *
 * @param limit permits in each period
 * @param lengthNanos of each period
 * @param origin when period 0 began, on the host clock of the boot
 * @param period the last one of which permits were handed out
 * @param left how many of it are left
 * @param configured the limit that the configuration has, which may have been changed since
 * @param atNanos when it was written, on the host clock of the boot
 * @param atMillis the same by the wall clock
 * @param boot which boot the host clock counts from
 */
record PeriodState(
        int limit,
        long lengthNanos,
        long origin,
        long period,
        int left,
        int configured,
        long atNanos,
        long atMillis,
        String boot) {
    static final String KIND = "ratelimiter";

    /** 36 years: what is added up of two or three of these does not overflow. */
    static final long LONGEST_NANOS = Long.MAX_VALUE / 8;

    private static final long NEVER_NANOS = Long.MAX_VALUE / 2;

    /** One look at both clocks. */
    record Reading(long nanos, long wallMillis, String boot) {
        static Reading of(HostClock clock) {
            return new Reading(clock.nanos(), clock.wallMillis(), clock.bootId());
        }
    }

    /**
     * What an instance that is made brings with it.
     *
     * @param limit permits in each period
     * @param lengthNanos of each period
     */
    record Configuration(int limit, long lengthNanos) {}

    /**
     * When a caller may go on.
     *
     * @param granted whether it may
     * @param nanos not before this instant
     * @param period of which the permits are, the last of them
     * @param permits how many
     */
    record Slot(boolean granted, long nanos, long period, int permits) {}

    static PeriodState full(Configuration configuration, Reading now) {
        return new PeriodState(
                configuration.limit,
                configuration.lengthNanos,
                now.nanos,
                0,
                configuration.limit,
                configuration.limit,
                now.nanos,
                now.wallMillis,
                now.boot);
    }

    /** Reads what is stored; nothing stored is a limit of which nothing is used. */
    static PeriodState of(State row, Configuration founding, Reading now) {
        return row.exists() ? parse(row.detail()).asOf(now).current(now) : full(founding, now);
    }

    static PeriodState parse(String detail) {
        Map<String, String> values = new HashMap<>();
        for (String pair : detail.split(" ", -1)) {
            int equals = pair.indexOf('=');
            values.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        return new PeriodState(
                Math.toIntExact(number(values, "limit")),
                number(values, "length"),
                number(values, "origin"),
                number(values, "period"),
                Math.toIntExact(number(values, "left")),
                Math.toIntExact(number(values, "configured")),
                number(values, "at"),
                number(values, "wall"),
                values.getOrDefault("boot", ""));
    }

    private static long number(Map<String, String> values, String key) {
        return Long.parseLong(values.getOrDefault(key, ""));
    }

    String detail() {
        return "limit=" + limit + " length=" + lengthNanos + " origin=" + origin + " period=" + period + " left=" + left
                + " configured=" + configured + " at=" + atNanos + " wall=" + atMillis + " boot=" + boot;
    }

    /** The same on the clock of this boot. The wall clock counts whole milliseconds, so one of them is not believed. */
    private PeriodState asOf(Reading now) {
        boolean sameBoot = boot.equals(now.boot) && (!boot.isEmpty() || now.nanos >= atNanos);
        if (sameBoot) {
            return this;
        }
        long passed = TimeUnit.MILLISECONDS.toNanos(Math.max(0, now.wallMillis - atMillis - 1));
        long sinceOrigin = Math.min(atNanos - origin + passed, LONGEST_NANOS);
        return new PeriodState(
                limit,
                lengthNanos,
                now.nanos - sinceOrigin,
                period,
                left,
                configured,
                now.nanos,
                now.wallMillis,
                now.boot);
    }

    private PeriodState current(Reading now) {
        long current = Math.floorDiv(now.nanos - origin, lengthNanos);
        return current > period ? with(current, limit, now) : this;
    }

    private PeriodState with(long otherPeriod, int otherLeft, Reading now) {
        return new PeriodState(
                limit, lengthNanos, origin, otherPeriod, otherLeft, configured, now.nanos, now.wallMillis, now.boot);
    }

    /** Later than anybody waits for if it would overflow. */
    private long beginning(long ofPeriod) {
        boolean fits = ofPeriod <= (NEVER_NANOS - origin) / lengthNanos;
        return fits ? origin + ofPeriod * lengthNanos : NEVER_NANOS;
    }

    private boolean isToCome(Reading now) {
        return beginning(period) > now.nanos;
    }

    /** How many are to be had now; negative if permits of periods to come are reserved. */
    int available(Reading now) {
        if (!isToCome(now)) {
            return left;
        }
        long between = period - Math.floorDiv(now.nanos - origin, lengthNanos) - 1;
        return (int) Math.max(Integer.MIN_VALUE, -(between * limit + (long) limit - left));
    }

    /** The state after a reservation; its slot is the beginning of its period, or now. */
    private PeriodState less(int permits, Reading now) {
        if (permits <= left) {
            return with(period, left - permits, now);
        }
        if (permits <= limit) {
            return with(period + 1, limit - permits, now);
        }
        long more = (long) permits - left;
        long periods = (more - 1) / limit + 1;
        return with(period + periods, (int) (periods * limit - more), now);
    }

    /** Reserves permits if their slot is no farther away than the caller waits. */
    static Decision<Slot> reserve(State row, Configuration founding, int permits, long waitNanos, Reading now) {
        PeriodState state = of(row, founding, now);
        PeriodState next = state.less(permits, now);
        long slot = Math.max(now.nanos, next.beginning(next.period));
        boolean granted = slot - now.nanos <= Math.max(0, waitNanos);
        Slot answer = new Slot(granted, slot, next.period, permits);
        return granted ? store(row, next, answer) : Decision.keep(row, answer);
    }

    /** Takes a reservation back, if its period is to come and nobody has one of a later period. */
    static Decision<Boolean> cancel(State row, Configuration founding, Slot slot, Reading now) {
        PeriodState state = of(row, founding, now);
        boolean counts = row.exists()
                && state.period == slot.period
                && state.isToCome(now)
                && state.left + (long) slot.permits <= state.limit;
        return counts
                ? store(row, state.with(state.period, state.left + slot.permits, now), true)
                : Decision.keep(row, false);
    }

    /** Takes what is left of the current period. */
    static Decision<Integer> drain(State row, Configuration founding, Reading now) {
        PeriodState state = of(row, founding, now);
        boolean drains = !state.isToCome(now) && state.left > 0;
        return drains ? store(row, state.with(state.period, 0, now), state.left) : Decision.keep(row, 0);
    }

    /** Sets another limit, of which nothing is felt in the current period. */
    static Decision<PeriodState> change(State row, Configuration founding, int limit, Reading now) {
        PeriodState state = of(row, founding, now);
        PeriodState next = state.limited(limit, state.configured, now);
        return store(row, next, next);
    }

    private PeriodState limited(int other, int nowConfigured, Reading now) {
        int otherLeft = isToCome(now) ? Math.max(0, other - (limit - left)) : left;
        return new PeriodState(
                other, lengthNanos, origin, period, otherLeft, nowConfigured, now.nanos, now.wallMillis, now.boot);
    }

    /**
     * Stores a configuration if there is none, or if it is another one than the last; what was changed since then stays as long as
     * the configuration does.
     */
    static Decision<PeriodState> configure(State row, Configuration configuration, Reading now) {
        PeriodState state = of(row, configuration, now);
        boolean sameLength = state.lengthNanos == configuration.lengthNanos;
        if (row.exists() && sameLength && state.configured == configuration.limit) {
            return Decision.keep(row, state);
        }
        PeriodState next = !row.exists()
                ? state
                : sameLength
                        ? state.limited(configuration.limit, configuration.limit, now)
                        : new PeriodState(
                                configuration.limit,
                                configuration.lengthNanos,
                                state.beginning(state.period + 1),
                                -1,
                                0,
                                configuration.limit,
                                now.nanos,
                                now.wallMillis,
                                now.boot);
        return store(row, next, next);
    }

    private static <R> Decision<R> store(State row, PeriodState next, R result) {
        return Decision.store(row.withDetail(next.detail()), result);
    }
}
