package dev.latchkey.coordination;

import java.time.Duration;

/**
 * How many permits in how much time, and how many of them at once.
 *
 * @param count permits per period
 * @param periodNanos the period
 * @param givenBurst how many at once, 0 for as many as {@code count} says
 */
record ThrottleRate(long count, long periodNanos, long givenBurst) {
    /** 36 years: what is added up of two or three of these does not overflow. */
    static final long LONGEST_NANOS = Long.MAX_VALUE / 8;

    static ThrottleRate of(long count, Duration period) {
        return of(count, period, 0);
    }

    private static ThrottleRate of(long count, Duration period, long givenBurst) {
        if (count < 1) {
            throw new IllegalArgumentException("count must be > 0, was " + count);
        }
        if (period.isZero() || period.isNegative() || period.compareTo(Duration.ofNanos(LONGEST_NANOS)) > 0) {
            throw new IllegalArgumentException("period must be positive and at most 36 years, was " + period);
        }
        ThrottleRate rate = new ThrottleRate(count, period.toNanos(), givenBurst);
        rate.requireExact();
        rate.requireShort();
        return rate;
    }

    ThrottleRate withBurst(long burst) {
        if (burst < 1) {
            throw new IllegalArgumentException("burst must be > 0, was " + burst);
        }
        return of(count, period(), burst);
    }

    /** The same burst, if it was given, with another rate. */
    ThrottleRate altered(long otherCount, Duration otherPeriod) {
        return of(otherCount, otherPeriod, givenBurst);
    }

    /** An interval is a whole number of nanoseconds, and what is lost by rounding must not be felt. */
    private void requireExact() {
        if (count > periodNanos || intervalNanos() * count - periodNanos > periodNanos / 100) {
            throw new IllegalArgumentException("count " + count + " in " + period()
                    + " is too fast to be kept in whole nanoseconds between two permits; count in thousands");
        }
    }

    private void requireShort() {
        if (burst() > LONGEST_NANOS / intervalNanos()) {
            throw new IllegalArgumentException("burst must be at most what comes in 36 years, "
                    + LONGEST_NANOS / intervalNanos() + ", was " + burst());
        }
    }

    Duration period() {
        return Duration.ofNanos(periodNanos);
    }

    long burst() {
        return givenBurst == 0 ? count : givenBurst;
    }

    /** The time between two permits, rounded up. */
    long intervalNanos() {
        return (periodNanos - 1) / count + 1;
    }

    /** How far ahead of its time a permit may be. */
    long toleranceNanos() {
        return burst() * intervalNanos();
    }

    /** Whether both mean the same, whether the burst was given or not. */
    boolean isSameAs(ThrottleRate other) {
        return count == other.count && periodNanos == other.periodNanos && burst() == other.burst();
    }

    @Override
    public String toString() {
        return count + " per " + period() + " (burst " + burst() + ")";
    }
}
