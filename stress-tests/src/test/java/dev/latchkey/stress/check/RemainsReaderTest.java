package dev.latchkey.stress.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.WorkQueue;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class RemainsReaderTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Path cacheDirectory;

    @BeforeEach
    void writeALittle() throws InterruptedException {
        cacheDirectory = directory.resolve("a ?#ü");
        try (Cache cache = Cache.open(cacheDirectory)) {
            cache.set("account-0", AccountValue.encode(60, 40_000, 1));
            cache.set("account-1", AccountValue.encode(40, 40_000, 2));
            cache.set("account-2", AccountValue.encode(-5, 100, 3));
            cache.set("text", "hello");
            cache.set("long text", "x".repeat(40_000));
            cache.set(17, "not under a text");
            cache.incr("counter", 3);
            Lock lock = new Lock(cache, "a");
            lock.lock();
            lock.unlock();
            WorkQueue<String> queue = new WorkQueue<>(cache, "jobs", String.class);
            queue.put("p-1");
            queue.put("p-2");
            queue.put("p-3");
            queue.claim(java.time.Duration.ZERO).orElseThrow().ack();
        }
    }

    private Remains read() throws IOException {
        return RemainsReader.read(cacheDirectory, 5);
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = connection()) {
            connection.createStatement().execute(statement);
        }
    }

    private String file(String key) throws SQLException {
        try (Connection connection = connection();
                var rows = connection
                        .createStatement()
                        .executeQuery("SELECT filename FROM Cache WHERE key = '" + key + "'")) {
            return rows.getString(1);
        }
    }

    private Connection connection() throws SQLException {
        String uri = cacheDirectory.resolve("cache.db").toUri().getRawPath();
        return DriverManager.getConnection("jdbc:sqlite:file:" + uri);
    }

    private static void assertFaults(Remains remains, String... texts) {
        assertEquals(texts.length, remains.faults().size(), remains::toString);
        for (int i = 0; i < texts.length; i++) {
            assertTrue(remains.faults().get(i).contains(texts[i]), remains.faults()::toString);
        }
    }

    @Test
    void whatWasClosedCleanlyIsWhole() throws IOException {
        Remains remains = read();
        assertEquals("ok", remains.integrity());
        assertEquals(List.of(), remains.faults());
        assertEquals(List.of(), remains.orphans());
        assertEquals(0, remains.sessions());
        assertEquals(
                Map.of(
                        "account-0", "60",
                        "account-1", "40",
                        "account-2", "-5",
                        "counter", "3",
                        "text", "hello"),
                remains.values());
        assertEquals(Map.of("jobs", 2), remains.items());
        Remains.StateRow lock = remains.states().get(0);
        assertEquals("a", lock.name());
        assertEquals("lock", lock.kind());
        assertEquals(0, lock.session());
        assertTrue(lock.token() > 0);
        assertEquals("", lock.line());
        assertEquals("queue", remains.states().get(1).kind());
        assertEquals(0, remains.logBytes());
        assertEquals(5, remains.longestLogBytes());
        int files = AccountValue.encode(60, 40_000, 1).length + AccountValue.encode(40, 40_000, 2).length + 40_000;
        assertEquals(Files.size(cacheDirectory.resolve("cache.db")) + files, remains.volume());
    }

    @Test
    void sessionsAndHoldersThatAreLeftAreTold() throws IOException, SQLException {
        sql("INSERT INTO LatchkeySession (id, dead) VALUES (77, 1)");
        sql("UPDATE LatchkeyState SET session = 77, line = '88@5 99~' WHERE name = 'a'");
        Remains remains = read();
        assertEquals(1, remains.sessions());
        assertEquals(77, remains.states().get(0).session());
        assertEquals("88@5 99~", remains.states().get(0).line());
    }

    @Test
    void whoWaitsForAConditionAndWhoHoldsMorePermitsIsTold() throws IOException, SQLException {
        sql("UPDATE LatchkeyState SET detail = 'full:77.1' WHERE name = 'a'");
        sql("INSERT INTO LatchkeyHold (name, token, session, grant_id, units, owner, since, lease)"
                + " VALUES ('b', 5, 78, 1, 2, 'main', 0, 0)");
        Remains remains = read();
        assertEquals("full:77.1", remains.states().get(0).line());
        Remains.StateRow hold = remains.states().stream()
                .filter(state -> state.kind().equals("hold"))
                .findFirst()
                .orElseThrow();
        assertEquals(78, hold.session());
    }

    @Test
    void theLogIsMeasuredBeforeItIsOpened() throws IOException, SQLException {
        Path copy = directory.resolve("copy");
        try (Connection connection = connection()) {
            connection.createStatement().execute("UPDATE Settings SET value = 9 WHERE key = 'hits'");
            Files.createDirectory(copy);
            for (String name : List.of("cache.db", "cache.db-wal")) {
                Files.copy(cacheDirectory.resolve(name), copy.resolve(name));
            }
        }
        Remains remains = RemainsReader.read(copy, 5);
        assertTrue(remains.logBytes() > 1_000, remains::toString);
        assertEquals(remains.logBytes(), remains.longestLogBytes());
    }

    @Test
    void aFileThatWasCutShortIsNoticed() throws IOException, SQLException {
        try (FileChannel channel =
                FileChannel.open(cacheDirectory.resolve(file("account-1")), StandardOpenOption.WRITE)) {
            channel.truncate(1_000);
        }
        Remains remains = read();
        assertFaults(remains, "which has 1000");
        assertEquals("damaged", remains.values().get("account-1"));
        assertEquals("60", remains.values().get("account-0"));
    }

    @Test
    void aFileWithOtherBytesIsNoticed() throws IOException, SQLException {
        try (FileChannel channel =
                FileChannel.open(cacheDirectory.resolve(file("account-1")), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[100]), 2_000);
        }
        Remains remains = read();
        assertFaults(remains);
        assertEquals("damaged", remains.values().get("account-1"));
    }

    @Test
    void aFileThatIsGoneIsNoticed() throws IOException, SQLException {
        Files.delete(cacheDirectory.resolve(file("account-0")));
        Files.delete(cacheDirectory.resolve(file("long text")));
        Remains remains = read();
        assertFaults(remains, "which is not there", "which is not there");
        assertEquals("damaged", remains.values().get("account-0"));
    }

    @Test
    void aStrangeNameOfAFileIsNoticedAndNotOpened() throws IOException, SQLException {
        Files.writeString(directory.resolve("outside.val"), "balance=1;crc=00000000;");
        sql("UPDATE Cache SET filename = '../outside.val' WHERE key = 'account-0'");
        Remains remains = read();
        assertTrue(remains.faults().get(0).contains("no name of a value file"), remains.faults()::toString);
        assertEquals("damaged", remains.values().get("account-0"));
        assertEquals(1, remains.orphans().size());
    }

    @Test
    void aFileWithoutRowIsNoticed() throws IOException {
        Path folder = Files.createDirectories(cacheDirectory.resolve("ab/cd"));
        Files.writeString(folder.resolve("0123456789abcdef0123456789ab.val"), "x");
        Files.writeString(folder.resolve("notes.txt"), "x");
        Files.writeString(cacheDirectory.resolve("cache.db-latchkey/incoming-abcd0123.val"), "x");
        assertEquals(
                List.of("ab/cd/0123456789abcdef0123456789ab.val", "cache.db-latchkey/incoming-abcd0123.val"),
                read().orphans());
    }

    @Test
    void countersThatDoNotFitAreNoticed() throws IOException, SQLException {
        sql("UPDATE Settings SET value = value + 1 WHERE key IN ('count', 'size')");
        assertFaults(read(), "Settings has the count 8, the rows come to 7", "Settings has the size");
    }

    @Test
    void aDamagedDatabaseIsNoticed() throws IOException {
        Path file = cacheDirectory.resolve("cache.db");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (long page = 4096; page < channel.size(); page += 4096) {
                channel.write(ByteBuffer.wrap(new byte[2_000]), page);
            }
        }
        assertFalse(read().integrity().equals("ok"));
        Files.write(file, new byte[0]);
        assertTrue(read().integrity().contains("no such table"));
        Files.writeString(file, "x".repeat(5_000));
        assertTrue(read().integrity().contains("not a database"));
    }

    @Test
    void aDirectoryWithoutDatabaseIsNoticedAndLeftAlone() throws IOException {
        Files.delete(cacheDirectory.resolve("cache.db"));
        assertFalse(read().integrity().equals("ok"));
        assertFalse(Files.exists(cacheDirectory.resolve("cache.db")));
    }
}
