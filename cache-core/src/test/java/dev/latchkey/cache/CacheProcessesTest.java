package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.Ordering;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Listing;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Stalls;
import dev.latchkey.testing.TestDirectory;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Every method of a cache, by two processes at once. */
@Tag("process")
@Tag("everyJdk")
class CacheProcessesTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final EntryOptions NONE = EntryOptions.none();
    private static final List<String> SAME = keys("same", 20);
    private static final List<String> ACCOUNTS = keys("account", 10);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path() {
        return directory.resolve("cache");
    }

    private Cache create(UnaryOperator<CacheBuilder> options) {
        return options.apply(Cache.builder(path())).open();
    }

    private static List<String> keys(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
    }

    private static Map<String, Object> values(String prefix, int count) {
        Map<String, Object> values = new LinkedHashMap<>();
        keys(prefix, count).forEach(key -> values.put(key, 1));
        return values;
    }

    // Processes

    /** What a process does; its result is a line of text. Some go on until they are told to stop. */
    private interface Part {
        Object play(Cache cache, int number) throws Exception;
    }

    private static final Map<String, Part> PARTS = new LinkedHashMap<>();

    /** Opens the cache, waits for the starting gun, and plays a part. */
    static final class Player {
        public static void main(String[] args) throws Exception {
            Child.start();
            boolean readOnly = args[1].endsWith("read only");
            try (Cache cache =
                    Cache.builder(Path.of(args[0])).readOnly(readOnly).open()) {
                Child.ready();
                Object result = Objects.requireNonNull(PARTS.get(args[1])).play(cache, Integer.parseInt(args[2]));
                Child.say("RESULT " + result);
            }
            Child.say("CLOSED");
        }
    }

    private static boolean isStopped() {
        return Child.hearNow() != null;
    }

    /** Waits until another process has said by an entry that it is at work. */
    private static void awaitBegun(Cache cache) {
        while (!cache.containsKey("begun")) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    /** Plays parts at once; when those before the bar are done, those behind it are told to stop. */
    private List<String> play(String parts) {
        List<String> names = Arrays.asList(parts.split(" *[|,] *"));
        long first = parts.contains("|") ? parts.split("\\|")[0].split(",").length : names.size();
        List<JavaProcess> players = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            players.add(processes.start(Player.class, path().toString(), names.get(i), Integer.toString(i)));
        }
        processes.gun(players);
        List<String> results = new ArrayList<>();
        for (int i = 0; i < players.size(); i++) {
            if (i >= first) {
                players.get(i).send("stop");
            }
            results.add(players.get(i).await("RESULT ", LONG).substring("RESULT ".length()));
        }
        players.forEach(player -> player.await("CLOSED", LONG));
        return results;
    }

    private static List<String> words(String result) {
        return result.isEmpty() ? List.of() : List.of(result.split(" "));
    }

    private static int sum(List<String> results) {
        return results.stream().mapToInt(Integer::parseInt).sum();
    }

    private static void assertEachOnce(List<String> expected, List<String> results) {
        List<String> all = results.stream()
                .flatMap(result -> words(result).stream())
                .sorted()
                .toList();
        assertEquals(expected.stream().sorted().toList(), all);
    }

    private static void assertClean(Cache cache) {
        assertEquals("no damage found", cache.check(false).toString());
    }

    private static byte[] uniform(int fill) {
        byte[] bytes = new byte[40_000 + fill];
        Arrays.fill(bytes, (byte) fill);
        return bytes;
    }

    private static void assertUniform(byte[] bytes) {
        assertNotNull(bytes, "missing");
        int fill = bytes.length - 40_000;
        assertTrue(
                bytes[0] == (byte) fill && Arrays.equals(bytes, 1, bytes.length, bytes, 0, bytes.length - 1),
                "a mix of " + bytes.length + " bytes");
    }

    // Single entries

    static {
        PARTS.put("add", (cache, number) -> keys("key", 500).stream()
                .filter(key -> cache.add(key, key.endsWith("7") ? uniform(number) : number))
                .collect(Collectors.joining(" ")));
        PARTS.put("count", (cache, number) -> {
            for (int i = 0; i < 500; i++) {
                cache.incr("n");
                cache.incr("from ten", 2, 10);
                cache.decr("m", 3);
                cache.incr("d", 0.5);
            }
            return "";
        });
        PARTS.put("delete", (cache, number) -> keys("key", 600).stream()
                .filter(cache::delete)
                .collect(Collectors.joining(" ")));
        PARTS.put("pop", (cache, number) -> {
            List<String> got = new ArrayList<>();
            for (String key : keys("key", 600)) {
                boolean large = key.endsWith("7");
                Optional<?> value = key.hashCode() % 2 == 0
                        ? Optional.ofNullable(cache.pop(key, Object.class))
                        : cache.popEntry(key, Object.class).map(Cache.Entry::value);
                if (value.isPresent()) {
                    assertEquals(large, value.get() instanceof byte[]);
                    got.add(key);
                }
            }
            return String.join(" ", got);
        });
        PARTS.put("touch and persist", (cache, number) -> {
            do {
                assertTrue(cache.touch("a", Duration.ofHours(number)));
                assertTrue(cache.persist("a"));
            } while (!isStopped());
            return "";
        });
        PARTS.put("look at expiry", (cache, number) -> {
            Set<Long> hours = new TreeSet<>();
            for (int i = 0; i < 1000 || hours.size() < 2 || !hours.contains(0L); i++) {
                Cache.Entry<String> entry = cache.entry("a", String.class).orElseThrow();
                assertEquals("value", entry.value());
                hours.add(entry.expiry()
                        .map(expiry -> Duration.between(Instant.now(), expiry.plusSeconds(60))
                                .toHours())
                        .orElse(0L));
            }
            return hours;
        });
    }

    @Test
    void ofTwoThatAddOneWins() {
        try (Cache cache = create(options -> options)) {
            List<String> won = play("add, add");
            assertEachOnce(keys("key", 500), won);
            for (int i = 0; i < 2; i++) {
                for (String key : words(won.get(i))) {
                    Object stored = cache.get(key);
                    assertEquals(
                            i, stored instanceof byte[] bytes ? bytes.length - 40_000 : ((Long) stored).intValue());
                }
            }
            assertClean(cache);
        }
    }

    @Test
    void nothingIsLostOfWhatTwoAdd() {
        try (Cache cache = create(options -> options)) {
            play("count, count");
            assertEquals(1000L, cache.get("n"));
            assertEquals(2010L, cache.get("from ten"));
            assertEquals(-3000L, cache.get("m"));
            assertEquals(500.0, cache.get("d"));
        }
    }

    @Test
    void ofTwoThatRemoveOneDoes() {
        try (Cache cache = create(options -> options)) {
            for (String part : List.of("delete", "pop")) {
                cache.transact(
                        () -> keys("key", 600).forEach(key -> cache.set(key, key.endsWith("7") ? uniform(7) : 1)));
                assertEachOnce(keys("key", 600), play(part + ", " + part));
                assertEquals(0, cache.size());
                assertClean(cache);
            }
        }
    }

    @Test
    void anExpiryIsOneThatSomebodyHasSet() {
        try (Cache cache = create(options -> options)) {
            cache.set("a", "value");
            String seen = play("look at expiry | touch and persist, touch and persist")
                    .get(0);
            assertTrue(List.of("[0, 1, 2]", "[0, 1]", "[0, 2]").contains(seen), seen);
            assertTrue(cache.entry("a", String.class).orElseThrow().expiry().isEmpty());
        }
    }

    // Values that are replaced

    static {
        PARTS.put("overwrite", (cache, number) -> {
            int i = 0;
            for (; !isStopped(); i++) {
                cache.set("a", uniform(i % 100));
            }
            return i;
        });
        PARTS.put("get", (cache, number) -> {
            Set<Integer> lengths = new HashSet<>();
            for (int i = 0; i < 100_000 || lengths.size() <= 10; i++) {
                byte[] bytes =
                        switch (i % 16) {
                            case 0 -> cache.getOrDefault("a", byte[].class, new byte[1]);
                            case 1 ->
                                cache.entry("a", byte[].class).orElseThrow().value();
                            case 2 -> cache.getAll(List.of("a"), byte[].class).get("a");
                            case 3 -> (byte[]) cache.get("a");
                            default -> cache.get("a", byte[].class);
                        };
                assertUniform(bytes);
                lengths.add(bytes.length);
                assertTrue(i % 16 != 5 || cache.containsKey("a"));
            }
            return lengths.size();
        });
        PARTS.put("write streams", (cache, number) -> {
            int i = 0;
            for (; !isStopped(); i++) {
                cache.write("a", new ByteArrayInputStream(uniform(i % 100)));
            }
            return i;
        });
        PARTS.put("read streams", (cache, number) -> {
            Set<Integer> lengths = new HashSet<>();
            for (int i = 0; i < 2000 || lengths.size() <= 10; i++) {
                try (InputStream in = cache.read("a")) {
                    byte[] half = in.readNBytes(20_000);
                    if (i % 20 == 0) {
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                    }
                    byte[] rest = in.readAllBytes();
                    byte[] all = Arrays.copyOf(half, half.length + rest.length);
                    System.arraycopy(rest, 0, all, half.length, rest.length);
                    assertUniform(all);
                    lengths.add(all.length);
                }
            }
            return lengths.size();
        });
        PARTS.put("set all", (cache, number) -> {
            int i = 0;
            for (; !isStopped(); i++) {
                Map<String, Object> values = new LinkedHashMap<>();
                for (String key : SAME) {
                    values.put(key, key.endsWith("7") ? "x".repeat(40_000) + i : "x" + i);
                }
                cache.setAll(values);
            }
            return i;
        });
        PARTS.put("get all", (cache, number) -> {
            Set<String> seen = new HashSet<>();
            for (int i = 0; i < 500 || seen.size() < 2; i++) {
                Map<String, String> all = cache.transact(() -> cache.getAll(SAME, String.class));
                Set<String> numbers = all.values().stream()
                        .map(value -> value.replaceFirst("x+", ""))
                        .collect(Collectors.toSet());
                assertEquals(SAME, List.copyOf(all.keySet()));
                assertEquals(1, numbers.size(), numbers.toString());
                seen.addAll(numbers);
            }
            return seen.size();
        });
        PARTS.put("transfer", (cache, number) -> {
            Random random = new Random(number);
            int i = 0;
            for (; !isStopped(); i++) {
                int amount = random.nextInt(10);
                String from = ACCOUNTS.get(random.nextInt(10));
                String to = ACCOUNTS.get(random.nextInt(10));
                boolean fails = i % 3 == 0;
                try {
                    cache.transact(() -> {
                        cache.decr(from, amount);
                        if (fails) {
                            throw new IllegalStateException();
                        }
                        cache.incr(to, amount);
                    });
                } catch (IllegalStateException e) {
                    assertTrue(fails);
                }
            }
            return i;
        });
        PARTS.put("audit", (cache, number) -> {
            Set<Object> seen = new HashSet<>();
            for (int i = 0; i < 500 || seen.size() < 2; i++) {
                Map<String, Long> all = cache.transact(() -> cache.getAll(ACCOUNTS, Long.class));
                assertEquals(
                        1000, all.values().stream().mapToLong(Long::longValue).sum(), all.toString());
                seen.add(all);
            }
            return seen.size();
        });
    }

    /** In python-diskcache a reader finds nothing when the file goes between its two steps. */
    @Test
    void aLargeValueThatIsOverwrittenIsNeverMissingAndNeverAMixInAHundredThousandReads() {
        try (Cache cache = create(options -> options)) {
            cache.set("a", uniform(0));
            List<String> results = play("get | overwrite");
            System.out.println("100,000 reads saw " + results.get(0) + " values beside " + results.get(1) + " writes");
            assertTrue(Integer.parseInt(results.get(0)) > 10, results.toString());
            assertClean(cache);
        }
    }

    @Test
    void aStreamIsNeverAMix() {
        try (Cache cache = create(options -> options)) {
            cache.set("a", uniform(0));
            assertTrue(Integer.parseInt(play("read streams | write streams").get(0)) > 10);
            assertClean(cache);
        }
    }

    @Test
    void nobodySeesAHalfOfWhatIsSetAtOnce() {
        try (Cache cache = create(options -> options)) {
            cache.setAll(SAME.stream().collect(Collectors.toMap(key -> key, key -> "x-1")));
            assertTrue(Integer.parseInt(play("get all | set all, set all").get(0)) > 1);
            assertClean(cache);
        }
    }

    @Test
    void nobodySeesAHalfOfATransaction() {
        try (Cache cache = create(options -> options)) {
            ACCOUNTS.forEach(account -> cache.set(account, 100));
            assertTrue(Integer.parseInt(play("audit | transfer, transfer").get(0)) > 1);
        }
    }

    // Queues

    static {
        PARTS.put("push and pull", (cache, number) -> {
            List<String> got = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                String queue = i % 2 == 0 ? "q" : null;
                byte[] item = (number + ":" + (i % 2) + ":" + (1000 + i)).getBytes(StandardCharsets.UTF_8);
                if (i % 4 < 2) {
                    cache.push(item, queue, Side.BACK, NONE);
                } else {
                    cache.push(new ByteArrayInputStream(item), queue, Side.BACK, NONE);
                }
                if (i % 3 == 0) {
                    pull(cache, queue, got);
                }
            }
            while (pull(cache, "q", got)) {
                pull(cache, null, got);
            }
            while (pull(cache, null, got)) {
                LockSupport.parkNanos(1);
            }
            return String.join(" ", got);
        });
        PARTS.put("push in order", (cache, number) -> {
            long i = 1;
            for (; !isStopped(); i++) {
                cache.push(i, "q", Side.BACK, NONE);
                if (i > 20) {
                    assertEquals(
                            i - 21,
                            cache.pull("q", Side.FRONT, long.class)
                                    .orElseThrow()
                                    .value());
                }
            }
            return i;
        });
        PARTS.put("peek", (cache, number) -> {
            List<List<Long>> seen = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            for (int i = 0; i < 2000 || hasOneValue(seen.get(0)); i++) {
                seen.get(0)
                        .add(cache.peek("q", Side.FRONT, long.class)
                                .orElseThrow()
                                .value());
                seen.get(1)
                        .add(cache.peek("q", Side.BACK, long.class)
                                .orElseThrow()
                                .value());
                seen.get(2)
                        .add(cache.peekItem(Side.FRONT, long.class)
                                .orElseThrow()
                                .value());
                seen.get(3)
                        .add(cache.peekItem(Side.BACK, long.class).orElseThrow().value());
            }
            seen.forEach(items -> assertTrue(Ordering.natural().isOrdered(items), items.toString()));
            return new HashSet<>(seen.get(0)).size();
        });
    }

    private static boolean hasOneValue(List<Long> ascending) {
        return ascending.get(0).equals(ascending.get(ascending.size() - 1));
    }

    private static boolean pull(Cache cache, String queue, List<String> got) {
        Optional<Cache.Item<byte[]>> item = cache.pull(queue, Side.FRONT, byte[].class);
        item.ifPresent(found -> got.add(new String(found.value(), StandardCharsets.UTF_8)));
        return item.isPresent();
    }

    @Test
    void everyItemIsPulledOnceAndInTheOrderInWhichItWasPushed() {
        try (Cache cache = create(options -> options)) {
            List<String> got = play("push and pull, push and pull, push and pull");
            List<String> pushed = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                for (int number = 0; number < 3; number++) {
                    pushed.add(number + ":" + (i % 2) + ":" + (1000 + i));
                }
            }
            assertEachOnce(pushed, got);
            for (String result : got) {
                for (String queue : List.of("0:0:", "0:1:", "1:0:", "1:1:", "2:0:", "2:1:")) {
                    List<String> items = words(result).stream()
                            .filter(item -> item.startsWith(queue))
                            .toList();
                    assertTrue(Ordering.natural().isOrdered(items), items.toString());
                }
            }
            assertEquals(0, cache.size());
            assertClean(cache);
        }
    }

    @Test
    void theEndsOfAQueueThatMovesAreSeenToMoveOneWay() {
        try (Cache cache = create(options -> options)) {
            cache.push(0, "q", Side.BACK, NONE);
            assertTrue(Integer.parseInt(play("peek | push in order").get(0)) > 1);
        }
    }

    // Many entries

    static {
        PARTS.put("clear", (cache, number) -> cache.clear());
        PARTS.put("evict", (cache, number) -> cache.evict("t"));
        PARTS.put("expire", (cache, number) -> cache.expire());
        PARTS.put("cull", (cache, number) -> cache.cull());
        PARTS.put("come and go", (cache, number) -> {
            Random random = new Random(number);
            int i = 0;
            for (; !isStopped(); i++) {
                cache.set("other" + random.nextInt(500), i, NONE.tag("t"));
                cache.delete("other" + random.nextInt(500));
                cache.set("stay" + random.nextInt(1000), i, NONE.tag("t"));
            }
            return i;
        });
        PARTS.put("iterate", (cache, number) -> {
            while (cache.size() == 1000) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1)); // the other has not begun
            }
            Set<String> stay = new HashSet<>(keys("stay", 1000));
            List<Function<Cache, Stream<Object>>> streams = List.of(
                    Cache::keys,
                    Cache::keysReversed,
                    Cache::sortedKeys,
                    Cache::sortedKeysReversed,
                    one -> one.keysByTag("t"));
            for (int round = 0; round < 20; round++) {
                for (Function<Cache, Stream<Object>> stream : streams) {
                    List<Object> seen = stream.apply(cache).toList();
                    assertEquals(1000, seen.stream().filter(stay::contains).count());
                    assertTrue(new HashSet<>(seen).containsAll(stay));
                }
            }
            return "";
        });
        PARTS.put("tag", (cache, number) -> {
            awaitBegun(cache);
            for (int round = 0; round < 20; round++) {
                List<String> own = keys("p" + number + "-", 25);
                own.forEach(key -> cache.set(key, 1, NONE.tag(number)));
                assertEquals(own, cache.keysByTag(number).toList());
                assertEquals(25, cache.evict(number));
            }
            return "";
        });
        PARTS.put("index", (cache, number) -> {
            int i = 0;
            cache.set("begun", 1);
            do {
                cache.createTagIndex();
                cache.dropTagIndex();
                i++;
            } while (!isStopped());
            cache.delete("begun");
            return i;
        });
    }

    @Test
    void eachEntryIsRemovedAndCountedByOne() {
        try (Cache cache = create(options -> options.reaper(false).cullLimit(0))) {
            for (String part : List.of("clear", "evict", "expire")) {
                cache.setAll(values("key", 3000), NONE.tag("t").expireAfter(Duration.ofMillis(1)));
                cache.set("large", uniform(1), NONE.tag("t").expireAfter(Duration.ofMillis(1)));
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
                assertEquals(3001, sum(play(part + ", " + part)), part);
                assertEquals(0, cache.size());
                assertClean(cache);
            }
        }
    }

    @Test
    void twoThatCullDoNotRemoveMoreThanOneWould() {
        try (Cache cache = create(options -> options.reaper(false).cullLimit(0))) {
            keys("key", 100).forEach(key -> cache.set(key, uniform(0)));
            long rows = Files.exists(path()) ? cache.volume() - 100 * 40_000L - logBytes() : 0;
            cache.alter(Setting.SIZE_LIMIT, rows + 50 * 40_000L + 20_000);
            int removed = sum(play("cull, cull"));
            assertEquals(100 - removed, cache.size());
            assertTrue(removed >= 50 && removed <= 51, removed + " removed");
            assertClean(cache);
        }
    }

    private long logBytes() {
        return path().resolve("cache.db-wal").toFile().length();
    }

    @Test
    void keysThatStayAreShownOnceWhileAnotherProcessWrites() {
        try (Cache cache = create(options -> options)) {
            cache.setAll(values("stay", 1000), NONE.tag("t"));
            assertTrue(Integer.parseInt(play("iterate | come and go").get(1)) > 0);
        }
    }

    @Test
    void tagsAreFoundWhileTheirIndexComesAndGoes() {
        try (Cache cache = create(options -> options)) {
            assertTrue(Integer.parseInt(play("tag, tag | index").get(2)) > 0);
            assertEquals(0, cache.size());
            assertClean(cache);
        }
    }

    // Counts, settings, checks

    static {
        PARTS.put("hit and miss", (cache, number) -> {
            for (int i = 0; i < 3000; i++) {
                cache.get(i % 3 == 0 ? "absent" : "a");
            }
            return "";
        });
        PARTS.put("reset", (cache, number) -> {
            long hits = 0;
            long misses = 0;
            while (!isStopped()) {
                Cache.Stats stats = cache.resetStats();
                hits += stats.hits();
                misses += stats.misses();
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
            return hits + " " + misses;
        });
        PARTS.put("grow", (cache, number) -> {
            int i = 0;
            while (!isStopped()) {
                if (i < 5000) { // of two, less than what the limit allows
                    cache.set(number + "-" + i, uniform(i % 100));
                    i++;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
            return i;
        });
        PARTS.put("measure", (cache, number) -> {
            List<Integer> sizes = new ArrayList<>();
            Set<Long> files = new HashSet<>();
            while (files.size() < 3 || sizes.size() < 100) {
                int before = cache.size();
                long volume = cache.volume();
                assertTrue(volume >= before * 40_000L, volume + " bytes in " + before + " entries");
                sizes.add(before);
                files.add(volume / 10_000_000);
            }
            assertTrue(Ordering.natural().isOrdered(sizes), sizes.toString());
            return files.size();
        });
        PARTS.put("check", (cache, number) -> {
            for (int i = 0; i < 20; i++) {
                assertEquals("no damage found", cache.check(i % 2 == 1).toString());
            }
            return "";
        });
        PARTS.put("alter", (cache, number) -> {
            Setting setting = number == 0 ? Setting.CULL_LIMIT : Setting.MIN_FILE_SIZE;
            for (int i = 1; i <= 200; i++) {
                cache.alter(setting, i);
                assertEquals((long) i, cache.settings().get(setting));
            }
            return "";
        });
        PARTS.put("wait for files", (cache, number) -> {
            boolean inFile = false;
            while (!isStopped()) {
                cache.set("probe", "x".repeat(100));
                if (hasFile(cache.directory()) != inFile) {
                    inFile = !inFile;
                    Child.say(inFile ? "FILE" : "ROW");
                }
            }
            return "";
        });
        PARTS.put("open and close", (cache, number) -> {
            int i = 0;
            for (; !isStopped(); i++) {
                try (Cache other = Cache.open(cache.directory())) {
                    other.incr("n");
                }
            }
            return i;
        });
        PARTS.put("read only", (cache, number) -> {
            Set<Integer> seen = new TreeSet<>();
            int last = 0;
            while (seen.size() < 50) {
                int n = cache.getOrDefault("n", Integer.class, 0);
                assertTrue(n >= last, n + " after " + last);
                seen.add(n);
                last = n;
            }
            return seen.size();
        });
    }

    private static boolean hasFile(Path directory) {
        return Listing.of(directory).stream().anyMatch(file -> file.toString().endsWith(".val"));
    }

    @Test
    void hitsAndMissesOfAllProcessesAddUp() {
        try (Cache cache = create(options -> options.statistics(true))) {
            cache.set("a", 1);
            play("hit and miss, hit and miss");
            assertEquals(new Cache.Stats(4000, 2000), cache.stats());
        }
    }

    @Test
    void noHitOrMissIsLostWhenTheCountsAreReset() {
        try (Cache cache = create(options -> options.statistics(true))) {
            cache.set("a", 1);
            List<String> taken =
                    words(play("hit and miss, hit and miss | reset").get(2));
            Cache.Stats rest = cache.resetStats();
            assertEquals(4000, Long.parseLong(taken.get(0)) + rest.hits());
            assertEquals(2000, Long.parseLong(taken.get(1)) + rest.misses());
        }
    }

    @Test
    void sizeAndVolumeGrowWithWhatOthersWrite() {
        try (Cache cache = create(options -> options)) {
            List<String> results = play("measure | grow, grow");
            assertTrue(Integer.parseInt(results.get(0)) > 1);
            assertEquals(sum(results.subList(1, 3)), cache.size());
        }
    }

    @Test
    void aCheckBesideAWriterFindsNothingWrongAndTakesNothingAway() {
        try (Cache cache = create(options -> options)) {
            cache.set("a", uniform(0));
            play("check | overwrite, write streams");
            assertUniform(cache.get("a", byte[].class));
            assertClean(cache);
        }
    }

    @Test
    void settingsThatTwoAlterAtOnceAreBothAltered() {
        try (Cache cache = create(options -> options)) {
            play("alter, alter");
            assertEquals(200L, cache.settings().get(Setting.CULL_LIMIT));
            assertEquals(200L, cache.settings().get(Setting.MIN_FILE_SIZE));
        }
    }

    /** And one more for a machine that has much to do. */
    @Test
    void anAlteredSettingIsObeyedByAnotherProcessWithinASecond() {
        try (Cache cache = create(options -> options)) {
            JavaProcess other = processes.start(Player.class, path().toString(), "wait for files", "0");
            processes.gun(List.of(other));
            cache.alter(Setting.MIN_FILE_SIZE, 50); // code that has just been loaded is slow
            other.await("FILE", LONG);
            cache.alter(Setting.MIN_FILE_SIZE, 1000);
            other.await("ROW", LONG);
            try (Stalls stalls = new Stalls()) {
                cache.alter(Setting.MIN_FILE_SIZE, 50);
                long start = System.nanoTime();
                other.await("FILE", LONG);
                long end = System.nanoTime();
                long millis = TimeUnit.NANOSECONDS.toMillis(end - start - stalls.nanosWithin(start, end));
                assertTrue(millis < 2_000, "obeyed after " + millis + " ms");
            }
            other.send("stop");
        }
    }

    @Test
    void processesThatOpenAndCloseLoseNothing() {
        try (Cache cache = create(options -> options)) {
            List<String> results = play("read only | open and close, open and close");
            assertEquals(sum(results.subList(1, 3)), cache.get("n", int.class));
            assertTrue(Integer.parseInt(results.get(0)) > 1, "a reader saw " + results.get(0) + " numbers");
        }
    }

    // Eviction

    static {
        PARTS.put("fill", (cache, number) -> {
            for (int i = 0; i < 400; i++) {
                String key = number + "-" + i;
                byte[] value = uniform(i % 100);
                cache.transact(
                        () -> { // or the other may evict it before it is read
                            cache.set(key, value);
                            assertUniform(cache.get(key, byte[].class));
                        });
            }
            return "";
        });
        PARTS.put("fill slowly", (cache, number) -> {
            awaitBegun(cache);
            for (int i = 0; i < 250; i++) {
                cache.set(number + "-" + i, uniform(i % 100));
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
            return "";
        });
        PARTS.put("read the hot ones", (cache, number) -> {
            for (int i = 0; !isStopped(); i++) {
                keys("hot", 10).forEach(key -> assertUniform(cache.get(key, byte[].class)));
                if (i == 0) {
                    cache.set("begun", 1);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            }
            return "";
        });
    }

    @Test
    void twoThatWriteShareOneLimitAndPinnedEntriesStay() {
        long limit = 4_000_000;
        try (Cache cache = create(options -> options.sizeLimit(limit))) {
            List<String> pinned = keys("pinned", 10);
            pinned.forEach(key -> cache.set(key, uniform(1), NONE.pinned()));
            play("fill, fill");
            cache.cull();
            assertTrue(pinned.stream().allMatch(cache::containsKey));
            long bytes = cache.size() * 40_000L;
            assertTrue(bytes <= limit && bytes >= limit * 3 / 4, cache.size() + " entries");
            assertClean(cache);
        }
    }

    /** The reads are written down by the second, long before as much is written as there is room for. */
    @Test
    void whatOneProcessReadsAnotherDoesNotEvict() {
        try (Cache cache =
                create(options -> options.sizeLimit(6_000_000).evictionPolicy(EvictionPolicy.LEAST_RECENTLY_USED))) {
            keys("hot", 10).forEach(key -> cache.set(key, uniform(1)));
            play("fill slowly | read the hot ones");
            assertTrue(keys("hot", 10).stream().allMatch(cache::containsKey));
            assertTrue(!cache.containsKey("0-0"), "others were evicted");
        }
    }
}
