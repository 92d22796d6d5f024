package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.check.Violation;
import dev.latchkey.testing.Requirements;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The harness can fail: an engine that breaks a rule is noticed, by the promise that the rule serves, whatever the seed. */
class BrokenRuleTest {
    /** One where somebody waits for the result, five where it counts. */
    private static final int SEEDS = Boolean.getBoolean("latchkey.ci") ? 5 : 1;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    static Stream<Arguments> everyRuleWithEverySeed() {
        return Arrays.stream(BrokenRule.values())
                .flatMap(rule ->
                        Stream.iterate(1L, seed -> seed + 1).limit(SEEDS).map(seed -> Arguments.of(rule, seed)));
    }

    @Tag("process")
    @ParameterizedTest
    @MethodSource("everyRuleWithEverySeed")
    void aBrokenRuleIsNoticedByThePromiseItServes(BrokenRule rule, long seed) throws IOException {
        if (rule.scenario().pythons() > 0) {
            Requirements.python();
        }
        Options options =
                Options.parse(List.of()).withSeed(seed).withBroken(rule).withSeconds(rule.seconds());
        long start = System.nanoTime();
        Outcome outcome = Trial.run(options, rule.scenario(), directory.path());
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
