package dev.latchkey.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TestDirectoryTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @Test
    void isEmptyAndBelowTheRoot() throws IOException {
        assertEquals(TestDirectory.root(), directory.path().getParent());
        try (var files = Files.list(directory.path())) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void isDeletedWithAllThatIsInIt() throws IOException {
        Path inner = Files.createDirectories(directory.resolve("a/b"));
        Files.writeString(inner.resolve("file"), "x");
        assertEquals(List.of(), DirectoryTree.delete(directory.resolve("a")));
        assertFalse(Files.exists(directory.resolve("a")));
    }

    @Test
    void deletesLinksWithoutFollowingThem() throws IOException {
        Path kept = Files.createDirectory(directory.resolve("kept"));
        Files.writeString(kept.resolve("file"), "x");
        Path deleted = Files.createDirectory(directory.resolve("deleted"));
        Files.createSymbolicLink(deleted.resolve("link"), kept);
        Files.createSymbolicLink(deleted.resolve("dangling"), directory.resolve("nothing"));
        assertEquals(List.of(), DirectoryTree.delete(deleted));
        assertTrue(Files.exists(kept.resolve("file")));
        assertFalse(Files.exists(deleted));
    }

    @Test
    void failsTheTestIfSomethingCannotBeDeleted() throws IOException {
        Path locked = Files.createDirectory(directory.resolve("locked"));
        Files.writeString(locked.resolve("file"), "x");
        Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
        try {
            assumeFalse(Files.isWritable(locked), "the superuser can delete everything");
            String left = String.join(", ", DirectoryTree.delete(locked));
            assertTrue(left.contains(locked.resolve("file").toString()), left);
        } finally {
            Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    @Test
    void aDirectoryThatIsAlreadyGoneIsNoFault() {
        assertEquals(List.of(), DirectoryTree.delete(directory.resolve("nothing")));
        assertThrows(IllegalStateException.class, () -> new TestDirectory().path());
    }
}
