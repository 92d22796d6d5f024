package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.check.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * All scenarios with all faults, within four minutes; {@code -Dlatchkey.stress.minutes=30} gives all of them together half an hour, in
 * which more must be killed at each moment, and {@code -Dlatchkey.stress.seed=42} repeats the schedule of another run.
 */
@Tag("process")
class ShortRunTest {
    private static final int SHORT_MINUTES = 4;
    private static final int MINUTES = Integer.getInteger("latchkey.stress.minutes", SHORT_MINUTES);

    /** How many seconds all of it may take. */
    private static final int BUDGET = 60 * MINUTES;

    /** What is kept of that for rounds that are added if too few processes were killed at some moment: as the processors are shared. */
    private static final int RESERVE = Math.min(BUDGET / 5, 60);

    private static final int EXTRA_ROUND = 18;

    /** How many kills there must be; those at another moment do not count. */
    private static final int KILLS = 100;

    /** As long as there were fewer, and there is time, rounds are added. */
    private static final int KILLS_WISHED_FOR = 200;

    private static final Set<Moment> COUNTED = EnumSet.complementOf(EnumSet.of(Moment.OTHER));

    private static final int KILLS_OF_EACH_KIND = MINUTES > SHORT_MINUTES ? 20 : 10;

    @Test
    void noPromiseIsBrokenWhileProcessesAreKilledStoppedAndInterrupted() throws IOException {
        long start = System.nanoTime();
        Options options = Options.parse(List.of()).withBudget(BUDGET - RESERVE);
        Long seed = Long.getLong("latchkey.stress.seed");
        options = seed == null ? options : options.withSeed(seed);
        List<Outcome> outcomes = new ArrayList<>(Stress.run(options));
        for (int round = 1;
                BUDGET - seconds(start) >= EXTRA_ROUND
                        && (kills(outcomes) < KILLS_WISHED_FOR
                                || !tooFew(outcomes).isEmpty());
                round++) {
            outcomes.addAll(Stress.run(options.withScenarios(List.of(next(outcomes)))
                    .withBudget(EXTRA_ROUND)
                    .withSeed(options.seed() + round)));
        }
        Files.writeString(Path.of("target/stress-report.html"), ReportPage.of(outcomes));
        System.out.printf("after %.0f s ", seconds(start));
        System.out.println(Report.total(outcomes));
        for (Outcome outcome : outcomes) {
            assertTrue(outcome.violations().isEmpty(), () -> Report.of(outcome));
        }
        assertEquals(List.of(), tooFew(outcomes));
        EnumSet<Fault.Kind> expected = EnumSet.allOf(Fault.Kind.class);
        if (ScenarioName.DISK.missing().isPresent()) {
            expected.removeAll(EnumSet.of(Fault.Kind.DISK_FILLED, Fault.Kind.DISK_FREED));
        }
        for (Fault.Kind kind : expected) {
            assertTrue(outcomes.stream().anyMatch(outcome -> outcome.faults(kind) > 0), "no " + kind);
        }
    }

    /** Where the moment that was hit least is to be had: the storm opens and closes, the queue does all the rest. */
    private static ScenarioName next(List<Outcome> outcomes) {
        Map<Moment, Integer> kills = Report.kills(outcomes);
        Moment least = Collections.min(COUNTED, Comparator.comparingInt(moment -> kills.getOrDefault(moment, 0)));
        return least == Moment.OPENING || least == Moment.CLOSING ? ScenarioName.STORM : ScenarioName.QUEUE;
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    private static int kills(List<Outcome> outcomes) {
        return outcomes.stream().mapToInt(outcome -> outcome.kills().size()).sum();
    }

    /** Of what there was too little, in words. */
    private static List<String> tooFew(List<Outcome> outcomes) {
        Map<Moment, Integer> kills = Report.kills(outcomes);
        List<String> missing = new ArrayList<>();
        int counted = 0;
        for (Moment moment : COUNTED) {
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
