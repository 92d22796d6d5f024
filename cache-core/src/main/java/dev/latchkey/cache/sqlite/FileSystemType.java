package dev.latchkey.cache.sqlite;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the operating system calls the kind of file system that a path is on. */
final class FileSystemType {
    private FileSystemType() {}

    static String of(Path path) throws IOException {
        return Files.getFileStore(path).type();
    }
}
