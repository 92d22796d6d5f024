package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.CheckReport.Kind;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Python;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Checks of a directory in which other processes write and die. */
@Tag("process")
@Tag("everyJdk")
class CheckBesideOthersTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int LARGE = 40_000;
    private static final int KEYS = 20;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path;

    @BeforeEach
    void name() {
        path = directory.resolve("cache");
    }

    /** Sets, overwrites and deletes large values of its own keys until it hears something, then says what must be there. */
    static final class LargeWriter {
        public static void main(String[] args) {
            Child.start();
            String name = args[1];
            Random random = new Random(name.hashCode());
            int[] sizes = new int[KEYS];
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                long rounds = 0;
                while (Child.hearNow() == null) {
                    int key = random.nextInt(KEYS);
                    int size = LARGE + random.nextInt(1000);
                    if (random.nextInt(4) == 0) {
                        cache.delete(name + key);
                        sizes[key] = 0;
                    } else if (random.nextInt(4) == 0) {
                        cache.transact(() -> {
                            cache.delete(name + key);
                            cache.set(name + key, new byte[LARGE]);
                            cache.set(name + key, new byte[size]);
                        });
                        sizes[key] = size;
                    } else {
                        cache.set(name + key, new byte[size]);
                        sizes[key] = size;
                    }
                    if (++rounds == 5) {
                        Child.say("WRITES"); // all classes are loaded
                    }
                }
                for (int i = 0; i < KEYS; i++) {
                    byte[] value = cache.get(name + i, byte[].class);
                    if ((value == null ? 0 : value.length) != sizes[i]) {
                        Child.say("LOST " + name + i);
                    }
                }
                Child.say("DONE " + rounds);
            }
        }
    }

    private static final String PYTHON_WRITER = """
            import sys, random, time, diskcache
            cache = diskcache.Cache(sys.argv[1])
            sizes = {}
            end = time.time() + float(sys.argv[2])
            while time.time() < end:
                key = 'python%d' % random.randrange(20)
                if random.randrange(4) == 0:
                    cache.delete(key, retry=True)
                    sizes.pop(key, None)
                else:
                    sizes[key] = 40000 + random.randrange(1000)
                    cache.set(key, bytes(sizes[key]), retry=True)
            for key, size in sizes.items():
                assert len(cache[key]) == size, key
            print('ok')
            """;

    /**
     * Values of the last seconds are too young to be unknown for those who look; but a repair may take a file of any age whose
     * writers are all Java's, because it waits for their transactions.
     */
    @Test
    void noCheckFindsDamageOrTakesAValueWhileOthersWrite() throws Exception {
        Duration time = Duration.ofSeconds(8);
        Duration almost = Duration.ofMinutes(10).minusSeconds(30);
        besideWriters(true, time, almost, almost);
        besideWriters(false, time, almost, Duration.ofMinutes(11));
    }

    private void besideWriters(boolean python, Duration time, Duration laterToLook, Duration laterToRepair)
            throws Exception {
        List<JavaProcess> writers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            writers.add(processes.start(LargeWriter.class, path.toString(), "java" + i + "-"));
        }
        writers.forEach(writer -> writer.await("WRITES", LONG));
        var thread = Executors.newSingleThreadExecutor();
        int checks = 0;
        try (Cache cache = Cache.open(path)) {
            Future<String> pythonWriter = thread.submit(
                    () -> python ? Python.run(PYTHON_WRITER, path.toString(), Long.toString(time.toSeconds())) : "ok");
            long end = System.nanoTime() + time.toNanos();
            while (System.nanoTime() - end < 0 || checks <= 4) {
                boolean repair = checks++ % 2 == 1;
                CheckReport report = Damage.checkLater(cache, repair, repair ? laterToRepair : laterToLook);
                assertTrue(report.isClean(), report::toString);
            }
            long rounds = 0;
            for (JavaProcess writer : writers) {
                writer.send("end");
                rounds += Long.parseLong(writer.await("", LONG).replace("DONE ", ""));
                assertEquals(0, writer.exitCode(LONG));
            }
            assertEquals("ok", pythonWriter.get(60, TimeUnit.SECONDS).strip());
            System.out.println(
                    checks + " checks beside " + rounds + " writes of Java" + (python ? " and Python's" : ""));
            assertTrue(checks > 4 && rounds > 200, checks + " checks, " + rounds + " writes");
            CheckReport last = Damage.checkLater(cache, false);
            assertTrue(last.isClean(), last::toString);
        } finally {
            thread.shutdownNow();
        }
    }

    // Writers that die

    @Test
    void whatKilledWritersLeaveIsRemovedAndNothingElse() {
        Random random = new Random(4);
        int left = 0;
        for (int round = 0; round < 12; round++) {
            JavaProcess writer = processes.start(LargeWriter.class, path.toString(), "java" + round + "-");
            writer.await("WRITES", LONG);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20 + random.nextInt(150)));
            writer.kill();
            left += clean(round % 2 == 0);
        }
        System.out.println("12 killed writers left " + left + " files");
        assertTrue(left > 0, "no writer died between file and row");
    }

    /** Answers how many files were removed. */
    private int clean(boolean bySweep) {
        try (Cache cache = Cache.builder(path).reaper(false).open()) {
            List<String> named =
                    Rows.of(path, "SELECT filename FROM Cache WHERE filename IS NOT NULL ORDER BY filename");
            List<String> before = Damage.files(path);
            assertTrue(before.containsAll(named));
            Map<Kind, Integer> young = Damage.kinds(cache.check(true));
            young.remove(Kind.EMPTY_FOLDER);
            assertEquals(Map.of(), young);
            assertEquals(before, Damage.files(path));
            if (bySweep) {
                Sweep sweep = new Sweep(Damage.engine(cache), Damage.ahead(Damage.LATER));
                sweep.begin();
                assertTrue(sweep.run(System.nanoTime() + LONG.toNanos()));
            } else {
                CheckReport report = Damage.checkLater(cache, true);
                assertTrue(report.findings().stream().allMatch(CheckReport.Finding::repaired), report::toString);
                Map<Kind, Integer> kinds = Damage.kinds(report);
                assertEquals(before.size() - named.size(), kinds.getOrDefault(Kind.UNKNOWN_FILE, 0), report::toString);
            }
            assertEquals(named, Damage.files(path));
            assertTrue(Damage.checkLater(cache, false).isClean());
            return before.size() - named.size();
        }
    }

    // Python

    private static final String PYTHON_CHECK = """
            import sys, warnings, collections, diskcache
            cache = diskcache.Cache(sys.argv[1])
            with warnings.catch_warnings():
                warnings.simplefilter('always')
                found = cache.check()
            kinds = collections.Counter(' '.join(str(w.message).split()[:2]) for w in found)
            print(';'.join('%s=%d' % (kind.rstrip(':'), kinds[kind]) for kind in sorted(kinds)))
            """;

    private static final Map<String, Kind> PYTHON_KINDS = Map.of(
            "wrong file", Kind.FILE_SIZE,
            "file not", Kind.FILE_MISSING,
            "unknown file", Kind.UNKNOWN_FILE,
            "empty directory", Kind.EMPTY_FOLDER,
            "Settings.count !=", Kind.COUNTER,
            "Settings.size !=", Kind.COUNTER);

    private Map<Kind, Integer> kindsOfPython() {
        String said = Python.run(PYTHON_CHECK, path.toString()).strip();
        Map<Kind, Integer> kinds = new TreeMap<>();
        for (String part : said.isEmpty() ? new String[0] : said.split(";")) {
            String[] kind = part.split("(?<!!)=", 2);
            kinds.merge(PYTHON_KINDS.get(kind[0]), Integer.parseInt(kind[1]), Integer::sum);
        }
        return kinds;
    }

    @Test
    void pythonFindsTheSameDamage() throws IOException {
        try (Cache cache = Cache.builder(path).reaper(false).open()) {
            do { // until chance has put each value into a folder of its own, and none where other things are to be
                for (int i = 0; i < 10; i++) {
                    cache.set("key" + i, new byte[LARGE]);
                }
            } while (Stream.of("ab", "cd", "ce").anyMatch(folder -> Files.exists(path.resolve(folder)))
                    || Rows.of(path, "SELECT DISTINCT substr(filename, 1, 2) FROM Cache")
                                    .size()
                            < 10);
            assertEquals(Map.of(), kindsOfPython());
            Damage.delete(path, Damage.fileOf(path, "key0"));
            Files.delete(path.resolve(Damage.fileOf(path, "key1"))); // its folder stays, empty
            for (int i = 2; i < 5; i++) {
                Files.write(path.resolve(Damage.fileOf(path, "key" + i)), new byte[i]);
            }
            for (int i = 0; i < 4; i++) {
                Damage.create(path.resolve("ab/0" + i + "/" + "0".repeat(28) + ".val"));
            }
            Files.createDirectories(path.resolve("cd/ef"));
            Files.createDirectories(path.resolve("ce"));
            Rows.change(path, "UPDATE Settings SET value = value + 1 WHERE key IN ('count', 'size')");
            Map<Kind, Integer> expected = Map.of(
                    Kind.FILE_MISSING, 2,
                    Kind.FILE_SIZE, 3,
                    Kind.UNKNOWN_FILE, 4,
                    Kind.EMPTY_FOLDER, 3,
                    Kind.COUNTER, 2);
            assertEquals(expected, kindsOfPython());
            CheckReport report = Damage.checkLater(cache, false);
            assertEquals(expected, Damage.kinds(report), report::toString);
            assertEquals(expected, Damage.kinds(Damage.checkLater(cache, true)));
            assertEquals(Map.of(), kindsOfPython());
            assertTrue(Damage.checkLater(cache, false).isClean());
        }
    }

    // Many values

    /** Says how long a check took, in a heap of 64 MiB. */
    static final class Checker {
        public static void main(String[] args) {
            Child.start();
            try (Cache cache = Cache.open(Path.of(args[0]))) {
                for (boolean repair : new boolean[] {false, true}) {
                    long start = System.nanoTime();
                    CheckReport report = cache.check(repair);
                    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
                    Runtime.getRuntime().gc();
                    long kib = Runtime.getRuntime().totalMemory()
                                    - Runtime.getRuntime().freeMemory()
                            >> 10;
                    Child.say("CHECKED " + report.findings().size() + " findings, " + millis + " ms, " + kib + " KiB");
                }
            }
        }
    }

    @Test
    void twentyThousandFilesAreCheckedInASmallHeap() {
        try (Cache cache = Cache.open(path)) {
            cache.set("first", new byte[LARGE]);
            Rows.change(path, """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                    INSERT INTO Cache (key, raw, store_time, access_time, size, mode, filename)
                    SELECT 'key' || i, 1, 1e9, 1e9, 3, 2,
                        format('%02x/%02x/%028x.val', i * 7919 & 255, i * 104729 >> 3 & 255, i) FROM n""");
            Rows.of(path, "SELECT filename FROM Cache WHERE size = 3")
                    .forEach(name -> Damage.create(path.resolve(name)));
        }
        JavaProcess checker = processes.start(Checker.class, path.toString());
        for (int i = 0; i < 2; i++) {
            String said = checker.await("CHECKED", LONG);
            System.out.println("20,000 files: " + said);
            assertTrue(said.startsWith("CHECKED 0 findings"), said);
        }
        assertEquals(0, checker.exitCode(LONG));
    }
}
