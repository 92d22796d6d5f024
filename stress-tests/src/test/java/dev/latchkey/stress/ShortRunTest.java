package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.check.Fault;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * All scenarios with all faults, for three minutes; {@code -Dlatchkey.stress.seconds=120} makes each scenario longer, and
 * {@code -Dlatchkey.stress.seed=42} repeats the schedule of another run.
 */
@Tag("process")
class ShortRunTest {
    private static final int SECONDS = Integer.getInteger("latchkey.stress.seconds", 10);

    /** Rounds that are added if too few processes were killed at some moment: how the processors are shared decides that. */
    private static final int MOST_EXTRA_ROUNDS = 4;

    private static final int EXTRA_SECONDS = 10;

    /** How many kills there must be; those at another moment do not count. */
    private static final int KILLS = 100;

    private static final int KILLS_OF_EACH_KIND = 10;

    @Test
    void noPromiseIsBrokenWhileProcessesAreKilledStoppedAndInterrupted() throws IOException {
        Options options = Options.parse(List.of()).withSeconds(SECONDS);
        Long seed = Long.getLong("latchkey.stress.seed");
        options = seed == null ? options : options.withSeed(seed);
        List<Outcome> outcomes = new ArrayList<>(Stress.run(options));
        for (int round = 1; round <= MOST_EXTRA_ROUNDS && !tooFew(outcomes).isEmpty(); round++) {
            outcomes.addAll(Stress.run(options.withScenarios(List.of(ScenarioName.STORM))
                    .withSeconds(EXTRA_SECONDS)
                    .withSeed(options.seed() + round)));
        }
        System.out.println(Report.total(outcomes));
        for (Outcome outcome : outcomes) {
            assertTrue(outcome.violations().isEmpty(), () -> Report.of(outcome));
        }
        assertEquals(List.of(), tooFew(outcomes));
        for (Fault.Kind kind : Fault.Kind.values()) {
            assertTrue(outcomes.stream().anyMatch(outcome -> outcome.faults(kind) > 0), "no " + kind);
        }
    }

    /** Of what there was too little, in words. */
    private static List<String> tooFew(List<Outcome> outcomes) {
        Map<Moment, Integer> kills = Report.kills(outcomes);
        List<String> missing = new ArrayList<>();
        int counted = 0;
        for (Moment moment : EnumSet.complementOf(EnumSet.of(Moment.OTHER))) {
            int number = kills.getOrDefault(moment, 0);
            counted += number;
            if (number < KILLS_OF_EACH_KIND) {
                missing.add("only " + number + " processes were killed while " + moment.word());
            }
        }
        if (counted < KILLS) {
            missing.add("only " + counted + " kills count");
        }
        return missing;
    }
}
