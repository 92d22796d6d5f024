package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptionsTest {
    private static Options parse(String words) {
        return Options.parse(List.of(words.split(" ")));
    }

    @Test
    void allScenariosAreRunUnlessSomeAreNamed() {
        assertEquals(List.of(ScenarioName.values()), Options.parse(List.of()).scenarios());
        assertEquals(
                List.of(ScenarioName.QUEUE, ScenarioName.LOCK),
                parse("queue lock").scenarios());
    }

    @Test
    void everyOptionIsRead() {
        Options options = parse(
                "lock --jvms 3 --threads 5 --seconds 7 --seed 11 --broken no-token-bump --quiet --report page.html");
        assertEquals(
                new Options(
                        List.of(ScenarioName.LOCK),
                        3,
                        5,
                        7,
                        0,
                        11,
                        Optional.of(BrokenRule.NO_TOKEN_BUMP),
                        true,
                        Optional.of("page.html")),
                options);
        assertEquals(Optional.empty(), parse("lock").report());
        assertEquals(90, parse("lock --budget 90").budget());
        assertEquals(0, parse("lock --budget 90 --seconds 5").budget());
    }

    @Test
    void theReplayCommandGivesTheSameOptionsAgain() {
        Options options = parse("storm --jvms 3 --threads 5 --seconds 7 --seed 11 --broken readers-left-open --quiet");
        String replay = options.replay(ScenarioName.STORM);
        String words = replay.substring(replay.indexOf("args=\"") + 6, replay.length() - 1);
        assertEquals(options, parse(words));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"lok", "--jvms 0", "--jvms", "--seconds x", "--threads -1", "--broken nothing", "--colour red"})
    void whatIsNotUnderstoodIsRefusedByName(String words) {
        var refused = assertThrows(IllegalArgumentException.class, () -> parse(words));
        String wrong = words.split(" ")[0];
        assertTrue(refused.getMessage().contains(wrong) || words.contains("nothing"), refused.getMessage());
    }
}
