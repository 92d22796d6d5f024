package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Two processes of each language at once on one directory. */
class PythonConcurrencyTest extends PythonInterop {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int EACH = 2_500;

    /** What a script of Python and a child do at once, twice each, with the number of the process as last argument. */
    private void twoOfEach(Class<?> java, String script, String... arguments) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<JavaProcess> children = new ArrayList<>();
            List<Future<String>> pythons = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                children.add(processes.start(java, with(path.toString(), arguments, "java" + i)));
            }
            children.forEach(child -> child.await(Child.READY, LONG));
            for (int i = 0; i < 2; i++) {
                String[] all = with(null, arguments, "python" + i);
                pythons.add(threads.submit(() -> python(script, all)));
            }
            children.forEach(child -> child.send(Child.GO));
            for (JavaProcess child : children) {
                child.await("DONE", LONG);
                assertEquals(0, child.exitCode(LONG), child.output().toString());
            }
            for (Future<String> python : pythons) {
                assertEquals("DONE", python.get(LONG.toSeconds(), TimeUnit.SECONDS));
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static String[] with(String first, String[] arguments, String last) {
        List<String> all = new ArrayList<>();
        if (first != null) {
            all.add(first);
        }
        all.addAll(List.of(arguments));
        all.add(last);
        return all.toArray(new String[0]);
    }

    static final class Counter {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                Child.ready();
                for (int i = 0; i < EACH; i++) {
                    cache.incr("n");
                }
            }
            Child.say("DONE");
        }
    }

    @Test
    void everyIncrementOfTwoProcessesOfEachLanguageCounts() throws Exception {
        try (Cache cache = Cache.open(path)) {
            twoOfEach(Counter.class, """
                    for _ in range(2500):
                        cache.incr('n', retry=True)
                    print('DONE')
                    """);
            assertEquals(4 * EACH, cache.get("n", int.class));
            assertCleanOnBothSides(cache);
        }
    }

    /**
     * Pushes its items and pulls as it goes, then pulls until all four have pushed and nothing is left. Each fifth item has a
     * file. What it pulled stands in a file, one item a line.
     */
    static final class Queuer {
        public static void main(String[] args) throws Exception {
            Child.start();
            String name = args[2];
            List<String> pulled = new ArrayList<>();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                Child.ready();
                for (int i = 0; i < EACH; i++) {
                    String item = name + " " + i;
                    cache.push(i % 5 == 0 ? item + " ".repeat(40_000) : item, "q", Side.BACK, EntryOptions.none());
                    if (i % 2 == 0) {
                        pull(cache, pulled);
                    }
                }
                cache.incr("finished");
                boolean last = false;
                while (pull(cache, pulled) || !last) {
                    last = cache.get("finished", int.class) == 4;
                }
            }
            Files.write(Path.of(args[1], name), pulled);
            Child.say("DONE");
        }

        private static boolean pull(Cache cache, List<String> pulled) {
            Optional<Cache.Item<String>> item = cache.pull("q", Side.FRONT, String.class);
            item.ifPresent(found -> pulled.add(String.valueOf(found.value()).strip()));
            return item.isPresent();
        }
    }

    @Test
    void ofTheItemsThatFourProcessesPushAndPullNoneIsLostAndNoneComesTwice() throws Exception {
        try (Cache cache = Cache.open(path)) {
            twoOfEach(Queuer.class, """
                    out, name = sys.argv[2:]
                    pulled = []
                    def pull():
                        key, value = cache.pull(prefix='q', retry=True)
                        if key is not None:
                            pulled.append(value.strip())
                        return key is not None
                    for i in range(2500):
                        item = '%s %d' % (name, i)
                        cache.push(item + ' ' * 40000 if i % 5 == 0 else item, prefix='q', retry=True)
                        if i % 2 == 0:
                            pull()
                    cache.incr('finished', retry=True)
                    last = False
                    while pull() or not last:
                        last = cache['finished'] == 4
                    with open(out + '/' + name, 'w') as f:
                        f.write('\\n'.join(pulled) + '\\n')
                    print('DONE')
                    """, directory.path().toString());
            assertEquals(1, cache.size());
            assertCleanOnBothSides(cache);
        }
        Map<String, Integer> seen = new HashMap<>();
        for (String consumer : List.of("java0", "java1", "python0", "python1")) {
            Map<String, Integer> last = new HashMap<>();
            for (String item : Files.readAllLines(directory.resolve(consumer))) {
                seen.merge(item, 1, Integer::sum);
                String[] parts = item.split(" ", -1);
                int number = Integer.parseInt(parts[1]);
                Integer before = last.put(parts[0], number);
                assertTrue(before == null || before < number, consumer + " got " + item + " after " + before);
            }
        }
        assertEquals(4 * EACH, seen.size());
        seen.forEach((item, times) -> assertEquals(1, times, item));
    }

    /** Values that state their own checksum: 32 bytes of SHA-256 before the content. */
    static final class Values {
        private Values() {}

        static byte[] random(Random random) {
            byte[] content = new byte[30_000 + random.nextInt(100_000)];
            random.nextBytes(content);
            byte[] value = Arrays.copyOf(sha256(content, 0), 32 + content.length);
            System.arraycopy(content, 0, value, 32, content.length);
            return value;
        }

        static boolean isWhole(byte[] value) {
            return value.length >= 32 && Arrays.equals(sha256(value, 32), Arrays.copyOf(value, 32));
        }

        private static byte[] sha256(byte[] bytes, int from) {
            try {
                MessageDigest digest = MessageDigest.getInstance("SHA-256");
                digest.update(bytes, from, bytes.length - from);
                return digest.digest();
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Keys 0 to 4 are always there, 5 to 9 come and go. */
    static final class Mixer {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Random random = new Random();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                Child.ready();
                long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(6);
                int read = 0;
                while (System.nanoTime() < end) {
                    int key = random.nextInt(10);
                    int action = random.nextInt(10);
                    if (action < 3) {
                        cache.set(key, Values.random(random));
                    } else if (action == 3) {
                        cache.delete(5 + random.nextInt(5));
                    } else {
                        byte[] value =
                                action < 5 && key >= 5 ? cache.pop(key, byte[].class) : cache.get(key, byte[].class);
                        if (value == null ? key < 5 : !Values.isWhole(value)) {
                            throw new AssertionError("key " + key + (value == null ? " is missing" : " is damaged"));
                        }
                        read++;
                    }
                }
                Child.say("READ " + read);
            }
            Child.say("DONE");
        }
    }

    /** A get of Python misses a value whose file is replaced between its two steps, whoever replaces it; so it asks again. */
    @Test
    void largeValuesThatFourProcessesReplaceAreNeverPartialNorMissing() throws Exception {
        Random random = new Random(1);
        try (Cache cache = Cache.open(path)) {
            for (int key = 0; key < 5; key++) {
                cache.set(key, Values.random(random));
            }
            twoOfEach(Mixer.class, """
                    import hashlib, random
                    def fresh():
                        content = os.urandom(random.randrange(30000, 130000))
                        return hashlib.sha256(content).digest() + content
                    end = time.monotonic() + 6
                    while time.monotonic() < end:
                        key, action = random.randrange(10), random.randrange(10)
                        if action < 3:
                            cache.set(key, fresh(), retry=True)
                        elif action == 3:
                            cache.delete(random.randrange(5, 10), retry=True)
                        else:
                            pop = action < 5 and key >= 5
                            value = cache.pop(key, retry=True) if pop else cache.get(key, retry=True)
                            tries = 0
                            while value is None and key < 5:
                                tries += 1
                                assert tries < 100, 'key %d is missing' % key
                                value = cache.get(key, retry=True)
                            if value is not None:
                                assert hashlib.sha256(value[32:]).digest() == value[:32], 'key %d is damaged' % key
                    print('DONE')
                    """);
            for (Object key : cache.keys().toList()) {
                assertTrue(Values.isWhole(cache.get(key, byte[].class)), "key " + key);
            }
            assertCleanOnBothSides(cache);
        }
    }

    /**
     * An operation that fails undoes its batch, and the others in it are run again. In between their files must not be where
     * a repair of Python looks for files that nothing names.
     */
    @Test
    void aRepairOfPythonTakesNoFileOfAValueWhoseBatchIsRunAgain() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(7);
        AtomicBoolean over = new AtomicBoolean();
        try (Cache cache = Cache.open(path)) {
            cache.set("text", "not a number");
            List<Future<Integer>> writers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                String key = "large" + i;
                writers.add(threads.submit(() -> write(cache, key, over)));
                threads.execute(() -> {
                    while (!over.get()) {
                        assertThrows(CodecException.class, () -> cache.incr("text"));
                    }
                });
            }
            Future<String> python = threads.submit(() -> python("""
                    import errno
                    warnings.simplefilter('always')
                    start, rounds = time.monotonic(), 0
                    while time.monotonic() < start + (50 if rounds < 3 else 5):
                        try:
                            found = [str(w.message) for w in cache.check(fix=True, retry=True)]
                            assert not [m for m in found if m.startswith(('file not', 'wrong'))], found
                            rounds += 1
                        except OSError as e:
                            assert e.errno in (errno.ENOENT, errno.ENOTEMPTY), e
                    print(rounds)
                    """));
            int rounds = Integer.parseInt(python.get(LONG.toSeconds(), TimeUnit.SECONDS));
            over.set(true);
            int written = 0;
            for (Future<Integer> writer : writers) {
                written += writer.get(LONG.toSeconds(), TimeUnit.SECONDS);
            }
            assertTrue(rounds > 2 && written > 20, rounds + " repairs, " + written + " values");
            assertCleanOnBothSides(cache);
        } finally {
            over.set(true);
            threads.shutdownNow();
        }
    }

    private static int write(Cache cache, String key, AtomicBoolean over) {
        int written = 0;
        for (; !over.get(); written++) {
            byte[] value = new byte[40_000 + written % 100];
            cache.set(key, value);
            assertArrayEquals(value, cache.get(key, byte[].class));
        }
        return written;
    }
}
