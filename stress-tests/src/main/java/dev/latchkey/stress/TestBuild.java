package dev.latchkey.stress;

import dev.latchkey.testing.ReplacedClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Classes that stand before the shipped ones on the class path of the workers. */
final class TestBuild {
    /** The failpoints tell the worker that they were reached. */
    private static final String FAILPOINT = """
            package dev.latchkey.cache.spi;

            public final class Failpoint {
                public static void reached(String point) {
                    dev.latchkey.stress.worker.Worker.reached(point);
                }
            }
            """;

    private TestBuild() {}

    /** Compiles them into new folders below {@code parent}. */
    static List<Path> compile(Path parent, Optional<BrokenRule> broken) throws IOException {
        List<Path> folders = new ArrayList<>();
        folders.add(ReplacedClass.compile(parent, FAILPOINT));
        if (broken.isPresent()) {
            Path source = root().resolve(broken.get().source());
            folders.add(ReplacedClass.compile(parent, broken.get().applyTo(Files.readString(source))));
        }
        return folders;
    }

    /** The folder of the project: this one or the one above. */
    static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("cache-core"))
                ? here
                : here.resolve("..").normalize();
    }
}
