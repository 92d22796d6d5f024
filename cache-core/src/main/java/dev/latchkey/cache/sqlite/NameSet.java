package dev.latchkey.cache.sqlite;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.stream.IntStream;

/**
 * Names of value files, eight bytes each: the first half of the random bytes that a name consists of. Fill it, {@link #sort} it,
 * then mark those that rows name.
 */
final class NameSet {
    private long[] halves = new long[256];
    private int size;
    private final BitSet named = new BitSet();
    private final BitSet released = new BitSet();

    void add(String name) {
        if (size == halves.length) {
            halves = Arrays.copyOf(halves, size * 2);
        }
        halves[size++] = half(name);
    }

    void sort() {
        Arrays.sort(halves, 0, size);
    }

    private static long half(String name) {
        return Long.parseUnsignedLong(name.substring(0, 2) + name.substring(3, 5) + name.substring(6, 18), 16);
    }

    private int indexOf(String name) {
        return Arrays.binarySearch(halves, 0, size, half(name));
    }

    /** A row names it. */
    void name(String name) {
        set(named, name);
    }

    /** The row that named it was removed. */
    void release(String name) {
        set(released, name);
    }

    private void set(BitSet bits, String name) {
        int index = indexOf(name);
        if (index >= 0) {
            bits.set(index);
        }
    }

    /** Whether it was added and no row names it. */
    boolean isUnknown(String name) {
        int index = indexOf(name);
        return index >= 0 && !named.get(index);
    }

    boolean isReleased(String name) {
        int index = indexOf(name);
        return index >= 0 && released.get(index);
    }

    /** The folders of those that no row names. */
    Iterator<String> foldersOfUnknown() {
        return IntStream.range(0, size)
                .filter(index -> !named.get(index))
                .mapToLong(index -> halves[index] >>> 48)
                .distinct()
                .mapToObj(folder -> String.format("%02x/%02x", folder >>> 8, folder & 0xff))
                .iterator();
    }
}
