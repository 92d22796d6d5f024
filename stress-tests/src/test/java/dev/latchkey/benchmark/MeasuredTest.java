package dev.latchkey.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

/** From what the processes say to the table, the targets and the pictures. */
class MeasuredTest {
    /** One round of a process that did so many calls in a second, each of which took so long. */
    private static Round round(long micros, long calls) {
        return Round.of(
                List.of(Round.Result.parse("RESULT " + calls + " 1000000000 - " + micros * 1_000 + ":" + calls)));
    }

    private static Outcome outcome(String word, long ourMicros, long theirMicros) {
        Case measured = Cases.of(BenchmarkOptions.parse(List.of(word))).get(0);
        return new Outcome(
                measured,
                List.of(
                        new Measured(Peer.LATCHKEY, List.of(round(ourMicros, 10))),
                        new Measured(Peer.DISKCACHE, List.of(round(theirMicros, 10)))));
    }

    private static String target(List<Outcome> outcomes, String wish) {
        return Page.targets(outcomes)
                .lines()
                .filter(line -> line.contains("get, one thread") || line.contains("| get |"))
                .filter(line -> line.contains(wish))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aFigureIsTheMedianOfTheRoundsAndTheMaximumThatOfAll() {
        Measured measured = new Measured(Peer.LATCHKEY, List.of(round(10, 100), round(900, 50), round(20, 70)));
        assertEquals(20, measured.micros(50), 0.1);
        assertEquals(900, measured.longestMicros(), 1);
        assertEquals(70, measured.perSecond(), 0.01);
    }

    @Test
    void theOperationsOfAllProcessesAreAddedAndTheSlowestIsComparedWithTheFastest() {
        Round round = Round.of(List.of(
                Round.Result.parse("RESULT 30 1000000000 - 1000:30"),
                Round.Result.parse("RESULT 40 2000000000 a=1;b=2 2000:40")));
        assertEquals(70, round.total());
        assertEquals(35, round.perSecond(), 0.01);
        assertEquals(0.75, round.share(), 0.001);
        assertEquals(70, round.latencies().getTotalCount());
    }

    @Test
    void aProcessThatHasMeasuredNothingIsNoResult() {
        assertThrows(IllegalStateException.class, () -> Round.Result.parse("RESULT 0 1000000000 -"));
        assertThrows(IllegalStateException.class, () -> Round.Result.parse("RESULT 5 0 - 1000:5"));
    }

    @Test
    void aTargetIsMetOrMissedOrNotMeasured() {
        assertTrue(target(List.of(outcome("get", 70, 100)), "0.75").endsWith("| 0.700 x | met |"));
        assertTrue(target(List.of(outcome("get", 80, 100)), "0.75").endsWith("| 0.800 x | **missed** |"));
        assertTrue(target(List.of(), "0.75").endsWith("| not measured |"));
    }

    @Test
    void aLossIsShownAsPlainlyAsAWin() {
        String won = Page.table(List.of(outcome("get", 50, 100)));
        String lost = Page.table(List.of(outcome("get", 100, 50)));
        assertTrue(won.contains("p50 0.500 x (better)"), won);
        assertTrue(lost.contains("p50 2.00 x (**worse**)"), lost);
    }

    @Test
    void moreCallsThanTheTimeGivesAreCounted() {
        long gun = 5_000_000_000L;
        long milli = TimeUnit.MILLISECONDS.toNanos(1);
        long[] even = LongStream.range(0, 100).map(i -> gun + i * milli).toArray();
        assertEquals(0, Limited.above(gun, even));
        long[] burst = LongStream.range(0, 100)
                .map(i -> gun + Math.max(0, i - 3) * milli)
                .toArray();
        assertEquals(3, Limited.above(gun, burst));
    }

    @Test
    void whatWasNotUsedMustNotBeMadeUpFor() {
        long gun = 5_000_000_000L;
        long milli = TimeUnit.MILLISECONDS.toNanos(1);
        long[] late = LongStream.range(0, 100).map(i -> gun + (i + 50) * milli).toArray();
        assertEquals(0, Limited.above(gun, late));
        long[] oneOfEachProcessReturnsLate = LongStream.range(0, 100)
                .map(i -> gun + (i < 46 ? i : Math.max(i, 50)) * milli)
                .toArray();
        assertEquals(0, Limited.above(gun, oneOfEachProcessReturnsLate));
        long[] burst = LongStream.range(0, 100)
                .map(i -> gun + (i < 50 ? i : Math.max(i, 70)) * milli)
                .toArray();
        assertEquals(20 - 4, Limited.above(gun, burst));
    }

    @Test
    void whatMustNeverBeIsNotInAnyRound() {
        List<Round> rounds = Stream.of(1.0, 3.0, 1.0)
                .map(number -> new Round(round(1, 1).latencies(), List.of(1L), 0, Map.of("computations", number)))
                .toList();
        Outcome cold = new Outcome(
                Cases.of(BenchmarkOptions.parse(List.of("stampede"))).get(0),
                List.of(new Measured(Peer.LATCHKEY, rounds)));
        assertTrue(Page.targets(List.of(cold)).contains("| 1 computation | 3.00 computations | **missed** |"));
        assertTrue(Page.others(List.of(cold)).contains("computations: 1.00 (at most 3.00)"));
    }

    @Test
    void whatIsNoLatencyIsNotInTheTableOfLatencies() {
        Outcome waiting = new Outcome(
                Cases.of(BenchmarkOptions.parse(List.of("waiting"))).get(0),
                List.of(new Measured(Peer.LATCHKEY, List.of(round(10, 2)))));
        assertFalse(Page.table(List.of(waiting)).contains("waiting"));
    }

    @Test
    void aPictureIsWellFormedAndHasALineForEachPeer() throws Exception {
        Document picture = parsed(Plot.latencies(outcome("get", 10, 1_000)));
        assertEquals(2, picture.getElementsByTagName("path").getLength());
        assertTrue(picture.getDocumentElement().getTextContent().contains("python-diskcache"));
    }

    @Test
    void theCasesOfAPictureStandBesideEachOther() throws Exception {
        List<Outcome> outcomes = List.of(outcome("get-1000", 10, 20), outcome("get-10000", 11, 30));
        Document picture = parsed(Plot.growth("get", outcomes));
        assertEquals(4, picture.getElementsByTagName("circle").getLength());
        assertEquals(Optional.of(1_000L), outcomes.get(0).measured().place().map(Case.Place::at));
    }

    @Test
    void otherFiguresAreShownByName() {
        Round round = new Round(Round.newHistogram(), List.of(1L), 0, Map.of("computations", 3.0));
        Outcome cold = new Outcome(
                Cases.of(BenchmarkOptions.parse(List.of("stampede"))).get(0),
                List.of(new Measured(Peer.LATCHKEY, List.of(round))));
        assertTrue(Page.others(List.of(cold)).contains("computations: 3.00"));
        assertTrue(Page.targets(List.of(cold)).contains("| 1 computation | 3.00 computations | **missed** |"));
    }

    private static Document parsed(String svg) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    }
}
