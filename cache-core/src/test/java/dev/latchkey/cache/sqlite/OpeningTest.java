package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheReadOnlyException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.testing.DirectoryTree;
import dev.latchkey.testing.Elapsed;
import dev.latchkey.testing.TestDirectory;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpeningTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    /** Whoever has it open may be making a file just then. */
    private static void removeTree(Path root) {
        Awaitility.await().pollDelay(Duration.ZERO).until(() -> DirectoryTree.delete(root)
                .isEmpty());
    }

    private static Session session(Cache cache) {
        return cache.unwrap(CoordinationEngine.class).sessions().self(Deadline.after(Duration.ofSeconds(5)));
    }

    private Path made() {
        Path path = directory.resolve("made");
        Cache.open(path).close();
        return path;
    }

    // What is created

    @Test
    void aMissingDirectoryIsCreatedWithItsParentsForTheOwnerAlone() throws IOException {
        Path path = directory.resolve("a/b/c");
        try (Cache cache = Cache.open(path)) {
            cache.set("large", new byte[40_000]);
            cache.set("small", 1);
            // the last file that is made, under another name first
            Awaitility.await().until(() -> Files.exists(path.resolve("cache.db-latchkey/spare")));
            try (Stream<Path> all = Files.walk(directory.resolve("a"))) {
                for (Path each : all.toList()) {
                    assertEquals(Files.isDirectory(each) ? "rwx------" : "rw-------", mode(each), each.toString());
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"with space", "what?mode=memory", "number#1", "100%", "%41", "grüße-\uD83D\uDE00", "a;b&c=d"})
    void everyNameOfADirectoryWorks(String name) {
        Path path = directory.resolve(name);
        try (Cache cache = Cache.open(path)) {
            cache.set("a", "x".repeat(40_000));
        }
        assertTrue(Files.exists(path.resolve("cache.db")));
        try (Cache cache = Cache.open(path)) {
            assertEquals(40_000, cache.get("a", String.class).length());
        }
    }

    @Test
    void nothingIsLeftOfTheLogAfterTheLastClose() throws IOException {
        Path path = made();
        try (Stream<Path> children = Files.walk(path)) {
            assertEquals(
                    List.of("", "cache.db", "cache.db-latchkey", "cache.db-latchkey/hints", "cache.db-latchkey/locks"),
                    children.map(child -> path.relativize(child).toString())
                            .filter(name -> !name.equals("cache.db-latchkey/spare")) // if it was open for a second
                            .sorted()
                            .toList());
        }
    }

    // What is refused

    @Test
    void aFileInItsPlaceIsRefusedByName() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "x");
        String message =
                assertThrows(CacheException.class, () -> Cache.open(file)).getMessage();
        assertTrue(message.contains(file.toString()), message);
        Path below = file.resolve("below");
        message = assertThrows(CacheException.class, () -> Cache.open(below)).getMessage();
        assertTrue(message.contains(file.toString()), message);
        assertEquals("x", Files.readString(file));
    }

    @Test
    void whatIsNotADatabaseIsRefusedByNameAndStaysAsItIs() throws IOException {
        Path path = Files.createDirectory(directory.resolve("cache"));
        String text = "not a database ".repeat(100);
        Files.writeString(path.resolve("cache.db"), text);
        for (int i = 0; i < 2; i++) {
            String message = assertThrows(CacheCorruptException.class, () -> Cache.open(path))
                    .getMessage();
            assertTrue(message.contains("cache.db"), message);
        }
        assertEquals(text, Files.readString(path.resolve("cache.db")));
    }

    @Test
    void threadsThatOpenTogetherAllSeeTheReasonWhyItFails() throws Exception {
        Path path = Files.createDirectory(directory.resolve("cache"));
        Files.writeString(path.resolve("cache.db"), "not a database ".repeat(100));
        var threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<Cache>> all = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                all.add(threads.submit(() -> Cache.open(path)));
            }
            for (Future<Cache> each : all) {
                ExecutionException e = assertThrows(ExecutionException.class, each::get);
                assertInstanceOf(CacheCorruptException.class, e.getCause());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void theDatabaseOfAnotherApplicationIsRefused() {
        Path path = made();
        Rows.change(path, "PRAGMA application_id = 4711");
        String message = assertThrows(CacheCorruptException.class, () -> Cache.open(path))
                .getMessage();
        assertTrue(message.contains("4711"), message);
    }

    @Test
    void aNewerFormatIsRefused() {
        Path path = made();
        Rows.change(path, "UPDATE Latchkey SET value = 99 WHERE key = 'format'");
        String message = assertThrows(CacheCorruptException.class, () -> Cache.open(path))
                .getMessage();
        assertTrue(message.contains("99"), message);
        assertEquals(List.of(), descriptorsOn(path));
    }

    private static List<Path> descriptorsOn(Path path) {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.map(OpeningTest::target)
                    .filter(target -> target.startsWith(path))
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static Path target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor);
        } catch (IOException e) {
            return Path.of("/gone");
        }
    }

    @Test
    void anEmptyDatabaseBesideValueFilesIsCorruptAndNotANewOne() throws IOException {
        Path path = Files.createDirectory(directory.resolve("cache"));
        Files.createDirectories(path.resolve("ab/cd"));
        assertThrows(CacheCorruptException.class, () -> Cache.open(path));
        Files.createFile(path.resolve("cache.db"));
        String message = assertThrows(CacheCorruptException.class, () -> Cache.open(path))
                .getMessage();
        assertTrue(message.contains("cache.db"), message);
        assertEquals(0, Files.size(path.resolve("cache.db")));
    }

    @Test
    void anEmptyDatabaseAloneIsAnUnfinishedCreationAndIsCompleted() throws IOException {
        Path path = Files.createDirectory(directory.resolve("cache"));
        Files.createFile(path.resolve("cache.db"));
        try (Cache cache = Cache.open(path)) {
            assertEquals(1, cache.incr("a"));
        }
        assertEquals("1", Rows.one(path, "PRAGMA auto_vacuum"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cache.db", "cache.db-wal", "cache.db-latchkey/locks", "cache.db-latchkey/hints"})
    void aSymbolicLinkInTheDirectoryIsRefused(String name) throws IOException {
        Path path = made();
        Path target = Files.createFile(directory.resolve("target"));
        Files.deleteIfExists(path.resolve(name));
        Files.createSymbolicLink(path.resolve(name), target);
        String message =
                assertThrows(CacheException.class, () -> Cache.open(path)).getMessage();
        assertTrue(message.contains("symbolic link"), message);
        assertEquals(0, Files.size(target));
    }

    @Test
    void aSymbolicLinkToTheDirectoryIsFollowed() throws IOException {
        Path path = made();
        Path link = Files.createSymbolicLink(directory.resolve("link"), path);
        try (Cache first = Cache.open(path);
                Cache second = Cache.open(link)) {
            assertEquals(path.toRealPath(), second.directory());
            assertSame(first.unwrap(CoordinationEngine.class), second.unwrap(CoordinationEngine.class));
        }
    }

    // What is mended

    @Test
    void hintsThatAreMissingOrCutShortAreMadeAnewByTheOpener() throws IOException {
        Path path = made();
        Path hints = path.resolve("cache.db-latchkey/hints");
        long size = Files.size(hints);
        Files.delete(hints);
        Cache.open(path).close();
        assertEquals(size, Files.size(hints));
        Files.write(hints, new byte[10]);
        Cache.open(path).close();
        assertEquals(size, Files.size(hints));
    }

    /** Once the flag closed the file of hints while it was being mapped, and the open failed. */
    @Test
    void anInterruptedThreadCanOpenAndKeepsItsFlag() {
        Thread.currentThread().interrupt();
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            assertTrue(Thread.interrupted(), "the flag");
            assertEquals(1, cache.incr("a"));
        }
    }

    @Test
    void interruptsWhileOpeningDoNoHarm() throws Exception {
        for (int i = 0; i < 30; i++) {
            Path path = directory.resolve("cache" + i);
            Thread opener = Thread.currentThread();
            Thread storm = new Thread(() -> {
                while (!Thread.currentThread().isInterrupted()) {
                    opener.interrupt();
                    Thread.onSpinWait();
                }
            });
            storm.start();
            try (Cache cache = Cache.open(path)) {
                assertEquals(1, cache.incr("a"));
            } finally {
                storm.interrupt();
                while (storm.isAlive()) {
                    Thread.interrupted();
                    Thread.onSpinWait();
                }
                Thread.interrupted();
            }
        }
    }

    // One engine per directory

    @Test
    void twoCachesOnOneDirectoryShareOneEngineUntilTheLastIsClosed() {
        Cache first = Cache.open(directory.resolve("cache"));
        Cache second = Cache.open(directory.resolve("../" + directory.path().getFileName() + "/cache"));
        assertSame(first.unwrap(CoordinationEngine.class), second.unwrap(CoordinationEngine.class));
        first.close();
        assertThrows(CacheClosedException.class, () -> first.incr("a"));
        assertEquals(1, second.incr("a"));
        second.close();
        assertEquals(List.of(), descriptorsOn(directory.path()));
    }

    @Test
    void anotherCacheOnTheDirectoryJoinsTheTransactionOfItsThread() {
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            try (Cache first = Cache.open(directory.resolve("cache"));
                    Cache second = Cache.open(directory.resolve("cache"))) {
                first.transact(() -> {
                    second.set("a", 1);
                    assertEquals(1, first.get("a", int.class));
                    try (Cache third = Cache.open(directory.resolve("cache"))) {
                        third.transact(() -> third.incr("a"));
                    }
                });
                assertEquals(2, second.get("a", int.class));
            }
        });
    }

    /** Once it waited for itself for ever. */
    @Test
    void theLastCloseInsideATransactionIsRefused() {
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            Cache cache = Cache.open(directory.resolve("cache"));
            cache.transact(() -> {
                cache.set("a", 1);
                assertThrows(IllegalStateException.class, cache::close);
                cache.incr("a");
            });
            assertEquals(2, cache.get("a", int.class));
            cache.close();
            assertThrows(CacheClosedException.class, () -> cache.get("a"));
        });
    }

    @Test
    void openingAndClosingInManyThreadsLosesNothing() throws Exception {
        int threads = 8;
        int rounds = 40;
        var pool = Executors.newFixedThreadPool(threads);
        try {
            Callable<Void> task = () -> {
                for (int i = 0; i < rounds; i++) {
                    try (Cache cache = Cache.open(directory.resolve("cache"))) {
                        cache.incr("a");
                        cache.get("a");
                    }
                }
                return null;
            };
            List<Future<Void>> all = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                all.add(pool.submit(task));
            }
            for (Future<Void> each : all) {
                each.get();
            }
        } finally {
            pool.shutdownNow();
        }
        try (Cache cache = Cache.open(directory.resolve("cache"))) {
            assertEquals(threads * rounds, cache.get("a", int.class));
        }
        assertEquals(List.of(), descriptorsOn(directory.path()));
    }

    @Test
    void aSecondClassLoaderIsRefusedAndToldWhoWasFirst() throws Exception {
        Path path = directory.resolve("cache");
        try (URLClassLoader loader = new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader());
                Cache cache = Cache.open(path)) {
            cache.set("a", 1);
            InvocationTargetException e = assertThrows(InvocationTargetException.class, () -> open(loader, path));
            assertEquals(CacheException.class.getName(), e.getCause().getClass().getName());
            String message = e.getCause().getMessage();
            assertTrue(message.contains(String.valueOf(Cache.class.getClassLoader())), message);
            assertEquals(2, cache.incr("a"));
        }
        try (URLClassLoader loader = new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader());
                AutoCloseable second = open(loader, path)) {
            assertThrows(CacheException.class, () -> Cache.open(path));
            assertNotEquals(Cache.class, second.getClass());
        }
    }

    /** Closing the second one's connections would drop the kernel locks of the first, even if it only reads. */
    @Test
    void aSecondClassLoaderIsRefusedAsLongAsAnyCacheIsOpenToReadOrToWrite() throws Exception {
        Path path = directory.resolve("cache");
        try (URLClassLoader loader = new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader())) {
            Cache writing = Cache.open(path);
            try (Cache reading = Cache.builder(path).readOnly(true).open()) {
                writing.set("a", 1);
                assertEquals(1, reading.get("a", int.class));
                writing.close();
                assertThrows(InvocationTargetException.class, () -> open(loader, path));
            }
            open(loader, path).close();
        }
    }

    private static AutoCloseable open(ClassLoader loader, Path path) throws ReflectiveOperationException {
        return (AutoCloseable) loader.loadClass(Cache.class.getName())
                .getMethod("open", Path.class)
                .invoke(null, path);
    }

    private static URL[] classPath() throws IOException {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        return urls.toArray(URL[]::new);
    }

    // A directory that goes away

    @Test
    void aRemovedDirectoryIsNoticedWithinAboutASecondAndCanBeOpenedAgain() {
        Path path = directory.resolve("cache");
        Cache cache = Cache.open(path);
        cache.set("a", 1);
        removeTree(path);
        assertReplacedSoon(cache);
        cache.close();
        try (Cache again = Cache.open(path)) {
            assertFalse(again.containsKey("a"));
            again.set("a", 2);
        }
    }

    @Test
    void aReplacedDirectoryIsNoticedWithinAboutASecondAndTheNewOneStaysWhole() throws IOException {
        Path path = directory.resolve("cache");
        Cache cache = Cache.open(path);
        cache.set("a", "old");
        Files.move(path, directory.resolve("away"));
        try (Cache fresh = Cache.open(path)) {
            fresh.set("a", "new");
            assertReplacedSoon(cache);
            cache.close();
            assertEquals("new", fresh.get("a", String.class));
        }
        try (Cache again = Cache.open(path)) {
            assertEquals("new", again.get("a", String.class));
        }
    }

    /** A second engine on the same files would drop the kernel lock that proves that the first one's session lives. */
    @Test
    void aDirectoryThatWasMovedWhileItIsOpenCannotBeOpenedUnderItsNewName() throws IOException {
        Path path = directory.resolve("cache");
        Path moved = directory.resolve("moved");
        Cache cache = Cache.open(path);
        cache.set("a", 1);
        Files.move(path, moved);
        CacheReplacedException e = assertThrows(CacheReplacedException.class, () -> Cache.open(moved));
        assertTrue(
                e.getMessage().contains(path.toString()) && e.getMessage().contains(moved.toString()), e.getMessage());
        cache.close();
        try (Cache again = Cache.open(moved)) {
            assertEquals(1, again.get("a", int.class));
        }
    }

    /** Once the number of the removed directory led to the engine of the removed one, for as long as that was open. */
    @Test
    void anotherDirectoryOfTheSameNumberIsAnotherOne() {
        Path path = directory.resolve("cache");
        List<Cache> old = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                Cache cache = Cache.open(path);
                old.add(cache);
                assertEquals(1, cache.incr("a"));
                removeTree(path);
            }
        } finally {
            old.forEach(Cache::close);
        }
        assertEquals(List.of(), descriptorsOn(directory.path()));
    }

    private static void assertReplacedSoon(Cache cache) {
        try (Elapsed elapsed = new Elapsed()) {
            long start = System.nanoTime();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .pollInterval(Duration.ofMillis(20))
                    .untilAsserted(() -> assertThrows(CacheReplacedException.class, () -> cache.set("b", 1)));
            long millis = elapsed.millisSince(start);
            assertTrue(millis < 2_500, "noticed after " + millis + " ms");
        }
        assertThrows(CacheReplacedException.class, () -> cache.get("a"));
    }

    // Sessions

    @Test
    void theLastCloseDeletesTheRowOfTheSession() {
        Path path = directory.resolve("cache");
        Cache first = Cache.open(path);
        Cache second = Cache.open(path);
        Session session = session(first);
        first.close();
        assertEquals(session.id() + "|0", Rows.one(path, "SELECT id, dead FROM LatchkeySession"));
        second.close();
        assertEquals(List.of(), Rows.of(path, "SELECT id FROM LatchkeySession"));
    }

    @Test
    void aDirectoryThatMayOnlyBeReadIsRefusedAsSuchWhicheverFileSaysSo() throws IOException {
        Path path = directory.resolve("cache");
        try (Cache cache = Cache.open(path)) {
            cache.set("a", 1);
        }
        Path own = path.resolve("cache.db-latchkey");
        Assumptions.assumeFalse(
                System.getProperty("user.name").equals("root"), "whoever may write everything is not refused");
        Files.setPosixFilePermissions(own.resolve("locks"), PosixFilePermissions.fromString("r--------"));
        assertThrows(CacheReadOnlyException.class, () -> Cache.open(path));
        Files.delete(own.resolve("locks"));
        Files.delete(own.resolve("hints"));
        Files.delete(own);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("r-x------"));
        try {
            assertThrows(CacheReadOnlyException.class, () -> Cache.open(path));
        } finally {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
        }
    }
}
