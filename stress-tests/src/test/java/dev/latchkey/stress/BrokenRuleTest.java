package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.check.Violation;
import dev.latchkey.testing.DirectoryTree;
import dev.latchkey.testing.Requirements;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The harness can fail: an engine that breaks a rule is noticed, by the promise that the rule serves, whatever the seed. */
class BrokenRuleTest {
    /** One where somebody waits for the result, and as many as one asks for. */
    private static final int SEEDS = Integer.getInteger("latchkey.stress.seeds", 1);

    /** While one is played the next one's processes start, and those of the one before end. */
    private static final ExecutorService TRIALS = Executors.newFixedThreadPool(2);

    private static final Stage STAGE = Stage.withoutBudget();
    private static final Map<Broken, Future<Outcome>> BEGUN = new HashMap<>();

    /** An engine that breaks a rule, under the faults of a seed. */
    private record Broken(BrokenRule rule, long seed) {
        /** Runs it in a folder of its own. */
        Outcome run() throws IOException {
            Options options =
                    Options.parse(List.of()).withSeed(seed).withBroken(rule).withSeconds(rule.seconds());
            Path work = Files.createTempDirectory(Stress.root(), "broken-" + rule.word() + "-");
            try {
                return Trial.run(options, rule.scenario(), STAGE, work);
            } finally {
                List<String> left = DirectoryTree.delete(work);
                assertEquals(List.of(), left);
            }
        }

        /** Those that come next, in the order of the tests. */
        static List<Broken> from(Broken first) {
            List<Broken> all = everyRuleWithEverySeed()
                    .map(arguments -> new Broken(
                            (BrokenRule) arguments.get()[0], ((Number) arguments.get()[1]).longValue()))
                    .filter(broken -> broken.rule.scenario().missing().isEmpty())
                    .toList();
            int index = all.indexOf(first);
            return all.subList(index, Math.min(all.size(), index + 2));
        }
    }

    static Stream<Arguments> everyRuleWithEverySeed() {
        return Arrays.stream(BrokenRule.values())
                .flatMap(rule ->
                        Stream.iterate(1L, seed -> seed + 1).limit(SEEDS).map(seed -> Arguments.of(rule, seed)));
    }

    @AfterAll
    static void end() {
        TRIALS.shutdownNow();
    }

    @Tag("process")
    @ParameterizedTest
    @MethodSource("everyRuleWithEverySeed")
    void aBrokenRuleIsNoticedByThePromiseItServes(BrokenRule rule, long seed) throws Exception {
        rule.scenario().missing().ifPresent(Requirements::missing);
        long start = System.nanoTime();
        Broken broken = new Broken(rule, seed);
        Broken.from(broken).forEach(each -> BEGUN.computeIfAbsent(each, absent -> TRIALS.submit(each::run)));
        Outcome outcome = Objects.requireNonNull(BEGUN.get(broken)).get();
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf("%s, seed %d: %s after %.1f s%n", rule.word(), seed, promises(outcome), seconds);
        assertTrue(promises(outcome).stream().anyMatch(rule.promises()::contains), Report.of(outcome));
        assertTrue(seconds < 60, "noticed only after " + seconds + " s");
    }

    private static List<String> promises(Outcome outcome) {
        return outcome.violations().stream()
                .map(Violation::promise)
                .distinct()
                .sorted()
                .toList();
    }

    @Test
    void everyScenarioNoticesABrokenRule() {
        EnumSet<ScenarioName> noticed = EnumSet.noneOf(ScenarioName.class);
        for (BrokenRule rule : BrokenRule.values()) {
            noticed.add(rule.scenario());
        }
        assertEquals(EnumSet.allOf(ScenarioName.class), noticed);
    }

    @ParameterizedTest
    @EnumSource
    void everyRuleIsInTheSourceThatIsShipped(BrokenRule rule) throws IOException {
        String source = Files.readString(TestBuild.root().resolve(rule.source()));
        assertTrue(!rule.applyTo(source).equals(source));
    }

    @Test
    void aRuleThatIsNoLongerInTheSourceCannotBeBroken() {
        assertThrows(IllegalStateException.class, () -> BrokenRule.BLIND_RELEASE.applyTo("class Other {}"));
    }
}
