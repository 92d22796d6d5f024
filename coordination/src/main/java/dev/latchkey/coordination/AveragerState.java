package dev.latchkey.coordination;

import java.util.OptionalDouble;

/**
 * A sum and how many numbers are in it. The sum is compensated: what is lost by rounding is kept beside it and added at the end
 * (A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54, 1974).
 *
 * @param total the rounded sum
 * @param lost what rounding has taken from it
 * @param count how many numbers there are
 */
record AveragerState(double total, double lost, long count) {
    static final String KIND = "averager";
    static final AveragerState EMPTY = new AveragerState(0, 0, 0);

    static AveragerState parse(String detail) {
        if (detail.isEmpty()) {
            return EMPTY;
        }
        String[] parts = detail.split("[ =]", -1);
        return new AveragerState(Double.parseDouble(parts[1]), Double.parseDouble(parts[3]), Long.parseLong(parts[5]));
    }

    String detail() {
        return "total=" + total + " lost=" + lost + " count=" + count;
    }

    /** With one number more. */
    AveragerState with(double value) {
        double sum = total + value;
        double error = Math.abs(total) >= Math.abs(value) ? total - sum + value : value - sum + total;
        if (Double.isInfinite(sum)) {
            throw new ArithmeticException("the sum of " + count + " numbers and " + value + " is beyond a double");
        }
        return new AveragerState(sum, lost + error, count + 1);
    }

    OptionalDouble average() {
        return count == 0 ? OptionalDouble.empty() : OptionalDouble.of((total + lost) / count);
    }
}
