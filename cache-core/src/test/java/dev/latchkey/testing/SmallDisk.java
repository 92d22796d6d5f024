package dev.latchkey.testing;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A file system in memory that is soon full, for {@code @RegisterExtension final SmallDisk disk = new SmallDisk(24)}.
 * Where nobody may mount one, the test is skipped and says why. Register it before {@link Processes}, so that the children
 * are gone when it is unmounted.
 */
public final class SmallDisk implements BeforeEachCallback, AfterEachCallback {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int PAGE = 4096;

    private static final int ATTEMPTS = 100;

    private final List<Path> views = new ArrayList<>();
    private final int mebibytes;
    private @Nullable Path path;

    public SmallDisk(int mebibytes) {
        this.mebibytes = mebibytes;
    }

    public Path path() {
        if (path == null) {
            throw new IllegalStateException("there is a disk only while a test runs");
        }
        return path;
    }

    /** A path on this disk. */
    public Path resolve(String name) {
        return path().resolve(name);
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

    private boolean hasPage() {
        return path().toFile().getUsableSpace() >= PAGE;
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

    /** The same disk under another name, through which it cannot be written. */
    public Path mountReadOnly(Path view) {
        mount("--bind", path().toString(), view.toString());
        views.add(view);
        mount("-o", "remount,ro,bind", view.toString());
        return view;
    }

    private static void mount(String... arguments) {
        List<String> command = new ArrayList<>(List.of("mount"));
        command.addAll(List.of(arguments));
        Finished mount = Finished.run(LIMIT, command);
        if (mount.exitCode() != 0) {
            throw new AssertionError(String.join(" ", command) + ": " + mount.stderr());
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
        return resolve("foreign");
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        Path directory = TestDirectory.create("disk");
        Finished mount = Finished.run(
                LIMIT, "mount", "-t", "tmpfs", "-o", "size=" + mebibytes + "m", "tmpfs", directory.toString());
        if (mount.exitCode() != 0) {
            DirectoryTree.delete(directory);
            Requirements.missing("the right to mount a tmpfs (" + mount.stderr().strip() + ")");
        }
        path = directory;
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (path == null) {
            return;
        }
        views.forEach(view -> Finished.run(LIMIT, "umount", "-l", view.toString()));
        views.clear();
        Finished unmount =
                Finished.run(LIMIT, "umount", "-l", path.toString()); // files may be mapped until they are collected
        DirectoryTree.delete(path);
        path = null;
        if (unmount.exitCode() != 0) {
            throw new AssertionError("cannot unmount: " + unmount.stderr());
        }
    }
}
