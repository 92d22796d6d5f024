package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.BarrierState.Arrived;
import dev.latchkey.coordination.BarrierState.Left;
import dev.latchkey.coordination.BarrierState.Outcome;
import dev.latchkey.coordination.BarrierState.Party;
import dev.latchkey.coordination.BarrierState.Phase;
import dev.latchkey.coordination.BarrierState.Seat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The rules of a barrier of three parties as timelines: no clock, no database, no thread. Party {@code n} is of session n. */
class BarrierStateTest {
    private State row = State.absent(BarrierState.KIND, "b", 1000);
    private List<String> rung = List.of();
    private long granted;
    private Set<Long> buried = Set.of();
    private final Set<Long> dead = new HashSet<>();

    private <R> R apply(Decision<R> decision) {
        row = decision.changes(row) ? decision.next().withVersion(row.version() + 1) : row;
        rung = decision.rings();
        granted = decision.grantsTo();
        buried = decision.dead();
        return decision.result();
    }

    private static Party party(long session) {
        return new Party(session, 10 + session);
    }

    private Arrived arrives(long session, boolean acts) {
        Arrival arrival = new Arrival(5000, "t " + session);
        Set<Long> found = barrier().dead(dead::contains);
        return apply(BarrierState.arrive(row, 3, party(session), arrival, acts, false, found, dead::contains));
    }

    private Arrived arrives(long session) {
        return arrives(session, false);
    }

    private Arrived arrivesInterrupted(long session) {
        return apply(
                BarrierState.arrive(row, 3, party(session), Arrival.UNKNOWN, false, true, Set.of(), dead::contains));
    }

    private Left leaves(long session) {
        return apply(BarrierState.leave(row, 3, party(session)));
    }

    private boolean acted(long session, boolean succeeded) {
        return apply(BarrierState.acted(row, 3, party(session), succeeded));
    }

    private void resets() {
        apply(BarrierState.reset(row, 3));
    }

    private void looks() {
        apply(BarrierState.bury(row, 3, barrier().dead(dead::contains)));
    }

    private BarrierState barrier() {
        return BarrierState.of(row, 3);
    }

    /** The row without since when and as which thread anybody waits. */
    private String shown() {
        String line = Timeline.places(row);
        return row.detail().substring(2) + (line.isEmpty() ? "" : " | " + line);
    }

    private void acting() {
        arrives(1, true);
        arrives(2, true);
        assertEquals(Arrived.ACTS, arrives(3, true));
    }

    @Test
    void theFirstObjectSetsTheNumberOfPartiesAndTheOthersLearnIt() {
        assertEquals(3, apply(BarrierState.found(row, 3)).parties());
        assertEquals("3 1 WAITING", row.detail());
        State before = row;
        assertEquals(3, apply(BarrierState.found(row, 4)).parties());
        assertEquals(before, row);
    }

    @Test
    void theLastToComeLetsAllPassAndRings() {
        assertEquals(Arrived.WAITS, arrives(1));
        assertEquals(1, granted, "a seat is granted to the living only");
        assertEquals(List.of(), rung, "nobody waits for this");
        assertEquals(Arrived.WAITS, arrives(2));
        assertEquals("1 WAITING | 1.11#2 2.12#1", shown());
        assertEquals(Arrived.PASSED, arrives(3));
        assertEquals(3, granted);
        assertEquals(List.of("b"), rung);
        assertEquals("2 WAITING | 1.11#2+ 2.12#1+", shown());
        assertEquals(Left.PASSED, leaves(1));
        assertEquals(List.of(), rung);
        assertEquals(Left.PASSED, leaves(2));
        assertEquals("2 WAITING", shown());
    }

