package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.examples.WordCount.Usage;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * The index that all workers merge their files into: a few entries of the cache, and counters beside them.
 *
 * <p>A merge reads the entries, adds a file to them and writes them back. Between reading and writing nobody else may do the same,
 * or what he adds is lost. One {@code cache.transact} around both would do here; the lock stands for all the cases where the work
 * in between is too long for a transaction, which keeps every other writer waiting, or where the data lies elsewhere.
 *
 * <pre>
 * key                        value
 * words-0 ... words-3        {"words": {"lock": {"occurrences": 40, "files": 7}, ...}}, by first letter
 * merged/docs/README.md      1: how often this file was merged
 * files, words, lines        counters
 * </pre>
 */
final class SharedIndex {
    private static final int SHARDS = 4;

    private final Cache cache;

    SharedIndex(Cache cache) {
        this.cache = cache;
    }

    /** A part of the words. */
    record Shard(Map<String, Usage> words) {
        static final Shard EMPTY = new Shard(Map.of());

        Shard plus(Map<String, Usage> more) {
            Map<String, Usage> sum = new HashMap<>(words);
            more.forEach((word, usage) -> sum.merge(word, usage, Usage::plus));
            return new Shard(sum);
        }
    }

    /** The first half of a merge: reads what is there and adds a file to it, without writing anything. */
    Map<String, Shard> plus(WordCount file) {
        Map<String, Map<String, Usage>> parts = new HashMap<>();
        file.words().forEach((word, usage) -> parts.computeIfAbsent(shardOf(word), shard -> new HashMap<>())
                .put(word, usage));
        Map<String, Shard> merged = new HashMap<>();
        parts.forEach((shard, words) -> merged.put(shard, read(shard).plus(words)));
        return merged;
    }

    /** The second half: writes what {@link #plus} returned. To be called in a transaction. */
    void store(String name, WordCount file, Map<String, Shard> merged) {
        merged.forEach(cache::set);
        cache.incr("merged/" + name);
        cache.incr("files");
        cache.incr("words", file.total());
        cache.incr("lines", file.lines());
    }

    /** How many files were merged; one that was merged twice counts twice. */
    long files() {
        return cache.getOrDefault("files", Long.class, 0L);
    }

    /** How often a file was merged. */
    long merges(String name) {
        return cache.getOrDefault("merged/" + name, Long.class, 0L);
    }

    /** All that is stored. */
    WordCount read() {
        Map<String, Usage> words = new TreeMap<>();
        for (int i = 0; i < SHARDS; i++) {
            words.putAll(read("words-" + i).words());
        }
        return new WordCount(
                words, cache.getOrDefault("words", Long.class, 0L), cache.getOrDefault("lines", Long.class, 0L));
    }

    private Shard read(String shard) {
        return cache.getOrDefault(shard, Shard.class, Shard.EMPTY);
    }

    private static String shardOf(String word) {
        return "words-" + word.codePointAt(0) % SHARDS;
    }
}
