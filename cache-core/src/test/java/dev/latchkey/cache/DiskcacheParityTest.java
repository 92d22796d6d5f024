package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.Python;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The table in {@code docs/diskcache-parity.md} is complete, and each of its rows has a test that exists. */
final class DiskcacheParityTest {
    private static final Path REPOSITORY = Path.of("").toAbsolutePath().getParent();
    private static final Path PAGE = REPOSITORY.resolve("docs/diskcache-parity.md");
    private static final String NONE = "none";

    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern TEST_METHOD =
            Pattern.compile("@(?:Test|ParameterizedTest|RepeatedTest)\\b(?:(?!\\bvoid\\b)[\\s\\S])*?\\bvoid (\\w+)\\(");

    private static final String NAMES_OF_DISKCACHE = """
            import diskcache, inspect
            for name in diskcache.__all__:
                print(name)
                thing = getattr(diskcache, name)
                if inspect.isclass(thing) and name != 'DjangoCache' and not issubclass(thing, (Exception, tuple)):
                    for member in vars(thing):
                        if not member.startswith('_'):
                            print(name + '.' + member)
            for setting in diskcache.DEFAULT_SETTINGS:
                print(setting)
            """;

    private static List<Row> rows;
    /** The sources of all tests by the names of their classes. */
    private static Map<String, String> sources;

    private record Row(String section, String theirs, String ours, String test, String remark) {
        static Row of(String section, String line) {
            String[] cells = line.substring(1).split("\\|", -1);
            assertEquals(5, cells.length, () -> "four cells: " + line);
            return new Row(section, cells[0].strip(), cells[1].strip(), cells[2].strip(), cells[3].strip());
        }

        List<String> tests() {
            return codes(test);
        }

        private static List<String> codes(String cell) {
            return CODE.matcher(cell).results().map(result -> result.group(1)).toList();
        }

        boolean isOf(String name) {
            return codes(theirs).stream()
                    .anyMatch(code ->
                            code.equals(name) || code.startsWith(name + "(") || code.contains(" " + name + "("));
        }
    }

    @BeforeAll
    static void read() throws IOException {
        rows = new ArrayList<>();
        String section = "";
        for (String line : Files.readAllLines(PAGE)) {
            if (line.startsWith("## ")) {
                section = line.substring(3);
            } else if (line.startsWith("|") && !line.startsWith("| python-diskcache |") && !line.startsWith("|---")) {
                rows.add(Row.of(section, line));
            }
        }
        sources = new HashMap<>();
        for (String module : List.of("cache-core", "coordination", "examples", "stress-tests")) {
            try (Stream<Path> files = Files.walk(REPOSITORY.resolve(module).resolve("src/test/java"))) {
                for (Path file :
                        files.filter(file -> file.toString().endsWith(".java")).toList()) {
                    sources.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
                }
            }
        }
    }

    @Test
    void everyRowHasATestOrIsMarkedAsMissing() {
        assertTrue(rows.size() > 80, "the table has been found");
        for (Row row : rows) {
            boolean excused = row.test.equals(NONE) && row.ours.equals(NONE);
            assertEquals(excused, row.tests().isEmpty(), row::toString);
            assertTrue(row.tests().stream().allMatch(DiskcacheParityTest::isTest), row::toString);
            assertFalse(row.theirs.isEmpty() && row.ours.isEmpty(), row::toString);
        }
    }

    @Test
    void everyTestThatIsNamedExistsAndRuns() throws IOException {
        List<String> tests = Row.codes(Files.readString(PAGE)).stream()
                .filter(DiskcacheParityTest::isTest)
                .distinct()
                .toList();
        assertTrue(tests.size() > 60, tests::toString);
        assertEquals(List.of(), tests.stream().filter(test -> !exists(test)).toList());
    }

    private static boolean isTest(String name) {
        return name.matches("\\w+(Test|Contract)(\\.\\w+)?");
    }

    private static boolean exists(String test) {
        String[] parts = test.split("\\.", 2);
        String source = sources.get(parts[0]);
        return source != null
                && (parts.length == 1 || methods(source).contains(parts[1]))
                && (!source.contains("abstract class " + parts[0]) || isInherited(parts[0]));
    }

    private static Set<String> methods(String source) {
        return TEST_METHOD
                .matcher(source)
                .results()
                .map(result -> result.group(1))
                .collect(Collectors.toSet());
    }

    private static boolean isInherited(String contract) {
        return sources.values().stream().anyMatch(source -> source.contains(" extends " + contract + " {"));
    }

    @Test
    void everyMethodOfACacheThatIsNamedExists() {
        Set<String> methods = Stream.of(Cache.class, CacheBuilder.class)
                .flatMap(type -> Arrays.stream(type.getMethods()))
                .map(Method::getName)
                .collect(Collectors.toSet());
        Pattern call = Pattern.compile("(\\w+)\\(");
        List<MatchResult> calls = rows.stream()
                .filter(row -> row.section.equals("Cache"))
                .flatMap(row -> call.matcher(row.ours).results())
                .toList();
        assertTrue(calls.size() > 30);
        calls.forEach(found -> assertTrue(methods.contains(found.group(1)), found.group(1)));
    }

    @Test
    void everySettingHasARow() {
        for (Setting setting : Setting.values()) {
            assertTrue(rows.stream().anyMatch(row -> row.ours.contains("`" + setting + "`")), setting::toString);
        }
    }

    @Test
    @Tag("process")
    void everyPublicNameOfDiskcacheHasARow() {
        List<String> names = Python.run(NAMES_OF_DISKCACHE).lines().toList();
        assertTrue(names.size() > 100, names::toString);
        assertEquals(
                List.of(),
                names.stream()
                        .filter(name -> rows.stream().noneMatch(row -> row.isOf(name)))
                        .toList());
    }

    @Test
    void noMoreThanTenDifferencesAreOnPurpose() throws IOException {
        long differences = Files.readAllLines(PAGE).stream()
                .filter(line -> line.matches("\\d+\\. .*"))
                .count();
        assertTrue(differences > 0 && differences <= 10, () -> differences + " differences");
    }
}