    @Test
    void theLastDoesNotPassWithOneWhoWasNotFoundDeadBefore() {
        arrives(1);
        arrives(2);
        dead.add(1L);
        Decision<Arrived> decision =
                BarrierState.arrive(row, 3, party(3), Arrival.UNKNOWN, false, false, Set.of(), dead::contains);
        assertEquals(Arrived.BROKEN, apply(decision));
        assertEquals(Set.of(1L), buried);
        assertEquals("1 BROKEN | 2.12#1!", shown());
    }

    @Test
    void withAnActionAllWaitForItsEnd() {
        acting();
        assertEquals("1 ACTING | 1.11#2 2.12#1 3.13#0", shown());
        assertEquals(List.of(), rung);
        assertTrue(acted(3, true));
        assertEquals(List.of("b"), rung);
        assertEquals("2 WAITING | 1.11#2+ 2.12#1+", shown());
        assertFalse(acted(3, true), "once");
    }

    @Test
    void anActionThatFailsBreaksTheGeneration() {
        acting();
        assertFalse(acted(3, false));
        assertEquals(List.of("b"), rung);
        assertEquals("1 BROKEN | 1.11#2! 2.12#1!", shown());
        assertEquals(Left.BROKEN, leaves(1));
        assertEquals(Arrived.BROKEN, arrives(3));
    }

    @Test
    void whoGoesBeforeTheEndBreaksTheGenerationForTheOthers() {
        arrives(1);
        arrives(2);
        assertEquals(Left.TOO_EARLY, leaves(1));
        assertEquals(List.of("b"), rung);
        assertEquals("1 BROKEN | 2.12#1!", shown());
        assertEquals(Arrived.BROKEN, arrives(3));
        assertEquals(Left.BROKEN, leaves(2));
        assertEquals("1 BROKEN", shown());
    }

    @Test
    void nobodyGoesWhileTheActionRuns() {
        acting();
        State before = row;
        assertEquals(Left.NOT_YET, leaves(1));
        assertEquals(before, row);
        assertTrue(acted(3, true));
        assertEquals(Left.PASSED, leaves(1));
    }

    @Test
    void whoComesWhileTheActionRunsBelongsToTheNextGeneration() {
        acting();
        State before = row;
        assertEquals(Arrived.NOT_YET, arrives(4));
        assertEquals(Arrived.NOT_YET, arrivesInterrupted(4));
        assertEquals(before, row);
        acted(3, true);
        assertEquals(Arrived.WAITS, arrives(4));
        assertEquals("2 WAITING | 1.11#2+ 2.12#1+ 4.14#2", shown());
    }

    @Test
    void whoComesInterruptedBreaksTheBarrierUnlessItIsBroken() {
        arrives(1);
        assertEquals(Arrived.INTERRUPTED, arrivesInterrupted(2));
        assertEquals(List.of("b"), rung);
        assertEquals("1 BROKEN | 1.11#2!", shown());
        State before = row;
        assertEquals(Arrived.BROKEN, arrivesInterrupted(3));
        assertEquals(before, row);
    }

    @Test
    void theDeathOfWhoeverWaitsBreaksTheGeneration() {
        arrives(1);
        arrives(2);
        dead.add(1L);
        looks();
        assertEquals(List.of("b"), rung);
        assertEquals(Set.of(1L), buried);
        assertEquals("1 BROKEN | 2.12#1!", shown());
    }

    @Test
    void whoComesFindsOutWhoIsDead() {
        arrives(1);
        dead.add(1L);
        assertEquals(Arrived.BROKEN, arrives(2));
        assertEquals(Set.of(1L), buried);
        assertEquals("1 BROKEN", shown());
    }

    @Test
    void theDeathOfWhoeverHasPassedBreaksNothing() {
        arrives(1);
        arrives(2);
        arrives(3);
        arrives(4);
        dead.add(1L);
        looks();
        assertEquals(List.of(), rung);
        assertEquals("2 WAITING | 2.12#1+ 4.14#2", shown());
        dead.add(2L);
        assertEquals(Arrived.WAITS, arrives(5));
        assertEquals("2 WAITING | 4.14#2 5.15#1", shown());
    }

