package dev.latchkey.stress.check;

/**
 * A number that says who made it: the numbers of one thread, or of one process of Python, rise by one, and no other has the
 * same.
 *
 * @param producer one thread of one process
 * @param sequence from 1 on
 */
public record NumberedItem(long producer, long sequence) {
    private static final long MOST_ITEMS = 1_000_000_000L;
    private static final long MOST_THREADS = 10_000;

    /** The number before the first of a thread; a process is a letter and a number, such as {@code w7}. */
    public static long first(String process, int thread) {
        return (Long.parseLong(process.substring(1)) * MOST_THREADS + thread + 1) * MOST_ITEMS;
    }

    /** Takes a number apart. */
    public static NumberedItem of(long number) {
        return new NumberedItem(number / MOST_ITEMS, number % MOST_ITEMS);
    }
}
