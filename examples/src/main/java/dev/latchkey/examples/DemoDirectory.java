package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where the demo keeps everything: the shared directory, the copied files, and what its processes extract. */
final class DemoDirectory implements AutoCloseable {
    private final Path root;
    private final boolean kept;
    private Runnable beforeDeletion = () -> {};
    private boolean closed;

    private DemoDirectory(Path root, boolean kept) {
        this.root = root;
        this.kept = kept;
    }

    static DemoDirectory create(Optional<Path> keep) throws IOException {
        Path root =
                keep.isPresent() ? Files.createDirectories(keep.get()) : Files.createTempDirectory("latchkey-demo-");
        DemoDirectory directory = new DemoDirectory(root.toRealPath(), keep.isPresent());
        Runtime.getRuntime().addShutdownHook(new Thread(directory::close, "clean up"));
        Files.createDirectories(directory.temporary());
        Files.createDirectories(directory.files());
        return directory;
    }

    Path root() {
        return root;
    }

    Path cache() {
        return root.resolve("latchkey");
    }

    Path files() {
        return root.resolve("files");
    }

    Path temporary() {
        return root.resolve("tmp");
    }

    /** Copies a file to where workers find it. */
    synchronized void copy(Path file, String name) throws IOException {
        requireOpen();
        Path copy = files().resolve(name);
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
    }

    /** Opens the shared directory for one who is closed before it is deleted. */
    synchronized Cache open(Runnable close) throws IOException {
        requireOpen();
        beforeDeletion = close;
        return Cache.open(cache());
    }

    /** Nothing may be created while another thread, on the user's Ctrl-C, deletes it. */
    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the demo is ending");
        }
    }

    /** Deletes it; of one that is kept, all but the shared directory. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        beforeDeletion.run();
        if (kept) {
            delete(temporary().toFile());
            delete(files().toFile());
        } else {
            delete(root.toFile());
        }
    }

    private static void delete(File file) {
        File[] children = Files.isSymbolicLink(file.toPath()) ? null : file.listFiles();
        if (children != null) {
            for (File child : children) {
                delete(child);
            }
        }
        if (!file.delete() && file.exists()) {
            System.err.println("cannot delete " + file);
        }
    }
}
