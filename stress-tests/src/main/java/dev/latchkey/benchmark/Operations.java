package dev.latchkey.benchmark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;

/** The operations, by the names that the driver and the script of Python know them by too. */
final class Operations {
    /** How many keys a thread writes, and how many are read. */
    static final int KEYS = 100;
    /** The entries of one {@code setAll}, and the calls that are under way at once. */
    static final int MANY = 100;
    /** What is counted up by whoever has the lock, eight bytes with the lowest first. */
    static final String TALLY = "tally";

    /** What a read of {@code k0} has found changed by another process, how often. */
    static final String CHANGES = "changes";
    /** What is left in the deque. */
    static final String DEQUE = "deque";
    /** Stands before the name of an entry of which the check sum is told. */
    static final String SUM_OF = "sum-of-";

    /** The next key to be used is so far from the last: a prime, so that all have their turn, and neighbours are not used together. */
    private static final int STRIDE = 7919;
    /** Of so many reads one is of the key that another process changes. */
    private static final int READS_BETWEEN = 20;

    private static final String PADDING = ":0123456789abcdef";

    private final Subject subject;
    private final Path directory;
    private final String process;
    /** The newest number of which another process has told that it stands in {@code k0}; the next read must see it. */
    private final AtomicLong newest = new AtomicLong();

    Operations(Subject subject, Path directory, String process) {
        this.subject = subject;
        this.directory = directory;
        this.process = process;
    }

    /** The value with this number. */
    static String value(long number) {
        return number + PADDING;
    }

    static long number(String value) {
        int end = value.indexOf(':');
        if (end < 0 || !value.endsWith(PADDING)) {
            throw new IllegalStateException("not a value of the benchmark: " + value);
        }
        return Long.parseLong(value.substring(0, end));
    }

    /** A check sum that Python has as well. */
    static long sum(byte[] value) {
        CRC32 sum = new CRC32();
        sum.update(value);
        return sum.getValue();
    }

    /** From now on a read of {@code k0} must find this number or a later one. */
    void expect(long number) {
        newest.set(number);
    }

    /**
     * One operation for one thread.
     *
     * @param word {@code get}, {@code get-missing}, {@code set}, {@code set-new}, {@code set-all}, {@code set-async}, {@code set-bytes},
     *     {@code lock}, {@code deque} or {@code pass}
     * @param parameter nanoseconds to hold a lock, how many locks or keys there are if it is negative, the length of a value, or a rate
     */
    Operation of(String word, int thread, long parameter) throws IOException {
        return switch (word) {
            case "get" -> new Get(parameter < 0 ? Math.toIntExact(-parameter) : KEYS);
            case "get-missing" -> new GetMissing();
            case "set" -> new Set(thread, Math.toIntExact(-parameter));
            case "set-new" -> new SetNew(thread);
            case "set-all" -> new SetAll(thread);
            case "set-async" -> new SetAsync(thread);
            case "set-bytes" -> new SetBytes(Math.toIntExact(parameter));
            case "lock" -> new Lock(parameter);
            case "deque" -> new Deque();
            case "pass" ->
                () -> {
                    subject.pass(Math.toIntExact(parameter));
                    return 1;
                };
            default -> throw new IllegalArgumentException("there is no operation " + word);
        };
    }

    private final class Get implements Operation {
        private final int keys;
        private int next;
        private long reads;
        private long found;
        private long changes;

        Get(int keys) {
            this.keys = keys;
        }

        @Override
        public long run() throws Exception {
            int i = 0;
            if (reads++ % READS_BETWEEN > 0) {
                next = (next + STRIDE) % keys;
                i = next;
            }
            long least = i == 0 ? newest.get() : 0;
            String value = subject.get("k" + i);
            if (value == null) {
                throw new IllegalStateException("k" + i + " is not there");
            }
            long number = number(value);
            if (number < least || (i > 0 && number != i)) {
                throw new IllegalStateException("k" + i + " has " + number + ", but " + least + " was written before");
            }
            if (i == 0 && number != found) {
                changes++;
                found = number;
            }
            return number;
        }

        @Override
        public void begin() {
            changes = 0;
        }

        /** What it has read while nobody changed anything is no fair measure of a cache that others share. */
        @Override
        public Optional<String> last() {
            return Optional.of(CHANGES + "=" + changes);
        }
    }

    private final class GetMissing implements Operation {
        private int next;

        @Override
        public long run() throws Exception {
            next = (next + 1) % KEYS;
            if (subject.get("missing" + next) != null) {
                throw new IllegalStateException("missing" + next + " is there");
            }
            return next;
        }
    }

    /** Writes keys that are there. */
    private final class Set implements Operation {
        private final int thread;
        private final int keys;
        private long count;

        /**
         * Made for one thread.
         *
         * @param keys how many of those that the store was filled with; 0 for keys of its own
         */
        Set(int thread, int keys) {
            this.thread = thread;
            this.keys = keys;
        }

