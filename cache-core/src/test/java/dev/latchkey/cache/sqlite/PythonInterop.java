package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Python;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One directory in the hands of Java and of the real python-diskcache, whose warnings are errors here. */
@Tag("process")
@Tag("everyJdk")
abstract class PythonInterop {
    private static final String IMPORTS = """
            import io, json, os, sys, time, warnings, diskcache
            warnings.simplefilter('error')
            def same(a, b):
                assert type(a) is type(b) and repr(a) == repr(b), repr(a)[:99] + ' is not ' + repr(b)[:99]
            """;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    Path path;

    @BeforeEach
    void name() {
        path = directory.resolve("cache");
    }

    /** Runs a script that finds the directory opened as {@code cache}, and further arguments in {@code sys.argv[2:]}. */
    final String python(String script, String... arguments) {
        return python("", script, arguments);
    }

    /** Runs a script that finds the directory opened, with {@code settings} such as {@code tag_index=1}, as {@code cache}. */
    final String python(String settings, String script, String[] arguments) {
        String open = "cache = diskcache.Cache(sys.argv[1], " + settings + ")\n";
        String[] all = new String[arguments.length + 1];
        all[0] = path.toString();
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return Python.run(IMPORTS + open + script, all).strip();
    }

    /** Lets Python create the directory. */
    final String pythonCreates(String settings, String script) {
        return python(settings, script, new String[0]);
    }

    final void assertCleanOnBothSides(Cache cache) {
        assertEquals("", cleanInJava(cache));
        python("assert cache.check() == []");
    }

    private static String cleanInJava(Cache cache) {
        var report = cache.check(false);
        return report.isClean() ? "" : report.toString();
    }

    final List<String> rows(String query) {
        return Rows.of(path, query);
    }

    final String row(String query) {
        return Rows.one(path, query);
    }

    /** The stored settings without the counters. */
    final Map<String, String> storedSettings() {
        Map<String, String> settings = new TreeMap<>();
        for (String row :
                rows("SELECT key, value FROM Settings WHERE key NOT IN ('count', 'size', 'hits', 'misses')")) {
            int bar = row.indexOf('|');
            settings.put(row.substring(0, bar), row.substring(bar + 1));
        }
        return settings;
    }

    final boolean hasIndex(String name) {
        return !rows("SELECT name FROM sqlite_master WHERE type = 'index' AND name = '" + name + "'")
                .isEmpty();
    }

    static void assertContains(String text, String part) {
        assertTrue(text.contains(part), "'" + part + "' is not in: " + text);
    }
}
