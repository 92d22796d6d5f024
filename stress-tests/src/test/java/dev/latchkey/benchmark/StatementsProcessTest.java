package dev.latchkey.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Lock;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.ReplacedClass;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Of how many statements the calls consist that are called most, in a process that says each statement before it is run. */
@Tag("process")
class StatementsProcessTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int TIMES = 500;
    /** What is asked for once a second in any case, several times on a machine that stands still; two for each call are too many. */
    private static final int NOW_AND_THEN = TIMES / 2;

    private static final Path DATABASE = Path.of("cache-core/src/main/java/dev/latchkey/cache/sqlite/Database.java");
    private static final String PREPARED = "        PreparedStatement statement = statements.get(sql);\n";

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    /** Does each thing often. */
    public static final class Caller {
        private Caller() {}

        /** Opens this directory. */
        public static void main(String[] args) throws Exception {
            Child.start();
            Cache cache = Cache.open(Path.of(args[0]));
            Lock lock = new Lock(cache, "lock");
            Thread.currentThread().setName("caller");
            for (int i = 0; i < TIMES; i++) {
                cache.set("known" + i, "value");
            }
            pass(lock);
            again("set of a known key", i -> cache.set("known" + i, "other"));
            again("set of a new key", i -> cache.set("new" + i, "value"));
            again("get", i -> cache.get("known" + i, String.class));
            again("get of a missing key", i -> cache.get("missing" + i, String.class));
            again("lock and unlock", i -> pass(lock));
            Runtime.getRuntime().halt(0);
        }

        private static void pass(Lock lock) {
            lock.lock();
            lock.unlock();
        }

        private interface Call {
            void run(int number) throws Exception;
        }

        private static void again(String word, Call call) throws Exception {
            Child.say("BEGIN " + word);
            for (int i = 0; i < TIMES; i++) {
                call.run(i);
            }
            Child.say("END");
        }
    }

    /** Writes more and more, which evicts what was written first. */
    public static final class WriterAtLimit {
        private WriterAtLimit() {}

        /** Opens this directory. */
        public static void main(String[] args) throws Exception {
            Child.start();
            Cache cache = Cache.builder(Path.of(args[0])).sizeLimit(200_000).open();
            Thread.currentThread().setName("caller");
            for (int i = 0; i < 5_000; i++) {
                cache.set("known" + i, "value");
            }
            Caller.again("set of a new key", i -> cache.set("new" + i, "value"));
            Child.say("SIZE " + cache.size());
            Runtime.getRuntime().halt(0);
        }
    }

    /** Asks for a lock that others have changed since, and stands in line for it. */
    public static final class Overtaken {
        private Overtaken() {}

        /** Opens this directory. */
        public static void main(String[] args) throws Exception {
            Child.start();
            Cache cache = Cache.open(Path.of(args[0]));
            Lock lock = new Lock(cache, "lock");
            Thread.currentThread().setName("caller");
            Child.say("BEGIN first");
            lock.lock();
            Child.say("END");
            lock.unlock();
            Child.say("FREE");
            assertEquals("GO", Child.hear());
            Child.say("BEGIN second");
            lock.lock();
            Child.say("END");
            Runtime.getRuntime().halt(0);
        }
    }

    /** Writes far more than a log may hold, while somebody else reads. */
    public static final class WriterBesideReader {
        private WriterBesideReader() {}

        /** Opens this directory. */
        public static void main(String[] args) throws Exception {
            Child.start();
            Path directory = Path.of(args[0]);
            try (Cache cache = Cache.open(directory);
                    Connection reader = DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("cache.db"));
                    Statement read = reader.createStatement()) {
                read.execute("BEGIN");
                read.execute("SELECT COUNT(*) FROM Cache");
                long start = System.nanoTime();
                for (int i = 0; i < 10_000; i++) {
                    cache.set("key" + i % 10, new byte[5_000]);
                }
                long log = Files.size(directory.resolve("cache.db-wal"));
                Child.say("LOG " + log + " " + (System.nanoTime() - start) / 1_000_000);
            }
        }
    }

    /** Says each statement if this condition is true, in Java. */
    private JavaProcess saying(String condition, Class<?> main) throws Exception {
        String source = Files.readString(Arena.root().resolve(DATABASE));
        assertTrue(source.contains(PREPARED));
        String saying = "        if (" + condition + ") {\n"
                + "            System.out.println(\"SQL \" + sql.replace('\\n', ' '));\n        }\n";
        return JavaCommand.of(main, directory.resolve("cache").toString())
                .inFront(ReplacedClass.compile(directory.path(), source.replace(PREPARED, saying + PREPARED)))
                .start();
    }

    private static List<String> statements(JavaProcess caller, String word) {
        caller.await("BEGIN " + word, LIMIT);
        List<String> statements = new ArrayList<>();
        String line = caller.await("", LIMIT);
        while (!line.equals("END")) {
            assertTrue(line.startsWith("SQL "), line);
            statements.add(line);
            line = caller.await("", LIMIT);
        }
        return statements;
    }

    private static void assertAbout(int expected, List<String> statements) {
        int count = statements.size();
        assertTrue(
                count >= expected && count <= expected + NOW_AND_THEN,
                () -> count + " statements instead of " + expected + ", at last "
                        + statements.subList(Math.max(0, count - 10), count));
    }

    @Test
    void whatIsCalledMostIsOneStatement() throws Exception {
        try (JavaProcess caller = saying("Thread.currentThread().getName().equals(\"caller\")", Caller.class)) {
            assertAbout(TIMES, statements(caller, "set of a known key"));
            assertAbout(TIMES, statements(caller, "set of a new key"));
            assertAbout(TIMES, statements(caller, "get"));
            assertAbout(TIMES, statements(caller, "get of a missing key"));
            assertAbout(2 * TIMES, statements(caller, "lock and unlock"));
            assertEquals(0, caller.exitCode(LIMIT));
        }
    }

    /** A look at the limit is a transaction with nine statements, and each entry that goes is one. */
    @Test
    void aSetAtTheLimitIsFiveStatementsAtMost() throws Exception {
        try (JavaProcess caller = saying("Thread.currentThread().getName().equals(\"caller\")", WriterAtLimit.class)) {
            List<String> statements = statements(caller, "set of a new key");
            assertTrue(statements.size() <= 5 * TIMES, statements.size() + " statements");
            long evictions = statements.stream()
                    .filter(line -> line.contains("DELETE FROM Cache WHERE rowid = "))
                    .count();
            assertTrue(evictions > TIMES / 2, evictions + " evicted of " + statements.size());
            long size = Long.parseLong(caller.await("SIZE", LIMIT).substring(5));
            assertTrue(size < 3_000, size + " entries in 200 kB");
            assertEquals(0, caller.exitCode(LIMIT));
        }
    }

    /** In a transaction, code that runs for the first time would keep all others from writing. */
    @Test
    void aYoungProcessIsGrantedALockWithoutATransaction() throws Exception {
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            Lock lock = new Lock(cache, "lock");
            lock.lock();
            lock.unlock();
            try (JavaProcess caller = saying("Thread.currentThread().getName().equals(\"caller\")", Overtaken.class)) {
                assertNoTransaction(statements(caller, "first"));
                caller.await("FREE", LIMIT);
                lock.lock(); // what the caller remembers is older
                lock.unlock();
                caller.send("GO");
                assertNoTransaction(statements(caller, "second"));
                assertEquals(0, caller.exitCode(LIMIT));
            }
        }
    }

    private static void assertNoTransaction(List<String> statements) {
        assertTrue(
                statements.stream().anyMatch(line -> line.startsWith("SQL UPDATE LatchkeyState")),
                statements::toString);
        assertTrue(statements.stream().noneMatch(line -> line.startsWith("SQL BEGIN")), statements::toString);
    }

    /** To start the log again writers are held up, which is in vain as long as somebody reads what is in it. */
    @Test
    void aReadThatDoesNotEndHoldsUpWritersOnceASecondAtMost() throws Exception {
        try (JavaProcess writer = saying("sql.contains(\"RESTART\")", WriterBesideReader.class)) {
            String[] log = writer.await("LOG", LIMIT).split(" ");
            assertTrue(Long.parseLong(log[1]) > 32 << 20, log[1] + " bytes are no long log");
            long restarts = writer.output().stream()
                    .filter(line -> line.startsWith("SQL"))
                    .count();
            assertTrue(restarts <= Long.parseLong(log[2]) / 1_000 + 3, restarts + " times in " + log[2] + " ms");
            assertEquals(0, writer.exitCode(LIMIT));
        }
    }
}
