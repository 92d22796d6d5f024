package dev.latchkey.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchmarkOptionsTest {
    private static BenchmarkOptions parse(String words) {
        return BenchmarkOptions.parse(List.of(words.split(" ")));
    }

    @Test
    void everyOptionIsRead() {
        assertEquals(
                new BenchmarkOptions(List.of("set", "lock"), true, 5, 7, Path.of("there")),
                parse("set lock --short --rounds 5 --millis 7 --output there"));
    }

    @Test
    void theWordsOfARunGiveItAgain() {
        BenchmarkOptions options = parse("set --short --rounds 2");
        assertEquals(options, parse(options.words()));
    }

    @Test
    void theShortFormLeavesOutWhatTakesLongAndNothingElse() {
        List<String> all = Cases.words();
        List<String> quick = Cases.of(parse("--short")).stream().map(Case::word).toList();
        assertTrue(quick.containsAll(List.of("get", "set", "set-threads", "set-all", "set-async", "set-processes")));
        assertTrue(quick.containsAll(List.of("lock", "lock-processes", "hand-over", "owner-killed", "waiting")));
        assertTrue(quick.containsAll(List.of("deque", "take", "throttle", "stampede", "open", "open-fanout")));
        assertFalse(quick.contains("get-1000000"));
        assertEquals(all.size(), Cases.of(BenchmarkOptions.parse(List.of())).size());
        assertEquals(all.size(), all.stream().distinct().count());
    }

    @Test
    void everyTargetBelongsToACase() {
        Target.ALL.forEach(target -> assertTrue(Cases.words().contains(target.word()), target.word()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sett", "--rounds 0", "--rounds", "--millis x", "--colour red"})
    void whatIsNotUnderstoodIsRefusedByName(String words) {
        var refused = assertThrows(IllegalArgumentException.class, () -> parse(words));
        assertTrue(refused.getMessage().contains(words.split(" ")[0]), refused.getMessage());
    }
}