    @Test
    void theDeathOfTheActorBreaksTheGeneration() {
        acting();
        dead.add(3L);
        assertEquals(Arrived.BROKEN, arrives(4));
        assertEquals("1 BROKEN | 1.11#2! 2.12#1!", shown());
        assertEquals(List.of("b"), rung);
    }

    @Test
    void theDeathOfAnotherDuringTheActionBreaksItAndTheActorLearnsIt() {
        acting();
        dead.add(1L);
        looks();
        assertEquals("1 BROKEN | 2.12#1! 3.13#0!", shown());
        assertFalse(acted(3, true));
        assertEquals("1 BROKEN | 2.12#1!", shown());
    }

    @Test
    void aLookAtTheLivingWritesNothing() {
        acting();
        State before = row;
        looks();
        assertEquals(before, row);
        assertEquals(List.of(), rung);
    }

    @Test
    void resetBreaksForThoseWhoWaitAndNotForThoseWhoCome() {
        arrives(1);
        resets();
        assertEquals(List.of("b"), rung);
        assertEquals("2 WAITING | 1.11#2!", shown());
        assertEquals(Arrived.WAITS, arrives(2));
        assertEquals("2 WAITING | 1.11#2! 2.12#2", shown());
        assertEquals(Left.BROKEN, leaves(1));
        leaves(2);
        assertEquals("2 BROKEN", shown());
        resets();
        assertEquals("3 WAITING", shown());
        assertEquals(Arrived.WAITS, arrives(1));
    }

    @Test
    void resetDuringTheActionBreaksItForAllAndTheActorEndsNoLaterGeneration() {
        acting();
        resets();
        assertEquals("2 WAITING | 1.11#2! 2.12#1! 3.13#0!", shown());
        arrives(4, true);
        arrives(5, true);
        assertEquals(Arrived.ACTS, arrives(6, true));
        assertFalse(acted(3, true), "its generation is broken");
        assertEquals("2 ACTING | 1.11#2! 2.12#1! 4.14#2 5.15#1 6.16#0", shown());
        assertEquals(Left.NOT_YET, leaves(4));
        assertTrue(acted(6, true));
        assertEquals("3 WAITING | 1.11#2! 2.12#1! 4.14#2+ 5.15#1+", shown());
    }

    @Test
    void aLateReaderLearnsHowItsOwnGenerationEnded() {
        arrives(1);
        arrives(2);
        arrives(3);
        leaves(2);
        arrives(2);
        leaves(2);
        resets();
        arrives(2);
        assertEquals(Left.PASSED, leaves(1));
        resets();
        assertEquals(Left.BROKEN, leaves(2));
        arrives(1);
        resets();
        arrives(2);
        arrives(3);
        arrives(4);
        assertEquals(Left.BROKEN, leaves(1));
    }

    @Test
    void whoseSeatIsGoneWasTakenForDeadAndFindsItBroken() {
        arrives(1);
        assertEquals(Left.BROKEN, leaves(2));
        assertEquals("1 WAITING | 1.11#2", shown());
        row = State.absent(BarrierState.KIND, "b", 2000);
        assertEquals(Left.BROKEN, leaves(1));
        assertFalse(acted(1, true));
    }

    @Test
    void onePartyPassesAndActsAlone() {
        apply(BarrierState.found(row, 1));
        assertEquals(Arrived.PASSED, arrives(1));
        assertEquals(Arrived.ACTS, arrives(1, true));
        assertTrue(acted(1, true));
        assertEquals("3 WAITING", shown());
    }