        private String key() {
            return keys > 0 ? "k" + count * STRIDE % keys : Operations.this.key(thread, count % KEYS);
        }

        @Override
        public long run() throws Exception {
            count++;
            subject.set(key(), value(count));
            return count;
        }

        @Override
        public Optional<String> last() {
            return Optional.of(key() + "=" + value(count));
        }
    }

    private final class SetNew implements Operation {
        private final int thread;
        private long count;

        SetNew(int thread) {
            this.thread = thread;
        }

        @Override
        public long run() throws Exception {
            count++;
            subject.set(key(thread, count), value(count));
            return count;
        }

        @Override
        public Optional<String> last() {
            return Optional.of(key(thread, count) + "=" + value(count));
        }
    }

    private String key(int thread, long number) {
        return "s" + process + "." + thread + "." + number;
    }

    private final class SetAll implements Operation {
        private final int thread;
        private long count;

        SetAll(int thread) {
            this.thread = thread;
        }

        @Override
        public long run() throws Exception {
            Map<String, String> entries = new LinkedHashMap<>();
            for (int i = 0; i < MANY; i++) {
                count++;
                entries.put(key(thread, count % KEYS), value(count));
            }
            subject.setAll(entries);
            return count;
        }

        @Override
        public Optional<String> last() {
            return Optional.of(key(thread, count % KEYS) + "=" + value(count));
        }
    }

    /** Waits for the oldest of the calls that are under way when there are too many. */
    private final class SetAsync implements Operation {
        private final java.util.Deque<Future<?>> underWay = new ArrayDeque<>();
        private final int thread;
        private long count;

        SetAsync(int thread) {
            this.thread = thread;
        }

        @Override
        public long run() throws Exception {
            if (underWay.size() == MANY) {
                underWay.remove().get();
            }
            count++;
            underWay.add(subject.setLater(key(thread, count % KEYS), value(count)));
            return count;
        }

        /** Calls under way at once may be done in any order, so only the last one that stood alone is sure. */
        @Override
        public Optional<String> last() {
            try {
                while (!underWay.isEmpty()) {
                    underWay.remove().get();
                }
                count++;
                subject.setLater(key(thread, count % KEYS), value(count)).get();
            } catch (Exception e) {
                throw new IllegalStateException("an asynchronous set failed", e);
            }
            return Optional.of(key(thread, count % KEYS) + "=" + value(count));
        }
    }

    private final class SetBytes implements Operation {
        private final byte[] value;
        private int count;

        SetBytes(int length) {
            value = new byte[length];
            new java.util.Random(length).nextBytes(value);
        }

        @Override
        public long run() throws Exception {
            value[count % value.length] = (byte) ++count;
            subject.setBytes("bytes", value);
            return count;
        }

        @Override
        public Optional<String> last() {
            return Optional.of(SUM_OF + "bytes=" + sum(value));
        }
    }

    /** Whoever has the lock counts up what all processes see, in two steps: two holders at once would lose a count. */
    private final class Lock implements Operation {
        private final ByteBuffer tally;
        private final long holdNanos;
        private final int names;
        private long count;

        Lock(long parameter) throws IOException {
            holdNanos = Math.max(0, parameter);
            names = parameter < 0 ? Math.toIntExact(-parameter) : 1;
            try (FileChannel channel = FileChannel.open(
                    directory.resolve(TALLY),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE)) {
                tally = channel.map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN);
            }
        }

        @Override
        public long run() throws Exception {
            hold();
            return count;
        }

        @Override
        public long timed() throws Exception {
            if (holdNanos > 0) {
                return hold();
            }
            return Operation.super.timed();
        }

        private long hold() throws Exception {
            String name = "lock" + (names == 1 ? 0 : count % names);
            long start = System.nanoTime();
            subject.acquire(name);
            long granted = System.nanoTime();
            long counted = tally.getLong(0);
            while (System.nanoTime() - granted < holdNanos) {
                Thread.onSpinWait();
            }
            tally.putLong(0, counted + 1);
            count++;
            subject.release(name);
            return granted - start;
        }

        @Override
        public Optional<Operation> alone() {
            String name = "warm-up of " + process;
            return Optional.of(() -> {
                subject.acquire(name);
                subject.release(name);
                return 1;
            });
        }

        @Override
        public Optional<String> last() {
            return Optional.of(TALLY + "=" + count);
        }
    }

    private final class Deque implements Operation {
        private long count;

        @Override
        public long run() throws Exception {
            String value = value(++count);
            subject.offer(value);
            String polled = subject.poll();
            if (!value.equals(polled)) {
                throw new IllegalStateException("offered " + value + ", polled " + polled);
            }
            return count;
        }

        @Override
        public Optional<String> last() {
            return Optional.of(DEQUE + "=null");
        }
    }
}
