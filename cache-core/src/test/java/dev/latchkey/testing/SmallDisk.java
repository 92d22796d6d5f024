package dev.latchkey.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A {@link SmallVolume} for each test, for {@code @RegisterExtension final SmallDisk disk = new SmallDisk(24)}. Where nobody may mount
 * one, the test is skipped and says why. Register it before {@link Processes}, so that the children are gone when it is unmounted.
 */
public final class SmallDisk implements BeforeEachCallback, AfterEachCallback {
    private final int mebibytes;
    private @Nullable SmallVolume volume;

    public SmallDisk(int mebibytes) {
        this.mebibytes = mebibytes;
    }

    private SmallVolume volume() {
        if (volume == null) {
            throw new IllegalStateException("there is a disk only while a test runs");
        }
        return volume;
    }

    public Path path() {
        return volume().path();
    }

    /** A path on this disk. */
    public Path resolve(String name) {
        return path().resolve(name);
    }

    /** See {@link SmallVolume#fill}. */
    public void fill() {
        volume().fill();
    }

    /** See {@link SmallVolume#free}. */
    public void free() {
        volume().free();
    }

    /** See {@link SmallVolume#mountReadOnly}. */
    public Path mountReadOnly(Path view) {
        try {
            return volume().mountReadOnly(view);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        Path directory = TestDirectory.create("disk");
        try {
            volume = SmallVolume.mount(directory, mebibytes);
        } catch (IOException e) {
            DirectoryTree.delete(directory);
            Requirements.missing("the right to mount a tmpfs (" + e.getMessage() + ")");
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (volume == null) {
            return;
        }
        try {
            volume.close();
        } finally {
            DirectoryTree.delete(volume.path());
            volume = null;
        }
    }
}
