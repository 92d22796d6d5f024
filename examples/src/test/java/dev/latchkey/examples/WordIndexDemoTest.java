package dev.latchkey.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@Tag("process")
final class WordIndexDemoTest {
    private static final Duration LIMIT = Duration.ofSeconds(100);
    private static final int FILES = 60;
    /** So many that there is time to end it in the middle. */
    private static final int MANY_FILES = 400;

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Path folder;

    @BeforeEach
    void writeFiles() throws IOException {
        folder = Files.createDirectory(directory.resolve("folder"));
        writeFiles(0, FILES);
        Files.write(folder.resolve("binary"), new byte[] {'a', 0, 'b'});
        Files.write(folder.resolve("latin1.txt"), new byte[] {'g', 'r', (byte) 0xfc, 'n', '\n'});
        Files.createFile(folder.resolve("empty.txt"));
    }

    private void writeFiles(int from, int to) throws IOException {
        Random random = new Random(1 + from);
        for (int i = from; i < to; i++) {
            String text = random.ints(500, 0, 2000)
                    .mapToObj(number -> "w" + Integer.toString(number, 36).replaceAll("[0-9]", "x"))
                    .collect(Collectors.joining(" ", "", "\n"));
            Files.writeString(folder.resolve("file" + i + ".txt"), text);
        }
    }

    @RepeatedTest(3)
    void theIndexIsExactAlthoughAWorkerIsKilled() throws IOException {
        writeFiles(FILES, MANY_FILES);
        assertExactAlthoughAWorkerWasKilled(finished(0, start(folder.toString())));
    }

    @Test
    void aWorkerIsKilledAlthoughProgramsStartSlowly() throws IOException {
        writeFiles(FILES, MANY_FILES);
        Path slow = Files.createDirectory(directory.resolve("slow"));
        for (String name : List.of("kill", "sh")) {
            Path program =
                    Files.writeString(slow.resolve(name), "#!/bin/sh\nsleep 0.03\nexec /bin/" + name + " \"$@\"\n");
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        }
        String path = "PATH=" + slow + File.pathSeparator + System.getenv("PATH");
        JavaCommand command =
                JavaCommand.of(WordIndexDemo.class, folder.toString()).startedBy("env", path);
        assertExactAlthoughAWorkerWasKilled(finished(0, processes.start(command)));
    }

    private void assertExactAlthoughAWorkerWasKilled(List<String> output) {
        assertEquals("EXACT", output.get(output.size() - 1));
        assertTrue(output.stream().anyMatch(line -> line.contains("exit status is 137 = 128 + 9")), output::toString);
        assertTrue(output.stream().anyMatch(line -> line.contains("the item was taken over by pid")), output::toString);
        assertNothingIsLeft();
    }

    @Test
    void theIndexDiffersWithoutTheLock() {
        List<String> output = finished(1, start(folder.toString(), "--without-lock"));
        assertEquals("DIFFERENT", output.get(output.size() - 1));
        assertNothingIsLeft();
    }

    @Test
    void theIndexIsExactAlthoughAllWorkersAreKilledByHand() {
        JavaProcess demo = start(folder.toString(), "--workers", "2", "--no-kill");
        for (int i = 0; i < 2; i++) {
            long pid = Long.parseLong(demo.await("started worker pid ", LIMIT).replaceAll("\\D", ""));
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
        demo.await("started worker pid ", LIMIT);
        demo.await("EXACT", LIMIT);
        assertEquals(0, demo.exitCode(LIMIT));
        assertNothingIsLeft();
    }

    @Test
    void oneWorkerIsEnough() {
        finished(0, start(folder.toString(), "--workers", "1"));
    }

    @Test
    void theWorkersEndWithTheirParent() {
        JavaProcess demo = start(folder.toString(), "--workers", "2");
        List<ProcessHandle> workers = workersOf(demo);
        demo.kill();
        Awaitility.await().atMost(LIMIT).until(() -> workers.stream().noneMatch(ProcessHandle::isAlive));
    }

    @Test
    void nothingIsLeftAfterSigterm() throws IOException {
        writeFiles(FILES, MANY_FILES);
        JavaProcess demo = start(folder.toString(), "--workers", "2");
        List<ProcessHandle> workers = workersOf(demo);
        ProcessHandle.of(demo.pid()).ifPresent(ProcessHandle::destroy);
        assertEquals(128 + 15, demo.exitCode(LIMIT));
        assertTrue(workers.stream().noneMatch(ProcessHandle::isAlive));
        assertNothingIsLeft();
    }

    @Test
    void theSharedDirectoryIsKeptOnRequest() {
        Path kept = directory.resolve("kept");
        finished(0, start(folder.toString(), "--workers", "2", "--keep", kept.toString()));
        assertTrue(Files.exists(kept.resolve("latchkey").resolve("cache.db")));
        refused("--keep needs a new or empty directory", folder.toString(), "--keep", kept.toString());
    }

    @Test
    void badArgumentsAreRefusedInOneLine() throws IOException {
        Path empty = Files.createDirectory(directory.resolve("nothing"));
        refused("no such folder", directory.resolve("missing").toString());
        refused("not a folder", folder.resolve("binary").toString());
        refused("no text files", empty.toString());
        refused("--workers must be", folder.toString(), "--workers", "0");
        refused("--workers must be", folder.toString(), "--workers", "many");
        refused("--workers needs a value", folder.toString(), "--workers");
        refused("unexpected argument '--fast'", folder.toString(), "--fast");
        refused("unexpected argument 'second'", folder.toString(), "second");
        assertNothingIsLeft();
    }

    @Test
    void theCountInOneProcessKnowsNothingOfLatchkey() throws IOException {
        for (String name : List.of("WordCount.class", "WordCount$Usage.class")) {
            String constants;
            try (var in = WordCount.class.getResourceAsStream(name)) {
                constants = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
            }
            assertFalse(constants.contains("dev/latchkey/cache"), name);
            assertFalse(constants.contains("dev/latchkey/coordination"), name);
        }
    }

    private void refused(String message, String... arguments) {
        List<String> output = finished(2, start(arguments));
        assertEquals(1, output.size(), output::toString);
        assertTrue(output.get(0).contains(message), output::toString);
    }

    private static List<String> finished(int exitCode, JavaProcess demo) {
        assertEquals(exitCode, demo.exitCode(LIMIT), () -> String.join("\n", demo.output()));
        return demo.output();
    }

    private JavaProcess start(String... arguments) {
        return processes.start(WordIndexDemo.class, arguments);
    }

    /** Those of a demo that is in the middle of its work. */
    private static List<ProcessHandle> workersOf(JavaProcess demo) {
        demo.await("[", LIMIT);
        return ProcessHandle.of(demo.pid()).orElseThrow().children().toList();
    }

    private void assertNothingIsLeft() {
        try (Stream<Path> left = Files.list(processes.temporary())) {
            assertEquals(List.of(), left.toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
