package dev.latchkey.coordination;

import static dev.latchkey.coordination.ThrottleTimeline.START;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.ThrottleState.Answer;
import dev.latchkey.coordination.ThrottleState.Ask;
import dev.latchkey.coordination.ThrottleState.Slot;
import dev.latchkey.coordination.ThrottleState.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of a throttle as timelines; time stands still unless it is told to pass. */
class ThrottleStateTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final long MILLI = 1_000_000;

    private static ThrottleRate rate(long count, Duration period) {
        return ThrottleRate.of(count, period);
    }

    private static List<Verdict> verdicts(List<Answer> answers) {
        return answers.stream().map(Answer::verdict).toList();
    }

    // Slots

    @Test
    void aNewThrottleHasAllItsPermitsAndThenOnePerInterval() {
        ThrottleTimeline timeline = ThrottleTimeline.of(3, Duration.ofSeconds(3));
        assertEquals(List.of(0L, 0L, 0L, 1_000 * MILLI, 2_000 * MILLI), timeline.slots(5));
    }

    @Test
    void aBurstOfOneSpacesThePermitsEvenly() {
        ThrottleTimeline timeline = ThrottleTimeline.of(1_000, SECOND, 1);
        assertEquals(List.of(0L, MILLI, 2 * MILLI, 3 * MILLI), timeline.slots(4));
        timeline.pass(100 * MILLI);
        assertEquals(List.of(100 * MILLI, 101 * MILLI), timeline.slots(2), "nothing was saved up");
    }

    @Test
    void whatIsNotUsedIsSavedUpToTheBurst() {
        ThrottleTimeline timeline = ThrottleTimeline.of(10, SECOND, 3);
        assertTrue(timeline.takes(3));
        assertFalse(timeline.takes(1));
        timeline.pass(100 * MILLI - 1);
        assertFalse(timeline.takes(1), "a nanosecond too early");
        timeline.pass(1);
        assertTrue(timeline.takes(1));
        timeline.pass(250 * MILLI);
        assertFalse(timeline.takes(3));
        assertTrue(timeline.takes(2));
        timeline.pass(3_600_000 * MILLI);
        assertTrue(timeline.takes(3));
        assertFalse(timeline.takes(1), "an hour saves no more than the burst");
    }

    @Test
    void severalPermitsHaveOneSlotWhenAllOfThemAreThere() {
        ThrottleTimeline timeline = ThrottleTimeline.of(10, SECOND);
        assertEquals(0, timeline.slot(4));
        assertEquals(0, timeline.slot(6));
        assertEquals(1_000 * MILLI, timeline.slot(10));
        assertEquals(1_100 * MILLI, timeline.slot(1));
    }

    @Test
    void theIntervalIsRoundedUp() {
        ThrottleTimeline timeline = ThrottleTimeline.of(3, SECOND, 1);
        assertEquals(List.of(0L, 333_333_334L, 666_666_668L, 1_000_000_002L), timeline.slots(4));
        ThrottleTimeline full = ThrottleTimeline.of(3, SECOND);
        assertEquals(List.of(0L, 0L, 0L, 333_333_334L), full.slots(4), "all of a burst can be had at once");
    }

    @Test
    void aRefusalWritesNothing() {
        ThrottleTimeline timeline = ThrottleTimeline.of(1, SECOND);
        timeline.slot(1);
        State before = timeline.row;
        assertEquals(Verdict.TOO_LATE, timeline.verdict(Ask.now(1, Ask.NEVER_NANOS)));
        assertEquals(Verdict.TOO_LATE, timeline.verdict(Ask.until(1, START + 1_000 * MILLI - 1)));
        assertEquals(Verdict.TOO_MANY, timeline.verdict(Ask.ever(2)));
        timeline.pass(1_000 * MILLI);
        assertEquals(Verdict.TOO_LATE, timeline.verdict(Ask.now(1, timeline.nanos - 1)), "it has gone");
        assertEquals(Verdict.TOO_LATE, timeline.verdict(Ask.until(1, timeline.nanos - 1)), "it has gone");
        timeline.pass(-1_000 * MILLI);
        assertEquals(
                List.of(Verdict.NOT_YET),
                verdicts(timeline.asks(false, Ask.ever(1), Ask.ever(1))),
                "farther than 10 ms");
        assertEquals(before, timeline.row);
        assertEquals(Verdict.GRANTED, timeline.verdict(Ask.until(1, START + 1_000 * MILLI)));
    }

    // The batch

    @Test
    void aQueueReservesAsFarAsTenMillisecondsAhead() {
        ThrottleTimeline timeline = ThrottleTimeline.of(250, SECOND, 1);
        Ask[] asks = new Ask[10];
        java.util.Arrays.fill(asks, Ask.ever(1));
        List<Answer> answers = timeline.asks(false, asks);
        assertEquals(List.of(Verdict.GRANTED, Verdict.GRANTED, Verdict.GRANTED, Verdict.NOT_YET), verdicts(answers));
        assertEquals(START + 8 * MILLI, answers.get(2).slot().nanos());
        assertEquals(START + 12 * MILLI, answers.get(3).slot().nanos(), "when it would have been");
        assertEquals(12 * MILLI, timeline.slot(1), "and was not reserved");
    }

    @Test
    void oneSlotMayBeFarAndNoneBehindIt() {
        ThrottleTimeline timeline = ThrottleTimeline.of(1, SECOND);
        timeline.slot(1);
        List<Answer> answers = timeline.asks(true, Ask.ever(1), Ask.ever(1), Ask.ever(1));
        assertEquals(List.of(Verdict.GRANTED, Verdict.NOT_YET), verdicts(answers));
    }

    @Test
    void whoComesTooLateIsPassedOverAndReservesNothing() {
        ThrottleTimeline timeline = ThrottleTimeline.of(500, SECOND, 1);
        List<Answer> answers = timeline.asks(
                false,
                Ask.ever(1),
                Ask.until(1, START + MILLI),
                Ask.now(1, Ask.NEVER_NANOS),
                Ask.ever(2),
                Ask.until(1, START + 2 * MILLI));
        assertEquals(
                List.of(Verdict.GRANTED, Verdict.TOO_LATE, Verdict.TOO_LATE, Verdict.TOO_MANY, Verdict.GRANTED),
                verdicts(answers));
        assertEquals(START + 2 * MILLI, answers.get(4).slot().nanos());
    }

    // Cancelling

    @Test
    void onlyTheLastReservationCanBeGivenBack() {
        ThrottleTimeline timeline = ThrottleTimeline.of(1, SECOND);
        timeline.slot(1);
        Slot first = timeline.reserve(1);
        Slot last = timeline.reserve(1);
        assertFalse(timeline.cancels(first));
        assertTrue(timeline.cancels(last));
        assertFalse(timeline.cancels(last), "once");
        assertTrue(timeline.cancels(first), "now it is the last");
        assertEquals(1_000 * MILLI, timeline.slot(1));
    }

    @Test
    void aSlotThatHasComeCannotBeGivenBack() {
        ThrottleTimeline timeline = ThrottleTimeline.of(1, SECOND);
        Slot atOnce = timeline.reserve(1);
        assertFalse(timeline.cancels(atOnce));
        Slot later = timeline.reserve(1);
        timeline.pass(1_000 * MILLI);
        assertFalse(timeline.cancels(later));
    }

    @Test
    void aCancelledReservationSavesNothingUpThatWasNotThere() {
        ThrottleTimeline timeline = ThrottleTimeline.of(10, SECOND, 1);
        timeline.slot(1);
        timeline.pass(50 * MILLI);
        Slot slot = timeline.reserve(1);
        assertTrue(timeline.cancels(slot));
        assertEquals(100 * MILLI, timeline.slot(1));
    }

    // Looking

    @Test
    void lookingSaysWhatCanBeHadAndWhen() {
        ThrottleTimeline timeline = ThrottleTimeline.of(10, SECOND);
        assertEquals(10, timeline.remaining());
        assertEquals(0, timeline.retryAfter());
        timeline.slot(9);
        assertEquals(1, timeline.remaining());
        timeline.slot(1);
        assertEquals(0, timeline.remaining());
        assertEquals(100 * MILLI, timeline.retryAfter());
        timeline.slot(5);
        assertEquals(600 * MILLI, timeline.retryAfter());
        timeline.pass(599 * MILLI);
        assertEquals(0, timeline.remaining());
        timeline.pass(1 * MILLI);
        assertEquals(1, timeline.remaining());
        timeline.pass(5_000 * MILLI);
        assertEquals(10, timeline.remaining());
    }

    // Altering

    @Test
    void whatIsUsedStaysUsedWhenTheRateIsAltered() {
        ThrottleTimeline timeline = ThrottleTimeline.of(10, SECOND);
        timeline.slot(4);
        timeline.alter(rate(20, SECOND));
        assertEquals(16, timeline.remaining());
        timeline.alter(rate(5, Duration.ofMinutes(1)));
        assertEquals(1, timeline.remaining());
        timeline.slot(1);
        timeline.alter(rate(1_000, SECOND));
        assertEquals(995, timeline.remaining());
        timeline.slot(995);
        timeline.alter(rate(2, SECOND));
        assertEquals(0, timeline.remaining());
        assertEquals(500 * MILLI, timeline.retryAfter(), "no more is owed than all of it");
    }

    @Test
    void theNewRateBeginsAfterTheLastSlotThatWasReserved() {
        ThrottleTimeline timeline = ThrottleTimeline.of(1, SECOND);
        assertEquals(List.of(0L, 1_000 * MILLI, 2_000 * MILLI), timeline.slots(3));
        timeline.alter(rate(1_000, SECOND).withBurst(1));
        assertEquals(List.of(2_001 * MILLI, 2_002 * MILLI), timeline.slots(2));
        timeline.alter(rate(1, Duration.ofHours(1)));
        assertEquals(List.of(3_600_000 * MILLI + 2_002 * MILLI), timeline.slots(1));
    }

    // Clocks

    @Test
    void stepsOfTheWallClockDoNotMatter() {
        ThrottleTimeline timeline = ThrottleTimeline.of(10, SECOND, 1);
        timeline.slots(3);
        for (long step : new long[] {3_600_000, -7_200_000, Long.MIN_VALUE / 4, Long.MAX_VALUE / 4}) {
            timeline.wallMillis += step;
            assertEquals(300 * MILLI, timeline.retryAfter());
        }
        assertEquals(300 * MILLI, timeline.slot(1));
    }

    @Test
    void aRebootTakesTheTimeThatPassedFromTheWallClock() {
        ThrottleTimeline timeline = ThrottleTimeline.of(10, Duration.ofSeconds(10));
        timeline.slot(10);
        timeline.reboot(4_001);
        assertEquals(4, timeline.remaining());
        timeline.slot(1);
        assertEquals(3, timeline.remaining());
        timeline.pass(1_000 * MILLI);
        assertEquals(4, timeline.remaining(), "from then on the host clock counts");
    }

    @Test
    void aRebootNeverGainsAPermit() {
        for (long off : new long[] {0, 1, -1, -3_600_000, Long.MIN_VALUE / 4}) {
            ThrottleTimeline timeline = ThrottleTimeline.of(10, Duration.ofSeconds(10));
            timeline.slot(7);
            timeline.reboot(off);
            assertEquals(3, timeline.remaining(), "clock off by " + off);
            timeline.reboot(off);
            assertEquals(3, timeline.remaining());
        }
        ThrottleTimeline longAgo = ThrottleTimeline.of(10, Duration.ofSeconds(10));
        longAgo.slot(10);
        longAgo.reboot(Long.MAX_VALUE / 4);
        assertEquals(10, longAgo.remaining(), "all, and no more");
        longAgo.slot(10);
        assertEquals(0, longAgo.remaining());
    }

    @Test
    void aSlotOfAnotherBootCannotBeGivenBack() {
        ThrottleTimeline timeline = ThrottleTimeline.of(1, SECOND);
        timeline.slot(1);
        Slot slot = timeline.reserve(1);
        timeline.reboot(1);
        assertFalse(timeline.cancels(slot));
    }

    @Test
    void whereTheSystemNamesNoBootAClockThatWentBackIsAnother() {
        ThrottleTimeline timeline = ThrottleTimeline.of(10, Duration.ofSeconds(10));
        timeline.boot = "";
        timeline.slot(1);
        timeline.slot(9);
        timeline.pass(1_000 * MILLI);
        assertEquals(1, timeline.remaining());
        timeline.nanos = 5;
        assertEquals(0, timeline.remaining(), "the last millisecond of the wall clock is not believed");
        timeline.wallMillis += 1;
        assertEquals(1, timeline.remaining());
    }

    // What is stored

    @Test
    void whatIsStoredIsReadBackAndReadable() {
        ThrottleTimeline timeline = ThrottleTimeline.of(10, SECOND);
        timeline.slot(1);
        assertEquals(
                "count=10 period=1000000000 burst=count tat=1000100000000 at=1000000000000 wall=1700000000000"
                        + " boot=boot-1",
                timeline.row.detail());
        assertEquals(
                timeline.row.detail(),
                ThrottleState.parse(timeline.row.detail()).detail());
        ThrottleTimeline even = ThrottleTimeline.of(10, SECOND, 1);
        even.boot = "";
        even.slot(1);
        assertTrue(even.row.detail().contains(" burst=1 "));
        assertEquals(even.row.detail(), ThrottleState.parse(even.row.detail()).detail());
    }

    @Test
    void aThrottleIsFoundedOnce() {
        ThrottleTimeline timeline = ThrottleTimeline.of(1, SECOND);
        timeline.slot(1);
        State before = timeline.row;
        assertFalse(timeline.apply(ThrottleState.found(before, rate(5, SECOND), timeline.now())));
        assertEquals(before, timeline.row);
        timeline.row = State.absent(ThrottleState.KIND, "t", 0); // deleted
        assertTrue(timeline.takes(1), "with all its permits");
    }

    // Bounds

    @Test
    void ratesThatMakeNoSenseAreRefused() {
        for (long count : new long[] {0, -1, Long.MIN_VALUE}) {
            assertThrows(IllegalArgumentException.class, () -> rate(count, SECOND));
            assertThrows(IllegalArgumentException.class, () -> rate(1, SECOND).withBurst(count));
        }
        for (Duration period : List.of(
                Duration.ZERO, Duration.ofNanos(-1), Duration.ofDays(40 * 365), Duration.ofSeconds(Long.MAX_VALUE))) {
            assertThrows(IllegalArgumentException.class, () -> rate(1, period), period.toString());
        }
        assertThrows(IllegalArgumentException.class, () -> rate(Long.MAX_VALUE, SECOND));
        assertThrows(IllegalArgumentException.class, () -> rate(1_000_000_001, SECOND));
        assertThrows(IllegalArgumentException.class, () -> rate(700_000_000, SECOND), "2 ns instead of 1.43");
        assertThrows(IllegalArgumentException.class, () -> rate(1, SECOND).withBurst(Long.MAX_VALUE));
        assertThrows(IllegalArgumentException.class, () -> rate(1, Duration.ofDays(365))
                .withBurst(37));
    }

    @Test
    void theGreatestRatesAreExact() {
        ThrottleTimeline fast = ThrottleTimeline.of(1_000_000_000, SECOND);
        assertEquals(0, fast.slot(1_000_000_000));
        assertEquals(1, fast.slot(1));
        assertEquals(5_000_001, fast.slot(5_000_000));
        Duration years = Duration.ofDays(36 * 365);
        ThrottleTimeline slow = ThrottleTimeline.of(1, years);
        assertEquals(0, slow.slot(1));
        assertEquals(years.toNanos(), slow.retryAfter());
        assertEquals(years.toNanos(), rate(1, years).intervalNanos());
        assertThrows(IllegalStateException.class, () -> slow.slot(1), "72 years");
        ThrottleTimeline many = ThrottleTimeline.of(Integer.MAX_VALUE, Duration.ofDays(1));
        assertEquals(0, many.slot(Integer.MAX_VALUE));
        assertThrows(IllegalStateException.class, () -> many.slots(100).addAll(reserveForEver(many)));
    }

    private static List<Long> reserveForEver(ThrottleTimeline timeline) {
        List<Long> slots = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            slots.add(timeline.slot(Integer.MAX_VALUE));
        }
        return slots;
    }

    @Test
    void ratesAreTheSameIfTheyMeanTheSame() {
        assertTrue(rate(5, SECOND).isSameAs(rate(5, SECOND).withBurst(5)));
        assertFalse(rate(5, SECOND).isSameAs(rate(5, SECOND).withBurst(4)));
        assertFalse(rate(60, Duration.ofMinutes(1)).isSameAs(rate(1, SECOND)));
        assertEquals(20, rate(5, SECOND).altered(20, SECOND).burst(), "it was not given");
        assertEquals(5, rate(5, SECOND).withBurst(5).altered(20, SECOND).burst());
        assertEquals("5 per PT1S (burst 5)", rate(5, SECOND).toString());
    }

    // Any arrivals

    /** Processes whose clocks were read in another order than they wrote, who cancel, are refused, and ask together. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 10})
    void noWindowHasMoreThanBurstAndRateAllowWhateverIsAsked(int burst) {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(31L * seed + burst);
            long interval = random.nextInt(2_000_000) + 1L;
            ThrottleTimeline timeline = new ThrottleTimeline(new ThrottleRate(7, 7 * interval, burst));
            List<Long> slots = new ArrayList<>();
            for (int step = 0; step < 150; step++) {
                step(timeline, random, burst, interval, slots);
            }
            assertTrue(slots.size() > 20, "something was asked");
            assertEquals(
                    Optional.empty(),
                    SlotChecker.violation(slots, burst, interval),
                    "seed " + seed + ", " + timeline.row);
        }
    }

    private static void step(ThrottleTimeline timeline, Random random, int burst, long interval, List<Long> slots) {
        long lag = random.nextInt(4) == 0 ? random.nextInt(200_000) : 0;
        timeline.nanos -= lag; // who reads its clock early may write late
        long permits = random.nextInt(burst) + 1L;
        switch (random.nextInt(5)) {
            case 0 -> note(timeline.asks(true, Ask.now(permits, Ask.NEVER_NANOS)), slots);
            case 1 -> note(timeline.asks(true, Ask.until(permits, timeline.nanos + random.nextInt(5_000_000))), slots);
            case 2 ->
                note(
                        timeline.asks(
                                random.nextBoolean(), Ask.ever(permits), Ask.now(1, Ask.NEVER_NANOS), Ask.ever(1)),
                        slots);
            case 3 -> note(timeline.asks(true, Ask.ever(permits)), slots);
            default -> {
                Slot slot = timeline.reserve(permits);
                timeline.nanos += random.nextInt((int) interval);
                if (!timeline.cancels(slot)) {
                    note(slot, slots);
                }
            }
        }
        timeline.nanos += lag + (long) (-Math.log(1 - random.nextDouble()) * 2 * interval);
        if (random.nextInt(50) == 0) {
            timeline.nanos += 1L * burst * interval; // a pause
        }
    }

    private static void note(List<Answer> answers, List<Long> slots) {
        answers.stream().filter(Answer::isGranted).forEach(answer -> note(answer.slot(), slots));
    }

    private static void note(Slot slot, List<Long> slots) {
        for (int i = 0; i < slot.permits(); i++) {
            slots.add(slot.nanos());
        }
    }
}
