package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheReadOnlyException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.CheckReport.Finding;
import dev.latchkey.cache.CheckReport.Kind;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each kind of damage, made by hand. */
class CheckTest {
    private static final byte[] LARGE = new byte[50_000];
    private static final String UNKNOWN = "ab/cd/" + "0".repeat(28) + ".val";

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Path path;
    private Cache cache;

    /** Until chance has put no value where the tests are to put other things; and no write removes what is over. */
    @BeforeEach
    void open() {
        path = directory.resolve("cache");
        cache = Cache.builder(path).reaper(false).cullLimit(0).open();
        do {
            cache.clear();
            fill();
        } while (Stream.of("ab", "ef", "12").anyMatch(folder -> Files.exists(path.resolve(folder))));
    }

    private void fill() {
        cache.set("file", LARGE, EntryOptions.none().tag("t"));
        cache.set("text", "ü".repeat(40_000));
        cache.set("inline", 1);
        cache.set("over", LARGE, EntryOptions.none().expireAfter(Duration.ofMillis(1)));
        cache.push("item", "queue", Side.BACK, EntryOptions.none());
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private CheckReport look() {
        return Damage.checkLater(cache, false);
    }

    private CheckReport repair() {
        return Damage.checkLater(cache, true);
    }

    private static Finding only(CheckReport report) {
        assertEquals(1, report.findings().size(), report::toString);
        return report.findings().get(0);
    }

    /** Found by those who look, repaired by those who repair, and gone by then. */
    private Finding repaired(Kind kind, String... words) {
        Finding found = only(look());
        assertEquals(kind, found.kind());
        assertFalse(found.repaired());
        assertEquals(found, only(look()), "looking changes nothing");
        Finding repaired = only(repair());
        assertEquals(kind, repaired.kind());
        assertTrue(repaired.repaired(), repaired::toString);
        for (String word : words) {
            assertTrue(found.description().contains(word), found::toString);
            assertTrue(repaired.description().contains(word), repaired::toString);
        }
        assertTrue(look().isClean(), () -> look().toString());
        assertTrue(repair().isClean());
        assertEquals(1, cache.get("inline", int.class));
        return repaired;
    }

    @Test
    void whatIsSoundIsClean() {
        for (boolean repair : new boolean[] {false, true}) {
            assertTrue(cache.check(repair).isClean());
            assertTrue(Damage.checkLater(cache, repair).isClean(), Damage.checkLater(cache, repair)::toString);
        }
        assertEquals(5, cache.size());
    }

    // Rows and their files

    @Test
    void anEntryWhoseFileIsMissingIsRemoved() {
        String file = Damage.fileOf(path, "file");
        Damage.delete(path, file);
        String said = repaired(Kind.FILE_MISSING, "key 'file'", file).description();
        assertTrue(said.contains("lost"), said);
        assertEquals(4, cache.size());
        assertFalse(cache.containsKey("file"));
        assertEquals(40_000, cache.get("text", String.class).length());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 49_999, 50_001})
    void anEntryWhoseFileHasAnotherLengthIsRemovedWithIt(int length) throws IOException {
        String file = Damage.fileOf(path, "file");
        Files.write(path.resolve(file), new byte[length]);
        repaired(Kind.FILE_SIZE, "key 'file'", file, length + " bytes, not 50000");
        assertFalse(cache.containsKey("file"));
        assertFalse(Files.exists(path.resolve(file)));
        assertFalse(Files.exists(path.resolve(file).getParent()));
    }

