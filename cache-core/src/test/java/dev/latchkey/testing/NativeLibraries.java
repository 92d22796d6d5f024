package dev.latchkey.testing;

import com.sun.jna.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.sqlite.util.LibraryLoaderUtil;
import org.sqlite.util.OSInfo;

/**
 * The native libraries of SQLite and JNA, extracted once for all children. Extracting its own would cost each
 * child time, and each killed child would leave a file of a megabyte behind.
 */
final class NativeLibraries {
    private static final String SQLITE = LibraryLoaderUtil.getNativeLibName();
    private static final String JNA = System.mapLibraryName("jnidispatch");

    private NativeLibraries() {}

    /** The options that make a child use them. */
    static List<String> options() {
        return List.of(
                "-Dorg.sqlite.lib.path=" + Extracted.DIRECTORY,
                "-Dorg.sqlite.lib.name=" + SQLITE,
                "-Djna.boot.library.path=" + Extracted.DIRECTORY,
                "-Djna.nounpack=true");
    }

    private static Path extract() {
        Path directory = TestDirectory.create("native");
        Thread end = new Thread(() -> DirectoryTree.delete(directory), "delete native libraries");
        Runtime.getRuntime().addShutdownHook(end);
        String folder = "/org/sqlite/native/" + OSInfo.getNativeLibFolderPathForCurrentOS() + "/";
        copy(folder + SQLITE, directory.resolve(SQLITE));
        copy("/com/sun/jna/" + Platform.RESOURCE_PREFIX + "/" + JNA, directory.resolve(JNA));
        return directory;
    }

    private static void copy(String resource, Path file) {
        try (InputStream source = NativeLibraries.class.getResourceAsStream(resource)) {
            if (source == null) {
                throw new AssertionError("the class path has no " + resource);
            }
            Files.copy(source, file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Extracted when the first child starts. */
    private static final class Extracted {
        static final Path DIRECTORY = extract();
    }
}
