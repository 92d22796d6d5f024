package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A line as it is written and read, and what a long one costs. */
class LineTest extends CacheFixture {
    private static final int PAGE_AND_FRAME_HEADER = 2048 + 24;

    private static Line line(Random random, int length) {
        Line line = Line.EMPTY;
        for (int i = 0; i < length; i++) {
            Arrival arrival =
                    random.nextBoolean() ? Arrival.UNKNOWN : new Arrival(1_732_611_600_000L + i, "pool 1;thread:" + i);
            line = line.with(random.nextLong() >>> 1, 1 + random.nextInt(3), arrival);
        }
        return random.nextBoolean() ? line.reserveNext(random.nextLong() >>> 1) : line;
    }

    @Test
    void whatIsWrittenIsReadHoweverManyLinesThereAre() {
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            lines.add(line(new Random(i), i % 5));
        }
        for (int i = 0; i < 1_000; i++) {
            Line line = lines.get(i);
            assertEquals(line, Line.parse(line.toString()));
            Line again = Line.parse(new String(lines.get(999 - i).toString()));
            assertEquals(lines.get(999 - i), again);
            assertEquals(lines.get(999 - i).toString(), again.toString());
        }
    }

    @Test
    void whatWasJustWrittenIsNotParsedAgain() {
        Line line = line(new Random(1), 20);
        assertSame(line, Line.parse(line.toString()));
    }

    @Test
    void theThreadThatWaitsIsReadAsItWasWritten() {
        Arrival arrival = new Arrival(7, "a b:c;d%e");
        Line line = Line.EMPTY.with(5, 1, arrival);
        assertEquals(arrival, line.places().get(0).arrival());
        assertEquals(arrival, Line.Place.parse(line.toString()).arrival());
    }

    /** A page for the row, no others. */
    @Test
    void aChangeOfALineOfThirtyWritesOnePage() throws IOException {
        StateStore states = cache.unwrap(CoordinationEngine.class).states();
        Random random = new Random(2);
        State last = change(states, null, line(random, 30));
        long before = Files.size(directory.resolve("cache/cache.db-wal"));
        for (int i = 0; i < 10; i++) {
            last = change(states, last, line(random, 30 + i % 2));
        }
        assertEquals(10L * PAGE_AND_FRAME_HEADER, Files.size(directory.resolve("cache/cache.db-wal")) - before);
    }

    private static State change(StateStore states, State remembered, Line line) {
        return states.update(
                        "lock",
                        "a",
                        remembered,
                        from -> Decision.store(
                                new State(
                                        from.kind(),
                                        from.name(),
                                        from.version(),
                                        from.token(),
                                        List.of(),
                                        line.toString(),
                                        ""),
                                true),
                        Deadline.never())
                .state();
    }
}
