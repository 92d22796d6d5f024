package dev.latchkey.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * A directory of its own for each test, for
 * {@code @RegisterExtension final TestDirectory directory = new TestDirectory()}.
 *
 * <p>It is deleted when everything else of the test is over, whatever the order of the extensions. The test
 * fails if something in it cannot be deleted.
 */
public final class TestDirectory implements BeforeEachCallback {
    private static final Namespace STORE = Namespace.create(TestDirectory.class);

    private @Nullable Path path;

    /** Where test directories are: the system property {@code latchkey.tmp}, else {@code java.io.tmpdir}. */
    public static Path root() {
        Path root = Path.of(System.getProperty("latchkey.tmp", System.getProperty("java.io.tmpdir")));
        try {
            return Files.createDirectories(root).toAbsolutePath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path create(String name) {
        try {
            return Files.createTempDirectory(root(), name + "-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path path() {
        if (path == null) {
            throw new IllegalStateException("there is a test directory only while a test runs");
        }
        return path;
    }

    /** A path in this directory. */
    public Path resolve(String name) {
        return path().resolve(name);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        path = create(context.getRequiredTestClass().getSimpleName());
        AutoCloseable deletion = this::delete;
        context.getStore(STORE).put(this, deletion);
    }

    void delete() {
        List<String> left = DirectoryTree.delete(path());
        path = null;
        if (!left.isEmpty()) {
            throw new AssertionError("cannot delete " + String.join(", ", left));
        }
    }
}