    /** A young file, too: nobody is about to use what a row named that is gone. */
    @Test
    void aFileOfTheWrongLengthGoesAtOnce() throws IOException {
        String file = Damage.fileOf(path, "file");
        Files.write(path.resolve(file), new byte[1]);
        assertEquals(Kind.FILE_SIZE, only(cache.check(true)).kind());
        assertFalse(Files.exists(path.resolve(file)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
                    mode = 0                                   ; its mode is 0
                    mode = 5                                   ; its mode is 5
                    mode = 'x'                                 ; its mode is of type text
                    mode = NULL                                ; its mode is of type null
                    key = NULL                                 ; no key
                    raw = 0                                    ; its key should be a pickle
                    raw = 2                                    ; raw is neither 0 nor 1
                    raw = NULL                                 ; raw is neither 0 nor 1
                    mode = 1                                   ; a value in the row
                    value = 'x'                                ; a value of its own
                    filename = NULL                            ; it names none
                    filename = NULL, mode = 4, value = 'x'     ; its value should be a pickle
                    filename = '../../outside'                 ; not that of a value file
                    filename = '/etc/passwd'                   ; not that of a value file
                    filename = 'AB/cd/0000000000000000000000000000.val' ; not that of a value file
                    filename = filename || char(10)            ; not that of a value file
                    filename = filename || char(0) || 'x'      ; not that of a value file
                    filename = CAST(filename AS BLOB)          ; not that of a value file
                    """)
    void aRowThatContradictsItselfIsRemoved(String change, String fault) {
        String file = Damage.fileOf(path, "file");
        Path outside = Damage.create(directory.resolve("outside"));
        Rows.change(path, "UPDATE Cache SET " + change + " WHERE key = 'file'");
        CheckReport seen = look();
        // a file that its row names no longer is unknown
        boolean named = !change.contains("filename");
        assertEquals(
                named ? Map.of(Kind.ROW, 1) : Map.of(Kind.ROW, 1, Kind.UNKNOWN_FILE, 1),
                Damage.kinds(seen),
                seen::toString);
        Finding row = seen.findings().get(0);
        assertTrue(row.description().contains(fault), row::toString);
        assertTrue(row.description().contains(change.startsWith("key") ? "no key" : "key 'file'"), row::toString);
        CheckReport repaired = repair();
        assertEquals(Damage.kinds(seen), Damage.kinds(repaired));
        assertTrue(repaired.findings().stream().allMatch(Finding::repaired), repaired::toString);
        assertTrue(repair().isClean());
        assertEquals(4, cache.size());
        assertFalse(Files.exists(path.resolve(file)));
        assertTrue(Files.exists(outside));
    }

    @Test
    void theKeyIsNamedWhateverItIs() {
        cache.set(42, LARGE);
        cache.set(0.5, LARGE);
        cache.set(new byte[] {1, (byte) 0xff}, LARGE);
        cache.set("a\nFORGED: line", LARGE);
        cache.set("long".repeat(100_000), LARGE);
        cache.set("pickled", LARGE);
        Rows.change(path, "UPDATE Cache SET key = CAST(key AS BLOB), raw = 0 WHERE key = 'pickled'");
        Rows.change(path, "UPDATE Cache SET mode = 9 WHERE filename IS NOT NULL");
        String said = look().toString();
        for (String key : List.of(
                "key 'file'",
                "key 42:",
                "key 0.5:",
                "a key of 2 bytes that starts with x'01ff'",
                "key 'a?FORGED: line'",
                "a pickled key of 7 bytes that starts with x'7069636b6c6564'",
                "longlong'..., of 400000 bytes")) {
            assertTrue(said.contains(key), said);
        }
        assertTrue(said.length() < 3_000, said);
    }

    /** Two rows name one file, and one of them is wrong about it. */
    @Test
    void aDamagedRowDoesNotTakeAwayTheFileOfAnother() {
        Rows.change(path, """
                INSERT INTO Cache (key, raw, store_time, access_time, size, mode, filename)
                SELECT 'other', 1, store_time, access_time, 7, mode, filename FROM Cache WHERE key = 'file'""");
        Rows.change(path, """
                INSERT INTO Cache (key, raw, store_time, access_time, size, mode, filename)
                SELECT 'third', 1, store_time, access_time, 0, 1, filename FROM Cache WHERE key = 'file'""");
        assertEquals(Map.of(Kind.FILE_SIZE, 1, Kind.ROW, 1), Damage.kinds(repair()));
        assertTrue(look().isClean());
        assertEquals(50_000, cache.get("file", byte[].class).length);
    }

    // Links

    @Test
    void whatIsBehindALinkIsNotLookedAtAndNotTouched() throws IOException {
        String file = Damage.fileOf(path, "file");
        Path outside = directory.resolve("outside");
        Files.move(path.resolve(file.substring(0, 2)), outside);
        Files.createSymbolicLink(path.resolve(file.substring(0, 2)), outside);
        Path secret = Damage.create(directory.resolve("secret"));
        String text = Damage.fileOf(path, "text");
        Files.delete(path.resolve(text));
        Files.createSymbolicLink(path.resolve(text), secret);
        Files.createDirectories(path.resolve("ab/cd"));
        Files.createSymbolicLink(path.resolve(UNKNOWN), secret);
        Path dangling = Files.createSymbolicLink(path.resolve("dangling"), directory.resolve("nothing"));
        CheckReport seen = look();
        assertEquals(Map.of(Kind.FILE_MISSING, 2, Kind.FOREIGN_FILE, 3), Damage.kinds(seen), seen::toString);
        assertTrue(seen.toString().contains("dangling is a symbolic link"), seen::toString);
        assertEquals(Map.of(Kind.FILE_MISSING, 2, Kind.FOREIGN_FILE, 3), Damage.kinds(repair()));
        assertEquals(50_000, Files.size(outside.resolve(file.substring(3))));
        assertEquals(3, Files.size(secret));
        assertTrue(Files.exists(dangling, LinkOption.NOFOLLOW_LINKS));
        assertTrue(Files.exists(path.resolve(UNKNOWN), LinkOption.NOFOLLOW_LINKS));
    }

    // Files without rows

    @Test
    void anUnknownFileIsLeftAloneUntilItIsTenMinutesOld() {
        Path file = Damage.create(path.resolve(UNKNOWN));
        Duration almost = Duration.ofMinutes(10).minusSeconds(30);
        for (boolean repair : new boolean[] {false, true}) {
            assertTrue(cache.check(repair).isClean());
            assertTrue(Damage.checkLater(cache, repair, almost).isClean());
        }
        assertTrue(Files.exists(file));
        repaired(Kind.UNKNOWN_FILE, UNKNOWN, "3 bytes");
        assertFalse(Files.exists(path.resolve("ab")));
    }

    @Test
    void aValueThatWasNeverStoredIsLeftAloneForAnHour() {
        String name = Directory.OWN_FOLDER + "/incoming-" + "0".repeat(32) + ".val";
        Path file = Damage.create(path.resolve(name));
        Duration almost = Duration.ofMinutes(59);
        assertTrue(Damage.checkLater(cache, true, almost).isClean());
        assertTrue(Files.exists(file));
        repaired(Kind.UNKNOWN_FILE, name);
        assertFalse(Files.exists(file));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "notes.txt",
                "ab",
                "ab/notes.txt",
                "ab/cd/notes.txt",
                "ab/cd/0000000000000000000000000000.VAL",
                "sub/cache.db",
                "cache.db.bak",
                "000/cache.db",
                "cache.db-latchkey/notes.txt",
                "cache.db-latchkey/incoming/file"
            })
    void aFileThatIsNoneOfTheCachesIsReportedAndKept(String name) {
        Path file = Damage.create(path.resolve(name));
        assertEquals(Kind.FOREIGN_FILE, only(look()).kind());
        Finding found = only(repair());
        assertEquals(Kind.FOREIGN_FILE, found.kind());
        assertFalse(found.repaired());
        assertTrue(Files.exists(file));
    }

    @Test
    void anEmptyFolderIsRemoved() throws IOException {
        Files.createDirectories(path.resolve("ab/cd"));
        repaired(Kind.EMPTY_FOLDER, "ab/cd");
        assertFalse(Files.exists(path.resolve("ab")));
        Files.createDirectories(path.resolve("ab"));
        repaired(Kind.EMPTY_FOLDER, "ab");
        assertFalse(Files.exists(path.resolve("ab")));
    }

    @Test
    void manyUnknownFilesAreFoundOneByOne() {
        for (int i = 0; i < 2_500; i++) {
            Damage.create(path.resolve(String.format("%02x/%02x/%028x.val", i % 5, i % 7, i)));
        }
        assertEquals(Map.of(Kind.UNKNOWN_FILE, 2_500), Damage.kinds(look()));
        assertEquals(Map.of(Kind.UNKNOWN_FILE, 2_500), Damage.kinds(repair()));
        assertTrue(look().isClean());
        assertEquals(3, Damage.files(path).size());
    }

    /** Between a transaction that is under way and the look at its rows. */
    @Test
    void aRepairWaitsForTransactionsThatHavePublishedAFile() throws Exception {
        var threads = Executors.newCachedThreadPool();
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch published = new CountDownLatch(1);
        AtomicReference<Thread> repairer = new AtomicReference<>();
        try {
            Future<Boolean> writing = threads.submit(() -> cache.transact(() -> {
                cache.set("new", LARGE);
                published.countDown();
                return go.await(30, TimeUnit.SECONDS);
            }));
            assertTrue(published.await(30, TimeUnit.SECONDS));
            Future<CheckReport> repairing = threads.submit(() -> {
                repairer.set(Thread.currentThread());
                return repair();
            });
            Awaitility.await().until(() -> {
                Thread thread = repairer.get();
                return repairing.isDone() || (thread != null && thread.getState() == Thread.State.TIMED_WAITING);
            });
            go.countDown();
            assertTrue(writing.get());
            CheckReport report = repairing.get(30, TimeUnit.SECONDS);
            assertTrue(report.isClean(), report::toString);
            assertEquals(50_000, cache.get("new", byte[].class).length);
        } finally {
            go.countDown();
            threads.shutdownNow();
        }
    }

    // The database

    @ParameterizedTest
    @CsvSource({"count, 17", "count, 0.5", "count, char(120)", "size, 5", "count, NULL"})
    void countersArePutRight(String counter, String wrong) {
        Rows.change(path, "UPDATE Settings SET value = " + wrong + " WHERE key = '" + counter + "'");
        repaired(
                Kind.COUNTER, "counter " + counter, wrong.equals("NULL") ? "missing" : wrong.replace("char(120)", "x"));
        assertEquals(5, cache.size());
    }

    @Test
    void aCounterThatIsMissingIsMadeAnew() {
        Rows.change(path, "DELETE FROM Settings WHERE key = 'count'");
        repaired(Kind.COUNTER, "count is missing");
        assertEquals(5, cache.size());
    }

    @Test
    void anIndexThatIsWrongIsBuiltAnew() {
        cache.close();
        Rows.change(path, "PRAGMA writable_schema = ON", """
                UPDATE sqlite_master SET sql = 'CREATE INDEX Cache_store_time ON Cache (access_count)'
                WHERE name = 'Cache_store_time'""");
        cache = Cache.open(path);
        CheckReport seen = look();
        assertEquals(java.util.Set.of(Kind.DATABASE), Damage.kinds(seen).keySet(), seen::toString);
        assertTrue(seen.toString().contains("Cache_store_time"), seen::toString);
        CheckReport repaired = repair();
        assertEquals(Damage.kinds(seen), Damage.kinds(repaired));
        assertTrue(repaired.findings().stream().allMatch(Finding::repaired), repaired::toString);
        assertTrue(look().isClean());
    }

    @Test
    void whatCannotBeRepairedIsReportedAndNoFileIsTakenForUnknown() throws IOException {
        for (int i = 0; i < 2_000; i++) {
            cache.set("key" + i, "v".repeat(100));
        }
        Path unknown = Damage.create(path.resolve(UNKNOWN));
        cache.close();
        try (RandomAccessFile database =
                new RandomAccessFile(path.resolve("cache.db").toFile(), "rw")) {
            for (int page = 40; page < 50; page++) {
                database.seek(page * 4096L);
                database.write(new byte[4096]);
            }
        }
        cache = Cache.open(path);
        for (boolean repair : new boolean[] {false, true}) {
            CheckReport report = Damage.checkLater(cache, repair);
            Integer found = Damage.kinds(report).get(Kind.DATABASE);
            assertNotNull(found, report::toString);
            assertTrue(
                    report.findings().stream()
                            .anyMatch(finding -> finding.kind() == Kind.DATABASE && !finding.repaired()),
                    report::toString);
            assertNull(Damage.kinds(report).get(Kind.UNKNOWN_FILE), report::toString);
        }
        assertTrue(Files.exists(unknown));
        assertEquals(4, Damage.files(path).size());
    }

    // Who may ask

    @Test
    void whoMayOnlyReadFindsTheSameAndRepairsNothing() {
        Damage.delete(path, Damage.fileOf(path, "file"));
        try (Cache reader = Cache.builder(path).readOnly(true).open()) {
            assertEquals(only(look()), only(reader.check(false)));
            assertThrows(CacheReadOnlyException.class, () -> reader.check(true));
        }
    }

    @Test
    void aTransactionIsNoPlaceForACheck() {
        for (boolean repair : new boolean[] {false, true}) {
            assertThrows(IllegalStateException.class, () -> cache.transact(() -> cache.check(repair)));
        }
    }

    /** All files of a directory that is gone are missing, which is no damage of the entries. */
    @Test
    void aDirectoryThatWasReplacedIsNotDamaged() throws IOException {
        Files.move(path, directory.resolve("moved"));
        Files.createDirectory(path);
        assertThrows(CacheReplacedException.class, this::look);
        assertThrows(CacheReplacedException.class, this::repair);
        assertEquals("5", Rows.one(directory.resolve("moved"), "SELECT count(*) FROM Cache"));
    }

    @Test
    void ofVeryManyFindingsSomeAreListedAndTheOthersCounted() {
        Findings findings = new Findings(2);
        for (int i = 0; i < 5; i++) {
            findings.add(Kind.FILE_MISSING, "file " + i, i != 3);
        }
        findings.add(Kind.COUNTER, "count", false);
        List<String> said = new ArrayList<>();
        findings.report().findings().forEach(finding -> said.add(finding.toString()));
        assertEquals(
                List.of(
                        "FILE_MISSING: file 0 (repaired)",
                        "FILE_MISSING: file 1 (repaired)",
                        "COUNTER: count",
                        "FILE_MISSING: and 2 more of this kind (repaired)",
                        "FILE_MISSING: and 1 more of this kind"),
                said);
    }

    // The sweep

    @Test
    void aSweepRemovesWhatTheDeadHaveLeftAndNothingElse() throws IOException {
        Path unknown = Damage.create(path.resolve(UNKNOWN));
        Path waiting = Damage.create(path.resolve(Directory.OWN_FOLDER + "/incoming-" + "0".repeat(32) + ".val"));
        Path foreign = Damage.create(path.resolve("ef/01/notes.txt"));
        Path link = path.resolve("ef/01/" + "1".repeat(28) + ".val");
        Files.createSymbolicLink(link, foreign);
        Files.createDirectories(path.resolve("12/34"));
        sweep(new Grace(new SystemHostClock()));
        assertTrue(Files.exists(unknown) && Files.exists(waiting) && Files.exists(path.resolve("12/34")));
        sweep(Damage.ahead(Damage.LATER));
        assertFalse(Files.exists(path.resolve("ab")));
        assertFalse(Files.exists(waiting));
        assertFalse(Files.exists(path.resolve("12")));
        assertTrue(Files.exists(foreign) && Files.exists(link));
        assertEquals(4, Damage.files(path).size());
        assertEquals(50_000, cache.get("file", byte[].class).length);
    }

    private void sweep(Grace grace) {
        Sweep sweep = new Sweep(Damage.engine(cache), grace);
        sweep.begin();
        boolean over = false;
        while (!over) {
            over = sweep.run(System.nanoTime() + 100_000); // a few steps at a time
        }
    }
}
