package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ValueFoldersTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    /**
     * A transfer of the stress test failed because another process had removed an empty folder right after this one was
     * told that it exists, and before it looked whether it is a folder.
     */
    @Test
    void aFolderThatVanishesWhileItIsCreatedIsCreatedAgain() throws Exception {
        Path folder = directory.resolve("77");
        AtomicBoolean over = new AtomicBoolean();
        Thread remover = new Thread(() -> {
            while (!over.get()) {
                folder.toFile().delete();
            }
        });
        remover.start();
        try {
            for (int i = 0; i < 50_000; i++) {
                Directory.createFolder(folder);
            }
        } finally {
            over.set(true);
            remover.join();
        }
    }

    @Test
    void whatIsNoFolderIsNotTakenForOne() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        assertThrows(FileAlreadyExistsException.class, () -> Directory.createFolder(file));
        Path link = Files.createSymbolicLink(directory.resolve("link"), directory.path());
        assertThrows(FileAlreadyExistsException.class, () -> Directory.createFolder(link));
        Path dangling = Files.createSymbolicLink(directory.resolve("dangling"), directory.resolve("nothing"));
        assertThrows(FileAlreadyExistsException.class, () -> Directory.createFolder(dangling));
    }

    /** A repair of Python removes the inner folder once it is empty, and leaves the outer one, which was not when it looked. */
    @Test
    void theOuterFolderGoesWithTheValueWhenSomebodyElseHasRemovedTheInnerOne() throws IOException {
        ValueFiles files = new ValueFiles(directory.path(), directory.path());
        String name = "99/ab/" + "0".repeat(28) + ".val";
        Files.createDirectory(directory.resolve("99"));
        files.remove(name);
        assertFalse(Files.exists(directory.resolve("99")));

        Files.createDirectory(directory.resolve("99"));
        files.withdraw(name);
        assertFalse(Files.exists(directory.resolve("99")));
    }

    @Test
    void aLinkInPlaceOfAFolderIsNotRemovedNorFollowed() throws IOException {
        ValueFiles files = new ValueFiles(directory.path(), directory.path());
        String name = "99/ab/" + "0".repeat(28) + ".val";
        Path elsewhere = Files.createDirectories(directory.resolve("elsewhere/ab"));
        Path link = Files.createSymbolicLink(directory.resolve("99"), elsewhere.getParent());
        files.remove(name);
        files.withdraw(name);
        assertTrue(Files.isSymbolicLink(link) && Files.isDirectory(elsewhere));

        Files.delete(link);
        Path inner = Files.createSymbolicLink(
                Files.createDirectory(directory.resolve("99")).resolve("ab"), elsewhere);
        files.remove(name);
        files.withdraw(name);
        assertTrue(Files.isSymbolicLink(inner) && Files.isDirectory(elsewhere));
    }
}
