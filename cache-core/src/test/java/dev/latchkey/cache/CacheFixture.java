package dev.latchkey.cache;

import dev.latchkey.testing.Listing;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A cache in a directory of its own for each test of a contract. */
abstract class CacheFixture {
    static final Duration SHORT = Duration.ofMillis(50);
    static final EntryOptions BRIEFLY = EntryOptions.none().expireAfter(SHORT);
    static final EntryOptions FOR_AN_HOUR = EntryOptions.none().expireAfter(Duration.ofHours(1));

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    Cache cache;

    /** Prepares to open the implementation under test on a directory that may exist. */
    abstract AbstractCacheBuilder<?> builder(Path path);

    /** The order in which {@code keys()} shows keys that were inserted in this order. */
    List<Object> inOrderOfInsertion(List<Object> inserted) {
        return inserted;
    }

    Cache open(Path path) {
        return builder(path).open();
    }

    @BeforeEach
    void open() {
        cache = open(directory.resolve("cache"));
    }

    @AfterEach
    void close() {
        cache.close();
    }

    /** Goes on with a new cache in another directory. */
    void create(UnaryOperator<AbstractCacheBuilder<?>> options) {
        cache.close();
        cache = options.apply(builder(directory.resolve("created"))).open();
    }

    /** Goes on with the same directory. */
    void reopen() {
        Path path = cache.directory();
        cache.close();
        cache = open(path);
    }

    List<Path> valueFiles() {
        return files(name -> name.endsWith(".val"));
    }

    long valueFolders() {
        return files(name -> name.matches("[0-9a-f]{2}")).size();
    }

    long logBytes() {
        return bytes(files(name -> name.endsWith("-wal")));
    }

    static long bytes(List<Path> files) {
        return files.stream().mapToLong(file -> file.toFile().length()).sum();
    }

    List<Path> files(Function<String, Boolean> wanted) {
        return Listing.of(cache.directory()).stream()
                .filter(path -> wanted.apply(path.getFileName().toString()))
                .toList();
    }

    /** Stores a value that has expired when this returns. */
    void setExpired(Object key, Object value) {
        cache.set(key, value, BRIEFLY);
        awaitExpiry(key);
    }

    void awaitExpiry(Object key) {
        Awaitility.await().pollInterval(Duration.ofMillis(5)).until(() -> !cache.containsKey(key));
    }

    static Map<String, Integer> numbered(String prefix, int count) {
        return Stream.iterate(0, i -> i + 1)
                .limit(count)
                .collect(Collectors.toMap(i -> prefix + i, i -> i, (a, b) -> a, java.util.LinkedHashMap::new));
    }

    /** Keys that can be compared: arrays as text. */
    static List<Object> comparable(Collection<?> keys) {
        return keys.stream()
                .map(key -> key instanceof byte[] bytes ? "bytes " + java.util.Arrays.toString(bytes) : (Object) key)
                .toList();
    }
}
