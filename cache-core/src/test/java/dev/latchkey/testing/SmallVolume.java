package dev.latchkey.testing;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A file system in memory that is soon full, mounted on a directory until it is closed. */
public final class SmallVolume implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int PAGE = 4096;
    private static final int ATTEMPTS = 100;

    private final Path path;
    private final List<Path> views = new ArrayList<>();

    private SmallVolume(Path path) {
        this.path = path;
    }

    /**
     * Mounts one on an empty directory.
     *
     * @throws IOException where nobody may, which says why
     */
    public static SmallVolume mount(Path directory, int mebibytes) throws IOException {
        mount("-t", "tmpfs", "-o", "size=" + mebibytes + "m", "tmpfs", directory.toString());
        return new SmallVolume(directory);
    }

    private static void mount(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("mount"));
        command.addAll(List.of(arguments));
        Finished mount = Finished.run(LIMIT, command);
        if (mount.exitCode() != 0) {
            throw new IOException(
                    String.join(" ", command) + ": " + mount.stderr().strip());
        }
    }

    /** The directory. */
    public Path path() {
        return path;
    }

    /** Writes a file that has nothing to do with anything, until not a page is left; others may free some meanwhile. */
    public void fill() {
        IOException failure = writeUntilItFails();
        for (int i = 0; i < ATTEMPTS && hasPage(); i++) {
            failure = writeUntilItFails();
        }
        if (hasPage()) {
            throw new UncheckedIOException(failure);
        }
    }

    /** The same while others free more and more: at one instant not a page is left. */
    public void fillOnce() {
        IOException unused = writeUntilItFails();
    }

    private boolean hasPage() {
        return path.toFile().getUsableSpace() >= PAGE;
    }

    private IOException writeUntilItFails() {
        byte[] page = new byte[PAGE];
        try (FileOutputStream out = new FileOutputStream(foreignFile().toFile(), true)) {
            while (true) {
                out.write(page);
            }
        } catch (IOException e) {
            return e;
        }
    }

    /** Deletes that file. */
    public void free() {
        try {
            Files.deleteIfExists(foreignFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path foreignFile() {
        return path.resolve("foreign");
    }

    /** The same under another name, through which it cannot be written. */
    public Path mountReadOnly(Path view) throws IOException {
        mount("--bind", path.toString(), view.toString());
        views.add(view);
        mount("-o", "remount,ro,bind", view.toString());
        return view;
    }

    /** With all that is on it; files that are still mapped go when nobody uses them any more. */
    @Override
    public void close() {
        views.forEach(view -> Finished.run(LIMIT, "umount", "-l", view.toString()));
        Finished unmount = Finished.run(LIMIT, "umount", "-l", path.toString());
        if (unmount.exitCode() != 0) {
            throw new AssertionError("cannot unmount: " + unmount.stderr());
        }
    }
}
