package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertThrows;

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
}
