package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Java and Python in one directory, at the same time: needs {@code pip install diskcache}. */
public final class PythonMain {
    private static final String SCRIPT = """
            import diskcache, json, sys
            cache = diskcache.Cache(sys.argv[1])
            print('Python reads', json.loads(cache['city'])['rivers'], flush=True)
            print('Python counts', cache.incr('runs'), flush=True)
            cache.push('from Python', prefix='mail')
            cache['pickled'] = {'pi': 3.14}
            """;

    private PythonMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, and perhaps the Python to use
     * @throws InterruptedException if the thread is interrupted while Python runs
     */
    public static void main(String[] args) throws InterruptedException {
        String python = args.length > 1 ? args[1] : "python3";
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            cache.set("city", Map.of("name", "Dresden", "rivers", List.of("Elbe"))); // Python sees a str of JSON
            System.out.println("Java counts " + cache.incr("runs"));

            if (!run(python, "-c", SCRIPT, cache.directory().toString())) {
                System.out.println("this example needs a " + python + " with the module diskcache");
                return;
            }

            cache.pull("mail", Side.FRONT, String.class)
                    .ifPresent(mail -> System.out.println("Java has mail " + mail.value()));
            System.out.println("Java reads " + cache.get("pickled", Map.class)); // no class is ever built from a pickle
        }
    }

    private static boolean run(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
