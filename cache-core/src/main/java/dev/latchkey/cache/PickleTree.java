package dev.latchkey.cache;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes lists, maps and sets of what was unpickled. Whatever is shared in the pickle is shared in the tree, so that the
 * tree takes no more memory than the pickle allows; but whoever walks through it meets what is shared again and again.
 * Hence its weight is bounded: one for each node and for each character or byte, counted as often as met.
 */
final class PickleTree {
    private static final int FREE_WEIGHT = 1 << 20;
    private static final int WEIGHT_PER_BYTE = 16;

    /** Nodes that may be hashed, or compared because their hashes are equal: some seconds at worst. */
    private static final long MAX_HASHING = 500_000_000;

    enum Kind {
        LIST,
        TUPLE,
        DICT,
        SET,
        FROZENSET,
        /** A list whose items were taken to make a set of. */
        SPENT
    }

    /** A container; a dict has keys and values in turn. */
    static final class Node {
        private Kind kind;
        private final List<@Nullable Object> items;
        private @Nullable Object tree;
        private boolean open;
        private int height;
        private long weight;

        Node(Kind kind, List<@Nullable Object> items) {
            this.kind = kind;
            this.items = items;
        }

        Kind kind() {
            return kind;
        }

        List<@Nullable Object> items() {
            return items;
        }

        /** Without copying: a short pickle could ask for many copies of a long list. */
        Node turnInto(Kind other) {
            kind = Kind.SPENT;
            return new Node(other, items);
        }

        private boolean isKey(int index) {
            return kind == Kind.DICT ? index % 2 == 0 : kind == Kind.SET || kind == Kind.FROZENSET;
        }
    }

    private final PickleInput in;
    private final long maxWeight;
    private long weight;
    private long hashing;

    PickleTree(PickleInput in) {
        this.in = in;
        this.maxWeight = FREE_WEIGHT + (long) WEIGHT_PER_BYTE * in.length();
    }

    @Nullable
    Object of(@Nullable Object value) {
        return tree(value, 1);
    }

    private @Nullable Object tree(@Nullable Object value, int depth) {
        if (value instanceof Node node) {
            return node.tree == null ? build(node, depth) : again(node, node.tree, depth);
        }
        if (value instanceof Pickle.Known known) {
            throw in.refused("it holds a Python object that is more than a plain tree: the callable " + known);
        }
        add(1 + size(value));
        return value;
    }

    private static int size(@Nullable Object leaf) {
        return leaf instanceof String text ? text.length() : leaf instanceof byte[] bytes ? bytes.length : 0;
    }

    private void add(long more) {
        weight += more;
        if (weight > maxWeight) {
            throw in.refused("written out, what is shared in it would be more than " + maxWeight
                    + " values, characters and bytes");
        }
    }

    private Object again(Node node, Object tree, int depth) {
        requireDepth(depth - 1 + node.height);
        add(node.weight);
        return tree;
    }

    private void requireDepth(int depth) {
        if (depth > Json.MAX_DEPTH) {
            throw in.refused("it has more than " + Json.MAX_DEPTH + " levels");
        }
    }

    private Object build(Node node, int depth) {
        if (node.open) {
            throw in.refused("it has a cycle: a " + node.kind + " is inside itself");
        }
        if (node.kind == Kind.SPENT) {
            throw in.refused("a list of which a set was made is used as a list too");
        }
        requireDepth(depth);
        node.open = true;
        long before = weight;
        add(1);
        buildItems(node, depth);
        node.weight = weight - before;
        node.open = false;
        Object tree = collection(node);
        node.tree = tree;
        return tree;
    }

    /** In place, to save memory. */
    private void buildItems(Node node, int depth) {
        List<@Nullable Object> items = node.items;
        Map<Integer, Integer> hashes = hasOrderedKeys(node) ? null : new HashMap<>();
        int height = 0;
        for (int i = 0; i < items.size(); i++) {
            Object item = items.get(i);
            long before = weight;
            Object built = tree(item, depth + 1);
            items.set(i, built);
            height = item instanceof Node inner ? Math.max(height, inner.height) : height;
            if (hashes != null && node.isKey(i)) {
                hash(built, weight - before, hashes);
            }
        }
        node.height = height + 1;
    }

    /** A hash table finds equal hashes of one class quickly if the class is Comparable; else it compares them all. */
    private static boolean hasOrderedKeys(Node node) {
        Class<?> common = null;
        for (int i = 0; i < node.items.size(); i++) {
            if (node.isKey(i)) {
                Object key = node.items.get(i);
                if (!(key instanceof Comparable) || common != null && common != key.getClass()) {
                    return false;
                }
                common = key.getClass();
            }
        }
        return true;
    }

    private void hash(@Nullable Object key, long keyWeight, Map<Integer, Integer> hashes) {
        int equal = hashes.merge(key == null ? 0 : key.hashCode(), 1, Integer::sum);
        hashing += keyWeight * equal;
        if (hashing > MAX_HASHING) {
            throw in.refused("too many keys of its dicts and sets have equal hashes, or are sets of sets");
        }
    }

    private Object collection(Node node) {
        return switch (node.kind) {
            case LIST, TUPLE, SPENT -> node.items;
            case SET, FROZENSET -> new LinkedHashSet<>(node.items);
            case DICT -> map(node.items);
        };
    }

    private Map<@Nullable Object, @Nullable Object> map(List<@Nullable Object> items) {
        Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>(items.size());
        for (int i = 0; i < items.size(); i += 2) {
            map.put(items.get(i), items.get(i + 1));
        }
        if (map.size() * 2 != items.size()) {
            throw in.refused("a dict has two equal keys");
        }
        return map;
    }
}
