package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.StoredKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.zip.Adler32;

/** How keys are spread over shards and put in order again: as python-diskcache spreads them, and as SQLite orders them. */
final class ShardKeys {
    private static final long MASK = 0xFFFF_FFFFL;
    private static final double TWO_TO_63 = 0x1p63;

    /** Numbers by size, then strings by code points, then bytes; of two alike the one that Python pickled first. */
    static final Comparator<StoredKey> ORDER = Comparator.<StoredKey, Object>comparing(
                    StoredKey::column, ShardKeys::compareColumns)
            .thenComparing(key -> key.raw());

    private ShardKeys() {}

    static int shardOf(StoredKey key, int shards) {
        return (int) (hash(key.column()) % shards);
    }

    private static long hash(Object column) {
        if (column instanceof Long number) {
            return Math.floorMod(number, MASK);
        }
        if (column instanceof Double real) {
            return adler(ByteBuffer.allocate(Double.BYTES).putDouble(real).array());
        }
        return adler(bytes(column));
    }

    private static byte[] bytes(Object column) {
        return column instanceof byte[] bytes ? bytes : column.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static long adler(byte[] bytes) {
        Adler32 sum = new Adler32();
        sum.update(bytes);
        return sum.getValue();
    }

    private static int compareColumns(Object a, Object b) {
        int byType = Integer.compare(type(a), type(b));
        if (byType != 0) {
            return byType;
        }
        return a instanceof Number x && b instanceof Number y
                ? compareNumbers(x, y)
                : Arrays.compareUnsigned(bytes(a), bytes(b));
    }

    private static int type(Object column) {
        return column instanceof Number ? 0 : column instanceof String ? 1 : 2;
    }

    private static int compareNumbers(Number a, Number b) {
        if (a instanceof Long x) {
            return b instanceof Long y ? Long.compare(x, y) : compareMixed(x, b.doubleValue());
        }
        return b instanceof Long y
                ? -compareMixed(y, a.doubleValue())
                : a.doubleValue() < b.doubleValue() ? -1 : a.doubleValue() > b.doubleValue() ? 1 : 0;
    }

    /** Exactly: a long has more digits than a double. */
    private static int compareMixed(long number, double real) {
        if (real >= TWO_TO_63) {
            return -1;
        }
        if (real < -TWO_TO_63) {
            return 1;
        }
        long whole = (long) real;
        return number != whole ? Long.compare(number, whole) : Double.compare((double) whole, real);
    }
}
