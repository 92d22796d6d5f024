package dev.latchkey.stress;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import dev.latchkey.stress.forbidden.SqlInCoordination;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Who may use whom. Every rule is shown a class that breaks it, so that it is known to be able to fail. */
class ArchitectureTest {
    private static final String API = "dev.latchkey.cache";
    private static final String SPI = "dev.latchkey.cache.spi";
    private static final String ENGINE = "dev.latchkey.cache.sqlite";
    private static final String COORDINATION = "dev.latchkey.coordination..";
    private static final String COORDINATION_RESILIENCE4J = "dev.latchkey.coordination.resilience4j";
    private static final String RESILIENCE4J = "io.github.resilience4j..";
    private static final String FORBIDDEN = "dev.latchkey.stress.forbidden";

    /** The name of each rule, the rule, and the class in {@code forbidden} that breaks it. */
    private static final Map<String, Rule> RULES = Map.of(
            "coordination sees the API and the SPI of the cache, and no database",
            new Rule(
                    classes()
                            .that()
                            .resideInAnyPackage(COORDINATION, FORBIDDEN)
                            .and()
                            .haveNameNotMatching(".*\\.InspectorCommand(\\$.*)?") // it prints, and is told a path
                            .should()
                            .onlyDependOnClassesThat()
                            .resideInAnyPackage(
                                    "java.lang..",
                                    "java.nio.charset..",
                                    "java.util..",
                                    "java.time..",
                                    "com.google.common..",
                                    "org.jspecify..",
                                    RESILIENCE4J,
                                    API,
                                    SPI,
                                    COORDINATION,
                                    FORBIDDEN),
                    "SqlInCoordination"),
            "Resilience4j is known where its interfaces are implemented, and in an example",
            new Rule(
                    noClasses()
                            .that()
                            .resideOutsideOfPackage(COORDINATION_RESILIENCE4J)
                            .and()
                            .haveNameNotMatching("dev\\.latchkey\\.examples\\.Resilience4jMain.*")
                            .should()
                            .dependOnClassesThat()
                            .resideInAnyPackage(RESILIENCE4J, COORDINATION_RESILIENCE4J),
                    "Resilience4jUser"),
            "only the builders of caches know the embedded engine, and a benchmark that asks how it is set",
            new Rule(
                    noClasses()
                            .that()
                            .resideOutsideOfPackage(ENGINE)
                            .and()
                            .haveNameNotMatching("dev\\.latchkey\\.cache\\.(Abstract|Fanout)?CacheBuilder")
                            .and()
                            .haveNameNotMatching("dev\\.latchkey\\.benchmark\\.LatchkeySubject")
                            .should()
                            .dependOnClassesThat()
                            .resideInAPackage(ENGINE),
                    "EngineUser"),
            "JDBC stays in the embedded engine, but for what looks at a directory from outside in stress tests",
            new Rule(
                    noClasses()
                            .that()
                            .resideOutsideOfPackage(ENGINE)
                            .and()
                            .haveNameNotMatching(
                                    "dev\\.latchkey\\.stress\\.check\\.(RemainsReader|ForeignCheckpoint|ForeignRead)(\\$.*)?")
                            .should()
                            .dependOnClassesThat()
                            .resideInAnyPackage("java.sql..", "org.sqlite.."),
                    "SqlInCoordination"),
            "native calls stay in Futex, and where a process kills itself",
            new Rule(
                    noClasses()
                            .that()
                            .doNotHaveFullyQualifiedName(ENGINE + ".Futex")
                            .and()
                            .haveNameNotMatching("dev\\.latchkey\\.stress\\.worker\\.AimedKill.*")
                            .should()
                            .dependOnClassesThat()
                            .resideInAPackage("com.sun.jna.."),
                    "NativeCall"),
            "the referee of the stress tests knows nothing of what it judges",
            new Rule(
                    classes()
                            .that()
                            .resideInAnyPackage("dev.latchkey.stress.referee", FORBIDDEN)
                            .should()
                            .onlyDependOnClassesThat()
                            .resideInAnyPackage("java..", "org.jspecify..", "dev.latchkey.stress.referee", FORBIDDEN),
                    "EngineUser"),
            "the cache knows nothing of coordination, and neither of them of the demo and the tests",
            new Rule(
                    noClasses()
                            .that()
                            .resideInAnyPackage("dev.latchkey.cache..", FORBIDDEN)
                            .should()
                            .dependOnClassesThat()
                            .resideInAnyPackage(COORDINATION, "dev.latchkey.examples.."),
                    "CoordinationUser"));

    private record Rule(ArchRule rule, String breaker) {}

    /** What was compiled of the four modules; the tests run in the folder of one of them. */
    private static JavaClasses production() {
        Path root = Path.of("").toAbsolutePath().getParent();
        return new ClassFileImporter()
                .importPaths(Stream.of("cache-core", "coordination", "examples", "stress-tests")
                        .map(module -> root.resolve(module).resolve("target/classes"))
                        .filter(Files::isDirectory)
                        .toList());
    }

    private static JavaClasses breaker(String name) {
        return new ClassFileImporter()
                .importPackagesOf(SqlInCoordination.class)
                .that(com.tngtech.archunit.base.DescribedPredicate.describe(
                        name, found -> found.getSimpleName().equals(name)));
    }

    @Test
    void theClassesOfAllModulesAreFound() {
        JavaClasses all = production();
        assertTrue(all.contain("dev.latchkey.cache.sqlite.Engine"));
        assertTrue(all.contain("dev.latchkey.coordination.Lock"));
        assertTrue(all.contain("dev.latchkey.examples.WordIndexDemo"));
    }

    @TestFactory
    Stream<DynamicTest> theModulesObeyTheRules() {
        JavaClasses all = production();
        return RULES.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey(), () -> entry.getValue().rule.check(all)));
    }

    @TestFactory
    Stream<DynamicTest> everyRuleNoticesAForbiddenImport() {
        return RULES.entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
                    JavaClasses breaker = breaker(entry.getValue().breaker);
                    assertFalse(breaker.isEmpty());
                    assertTrue(entry.getValue().rule.evaluate(breaker).hasViolation());
                }));
    }
}
