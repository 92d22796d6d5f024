package dev.latchkey.cache;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.zip.Adler32;

/** The contracts over shards, whose number is that of most users. */
final class FanoutFixture {
    static final int SHARDS = 8;

    private FanoutFixture() {}

    static FanoutCacheBuilder builder(Path path) {
        return FanoutCache.builder(path).shards(SHARDS);
    }

    /** One shard after the other. */
    static List<Object> inOrderOfInsertion(List<Object> inserted) {
        List<Object> inOrder = new ArrayList<>(inserted);
        inOrder.sort(Comparator.comparingInt(key -> shardOf(key, SHARDS)));
        return inOrder;
    }

    /** Python's rule, written down once more. */
    static int shardOf(Object key, int shards) {
        if (key instanceof Number number && !(key instanceof Double)) {
            return (int) (Math.floorMod(number.longValue(), (1L << 32) - 1) % shards);
        }
        Adler32 sum = new Adler32();
        if (key instanceof Double real) {
            long bits = Double.doubleToRawLongBits(real);
            for (int shift = 56; shift >= 0; shift -= 8) {
                sum.update((int) (bits >>> shift) & 0xFF);
            }
        } else {
            sum.update(key instanceof byte[] bytes ? bytes : key.toString().getBytes(StandardCharsets.UTF_8));
        }
        return (int) (sum.getValue() % shards);
    }
}