    @Test
    void whatIsWrittenReadsBack() {
        arrives(1);
        arrives(2);
        arrives(3);
        arrives(4);
        resets();
        arrives(5, true);
        arrives(6, true);
        arrives(7, true);
        assertEquals(
                List.of(
                        new Seat(party(1), 2, Outcome.PASSED, new Arrival(5000, "t 1")),
                        new Seat(party(2), 1, Outcome.PASSED, new Arrival(5000, "t 2")),
                        new Seat(party(4), 2, Outcome.BROKEN, new Arrival(5000, "t 4")),
                        new Seat(party(5), 2, Outcome.PENDING, new Arrival(5000, "t 5")),
                        new Seat(party(6), 1, Outcome.PENDING, new Arrival(5000, "t 6")),
                        new Seat(party(7), 0, Outcome.PENDING, new Arrival(5000, "t 7"))),
                barrier().seats());
        assertEquals(new BarrierState(3, 3, Phase.ACTING, barrier().seats()), barrier());
        assertTrue(row.line().startsWith("1.11#2+;5000;t%201 2.12#1+;"), row.line());
    }

    /** Parties come, leave, act, die and reset as they like; a model knows who must have passed and who must not. */
    @Test
    void whateverHappensEachGenerationEndsOneWayForAllAndNoSeatIsLeftOver() {
        for (int seed = 0; seed < 300; seed++) {
            row = State.absent(BarrierState.KIND, "b", 1000);
            dead.clear();
            walk(new Random(seed), "seed " + seed);
        }
    }

    private void walk(Random random, String story) {
        long next = 0;
        Map<Long, Long> generations = new HashMap<>();
        Map<Long, Set<Boolean>> ends = new HashMap<>();
        List<Long> seated = new ArrayList<>();
        for (int step = 0; step < 60; step++) {
            long generation = barrier().generation();
            List<Seat> pending = barrier().pending();
            assertTrue(pending.size() <= (barrier().phase() == Phase.ACTING ? 3 : 2), story);
            assertTrue(barrier().phase() != Phase.BROKEN || pending.isEmpty(), story);
            Long chosen = seated.isEmpty() ? null : seated.get(random.nextInt(seated.size()));
            switch (random.nextInt(8)) {
                case 0, 1, 2, 3 -> {
                    long session = ++next;
                    boolean acts = random.nextBoolean();
                    Arrived arrived = arrives(session, acts);
                    if (arrived == Arrived.WAITS || arrived == Arrived.ACTS) {
                        generations.put(session, generation);
                        seated.add(session);
                    } else if (arrived == Arrived.PASSED) {
                        assertEquals(2, pending.size(), story);
                        ends.computeIfAbsent(generation, missing -> new HashSet<>())
                                .add(true);
                    }
                }
                case 4 -> {
                    if (barrier().phase() == Phase.ACTING) {
                        long actor = pending.get(2).session();
                        boolean passed = acted(actor, random.nextInt(4) > 0);
                        ends.computeIfAbsent(generation, missing -> new HashSet<>())
                                .add(passed);
                        seated.remove(actor);
                    } else if (random.nextInt(3) == 0) {
                        resets();
                    }
                }
                case 5 -> {
                    if (chosen != null && random.nextInt(3) == 0) {
                        dead.add(chosen);
                        seated.remove(chosen);
                    }
                }
                case 6 -> looks();
                default -> {
                    if (chosen != null) {
                        Left left = leaves(chosen);
                        if (left != Left.NOT_YET) {
                            ends.computeIfAbsent(generations.get(chosen), missing -> new HashSet<>())
                                    .add(left == Left.PASSED);
                            seated.remove(chosen);
                        }
                    }
                }
            }
        }
        if (barrier().phase() == Phase.ACTING) {
            long actor = barrier().pending().get(2).session();
            ends.computeIfAbsent(barrier().generation(), missing -> new HashSet<>())
                    .add(acted(actor, true));
            seated.remove(actor);
        }
        for (long session : seated) {
            ends.computeIfAbsent(generations.get(session), missing -> new HashSet<>())
                    .add(leaves(session) == Left.PASSED);
        }
        looks();
        assertEquals("", row.line(), story);
        ends.forEach((generation, ways) -> assertEquals(1, ways.size(), story + ", generation " + generation));
    }
}
