package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
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
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Python repairs, culls and clears a directory in which processes hold locks, wait for locks, and write large values. */
@Tag("process")
@Tag("everyJdk")
class PythonRepairTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    /**
     * Repairs for some seconds. A repair of Python ends with an error when a file or folder that is of no use any more is
     * removed by somebody else in the middle of it, be it another Python; it is rolled back then. Rows whose file is missing or
     * of another size must never be found, nor wrong counters.
     */
    private static final String REPAIR = """
            import errno, sys, time, warnings, diskcache
            cache = diskcache.Cache(sys.argv[1], timeout=60)
            end = time.monotonic() + float(sys.argv[2])
            rounds, upset = 0, 0
            while time.monotonic() < end or rounds < 3 and time.monotonic() < end + 44:
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter('always')
                        found = [str(w.message) for w in cache.check(fix=True, retry=True)]
                    wrong = [m for m in found if not m.startswith(('unknown file: ', 'empty directory: '))]
                    assert not wrong, wrong
                    rounds += 1
                except OSError as e:
                    if e.errno not in (errno.ENOENT, errno.ENOTEMPTY):
                        raise
                    upset += 1
                cache.cull(retry=True)
                if sys.argv[3] == 'true':
                    cache.clear(retry=True)
            print(rounds, upset)
            """;

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    /** What is guarded by the lock, outside of any database: a number of grants and the last token. */
    private static final class Ledger {
        private final Path file;
        private final Path taken;

        Ledger(Path directory) {
            this.file = directory.resolve("ledger");
            this.taken = directory.resolve("taken");
        }

        void begin() throws IOException {
            Files.writeString(file, "0 0");
        }

        long[] read() throws IOException {
            return Arrays.stream(Files.readString(file).split(" ", -1))
                    .mapToLong(Long::parseLong)
                    .toArray();
        }

        /** Creating the file fails if another one is in here. */
        void enter(long token) throws IOException {
            Files.createFile(taken);
            long[] last = read();
            if (token <= last[1]) {
                throw new AssertionError("token " + token + " after " + last[1]);
            }
            Files.writeString(file, (last[0] + 1) + " " + token);
            Files.delete(taken);
        }
    }

    /** Takes turns at a lock and writes large values until it hears a line; a second thread waits for a lock all the time. */
    static final class Worker {
        private static final int KEPT = 10;

        public static void main(String[] args) throws Exception {
            Child.start();
            Path root = Path.of(args[0]);
            boolean cleared = Boolean.parseBoolean(args[1]);
            String name = args[2];
            AtomicReference<Throwable> failure = new AtomicReference<>();
            try (Cache cache = Cache.open(root.resolve("cache"))) {
                Child.say("OPEN");
                Thread patient = new Thread(() -> {
                    try (LockHandle handle = new Lock(cache, "long").acquire()) {
                        handle.verify();
                        Child.say("PATIENCE " + handle.fencingToken());
                    } catch (Throwable t) {
                        failure.set(t);
                    }
                });
                patient.start();
                int grants = 0;
                for (int i = 0; Child.hearNow() == null; i++) {
                    turn(cache, new Ledger(root));
                    grants++;
                    write(cache, name, i, cleared);
                }
                Child.say("GRANTS " + grants);
                patient.join();
                if (failure.get() != null) {
                    throw new AssertionError(failure.get());
                }
            }
            Child.say("CLOSED");
        }

        private static void turn(Cache cache, Ledger ledger) throws IOException, InterruptedException {
            try (LockHandle handle = new Lock(cache, "short").acquire()) {
                ledger.enter(handle.fencingToken());
                handle.verify();
            }
        }

        /** A value that nobody deletes must be there, whole, as soon as it is set, and later on. */
        private static void write(Cache cache, String name, int i, boolean cleared) {
            cache.set(name + i, value(name, i));
            check(cache.get(name + i, byte[].class), name, i, cleared);
            int earlier = Math.max(0, i - KEPT + 1);
            check(cache.get(name + earlier, byte[].class), name, earlier, cleared);
            cache.delete(name + (i - KEPT));
        }

        private static void check(byte[] found, String name, int i, boolean cleared) {
            if (found == null ? !cleared : !Arrays.equals(value(name, i), found)) {
                throw new AssertionError(name + i + (found == null ? " is lost" : " is damaged"));
            }
        }
    }

    private static byte[] value(String name, int i) {
        Random random = new Random(name.hashCode() + i);
        byte[] value = new byte[40_000 + random.nextInt(100_000)];
        random.nextBytes(value);
        return value;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void pythonRepairsBesideLocksAndLargeValuesWithoutHarm(boolean clear) throws Exception {
        Path path = directory.resolve("cache");
        Ledger ledger = new Ledger(directory.path());
        ledger.begin();
        try (Cache cache = Cache.open(path)) {
            LockHandle held = new Lock(cache, "long").acquire();
            List<JavaProcess> workers = new ArrayList<>();
            for (String name : List.of("a", "b")) {
                workers.add(processes.start(Worker.class, directory.path().toString(), String.valueOf(clear), name));
            }
            workers.forEach(worker -> worker.await("OPEN", LONG));
            String said = Python.run(REPAIR, path.toString(), "6", String.valueOf(clear))
                    .strip();
            held.verify();
            workers.forEach(worker -> worker.send("stop"));
            long grants = 0;
            for (JavaProcess worker : workers) {
                grants += Long.parseLong(worker.await("GRANTS", LONG).split(" ", -1)[1]);
            }
            System.out.println("repairs, upset repairs of Python: " + said + "; grants beside them: " + grants);
            assertEquals(grants, ledger.read()[0]);
            assertTrue(grants > 20, grants + " grants");
            assertTrue(Integer.parseInt(said.split(" ", -1)[0]) > 2, said);
            long token = held.fencingToken();
            held.close();
            for (JavaProcess worker : workers) {
                assertTrue(Long.parseLong(worker.await("PATIENCE", LONG).split(" ", -1)[1]) > token);
                worker.await("CLOSED", LONG);
                assertEquals(0, worker.exitCode(LONG));
            }
            assertTrue(cache.check(false).isClean(), () -> cache.check(false).toString());
            assertEquals("[]", Python.run("""
                    import sys, diskcache
                    print([str(w.message) for w in diskcache.Cache(sys.argv[1]).check()])
                    """, path.toString()).strip());
        }
    }

    @Test
    void clearingByPythonLeavesLocksAndTheirTokensAlone() throws InterruptedException {
        Path path = directory.resolve("cache");
        try (Cache cache = Cache.open(path)) {
            long token;
            try (LockHandle held = new Lock(cache, "l").acquire()) {
                token = held.fencingToken();
                cache.set("a", new byte[50_000]);
                WorkQueue<String> queue = new WorkQueue<>(cache, "work", String.class);
                queue.put("item");
                Python.run("""
                        import sys, diskcache
                        cache = diskcache.Cache(sys.argv[1])
                        assert cache.clear() == 1
                        cache.check(fix=True)
                        cache.cull()
                        """, path.toString());
                held.verify();
                assertNull(cache.get("a"));
                assertEquals(1, queue.size());
                cache.set("a", new byte[50_000]);
            }
            try (LockHandle held = new Lock(cache, "l").acquire()) {
                assertTrue(held.fencingToken() > token);
            }
            assertNotNull(cache.get("a"));
            assertArrayEquals(new byte[50_000], cache.get("a", byte[].class));
        }
    }
}
