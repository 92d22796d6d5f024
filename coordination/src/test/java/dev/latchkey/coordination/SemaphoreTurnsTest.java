package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.Turns.Asker;
import dev.latchkey.coordination.Turns.Moment;
import dev.latchkey.coordination.Turns.Release;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

/** The rules of a semaphore with three permits as timelines: no clock, no database, no thread. Sessions are 1 to 5. */
class SemaphoreTurnsTest {
    private State row = State.absent(Kind.SEMAPHORE.word(), "s", 1000).withDetail(Kind.permitsDetail(3));
    private long nanos = TimeUnit.SECONDS.toNanos(1);
    private long lastGrant;
    private List<String> rung = List.of();

    private Moment now() {
        return new Moment(nanos, 5000);
    }

    private void pass(long millis) {
        nanos += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private <R> R apply(Decision<R> decision) {
        row = decision.next();
        rung = decision.rings();
        return decision.result();
    }

    private Decision<Boolean> asks(
            long session,
            long units,
            long leaseMillis,
            boolean waits,
            boolean mayRetake,
            LongUnaryOperator known,
            Set<Long> dead) {
        Asker asker = new Asker(
                session,
                ++lastGrant,
                "t" + session,
                units,
                TimeUnit.MILLISECONDS.toNanos(leaseMillis),
                waits,
                token -> mayRetake,
                known,
                0);
        return Turns.acquire(row, asker, dead, now());
    }

    private static long all(long grant) {
        return Long.MAX_VALUE;
    }

    private boolean acquires(long session, long units) {
        return apply(asks(session, units, 0, true, false, SemaphoreTurnsTest::all, Set.of()));
    }

    private boolean tries(long session, long units) {
        return apply(asks(session, units, 0, false, false, SemaphoreTurnsTest::all, Set.of()));
    }

    private Release releases(long session, Map<Long, Long> parts) {
        return apply(Turns.release(row, session, parts, null, false, null, Set.of(), now()));
    }

    private Release releases(long session, long units) {
        Hold hold = holds(session).get(0);
        return releases(session, Map.of(hold.grant(), units));
    }

    private List<Hold> holds(long session) {
        return row.holds().stream().filter(hold -> hold.session() == session).toList();
    }

    private long used() {
        return Turns.of(row).used();
    }

    /** {@code 1x2 3x1}: session 1 holds two permits, session 3 one. */
    private String held() {
        StringBuilder text = new StringBuilder();
        row.holds().forEach(hold -> text.append(text.length() == 0 ? "" : " ")
                .append(hold.session())
                .append('x')
                .append(hold.units()));
        return text.toString();
    }

    @Test
    void permitsAreGrantedUntilThereAreNoneEachWithATokenOfItsOwn() {
        assertTrue(acquires(1, 1));
        assertTrue(acquires(2, 1));
        assertTrue(acquires(1, 1));
        assertFalse(acquires(3, 1));
        assertEquals("1x1 2x1 1x1", held());
        assertEquals(
                List.of(1001L, 1002L, 1003L),
                row.holds().stream().map(Hold::token).toList());
        assertEquals("3", Timeline.places(row));
        assertEquals("permits=3", row.detail());
    }

    @Test
    void aRefusedAttemptLeavesNoTrace() {
        acquires(1, 2);
        State before = row;
        assertFalse(tries(2, 2));
        assertEquals(before, row);
    }

    @Test
    void anAttemptGetsWhatIsLeft() {
        acquires(1, 2);
        assertTrue(tries(2, 1));
        assertEquals("1x2 2x1", held());
    }

    @Test
    void whoWaitsForManyIsNotOvertakenByThoseWhoWantFew() {
        acquires(1, 2);
        assertFalse(acquires(2, 3));
        assertFalse(tries(3, 1), "one is free, and for the one in front");
        assertFalse(acquires(3, 1));
        assertEquals("2x3 3", Timeline.places(row));
        releases(1, 1);
        assertEquals("2x3 3", Timeline.places(row), "not enough to be named");
        assertEquals(List.of("s", Turns.bell("s", 2), Turns.bell("s", 3)), rung, "but who waits may look");
        assertFalse(acquires(3, 1));
        releases(1, 1);
        assertEquals("2x3@" + nanos + " 3", Timeline.places(row));
        assertTrue(acquires(2, 3));
        assertEquals("3", Timeline.places(row));
        releases(2, 1);
        assertEquals("3@" + nanos, Timeline.places(row));
        assertTrue(acquires(3, 1));
        assertEquals("2x2 3x1", held());
    }

    @Test
    void oneReleaseOfManyServesManyOneAfterTheOther() {
        acquires(1, 3);
        acquires(2, 1);
        acquires(3, 1);
        acquires(4, 2);
        releases(1, 3);
        assertEquals("2@" + nanos + " 3 4x2", Timeline.places(row));
        assertTrue(acquires(2, 1));
        assertEquals("3@" + nanos + " 4x2", Timeline.places(row));
        assertEquals(List.of(Turns.bell("s", 3)), rung);
        assertTrue(acquires(3, 1));
        assertEquals("4x2", Timeline.places(row));
        assertFalse(acquires(4, 2), "one is left");
        releases(2, 1);
        assertEquals("4x2@" + nanos, Timeline.places(row));
        assertTrue(acquires(4, 2));
    }

    @Test
    void whereThereIsEnoughForAllInLineNobodyHasToStandBehindThem() {
        acquires(1, 3);
        acquires(2, 1);
        releases(1, 3);
        pass(10);
        assertFalse(tries(3, 3));
        assertTrue(tries(3, 2), "one is left for the one in line");
        assertTrue(Timeline.places(row).startsWith("2@"), Timeline.places(row));
        assertEquals(
                "2@" + (nanos - TimeUnit.MILLISECONDS.toNanos(10)), Timeline.places(row), "its time is not begun anew");
        assertFalse(tries(4, 1));
        assertTrue(acquires(2, 1));
    }

    @Test
    void whoFreedAPermitMayTakeItAgainAndTheTurnIsReservedAnew() {
        acquires(1, 3);
        acquires(2, 2);
        releases(1, 2);
        assertEquals("2x2@" + nanos, Timeline.places(row));
        assertTrue(apply(asks(1, 1, 0, true, true, SemaphoreTurnsTest::all, Set.of())));
        assertEquals("2x2", Timeline.places(row), "not enough any more");
        releases(1, 1);
        assertEquals("2x2@" + nanos, Timeline.places(row));
    }

    @Test
    void aPlaceThatIsTakenOverByAThreadThatWantsMoreIsNotPassedOver() {
        acquires(1, 3);
        acquires(2, 1);
        acquires(3, 1);
        releases(1, 1);
        assertEquals("2@" + nanos + " 3", Timeline.places(row));
        assertFalse(acquires(2, 3));
        assertEquals("2x3 3", Timeline.places(row), "its turn was for one");
        pass(60);
        apply(Turns.look(row, Set.of(), now()));
        assertEquals("2x3 3", Timeline.places(row));
        assertFalse(acquires(3, 1));
        releases(1, 2);
        assertTrue(acquires(2, 3));
    }

    @Test
    void aTurnThatLapsesGoesToTheNext() {
        acquires(1, 3);
        acquires(2, 2);
        acquires(3, 1);
        releases(1, 2);
        pass(51);
        apply(Turns.look(row, Set.of(), now()));
        assertEquals("2x2~ 3@" + nanos, Timeline.places(row));
        assertTrue(acquires(3, 1));
        assertFalse(acquires(2, 2));
        assertEquals("2x2", Timeline.places(row), "it is awake again");
    }

    @Test
    void allThatTheDeadHeldIsFreeAtOnceAndTheirPlacesAreGone() {
        acquires(1, 1);
        acquires(1, 1);
        acquires(2, 1);
        acquires(3, 1);
        acquires(4, 2);
        Decision<Boolean> fourth = asks(4, 2, 0, true, false, SemaphoreTurnsTest::all, Set.of(1L, 3L));
        assertTrue(apply(fourth));
        assertEquals(Set.of(1L, 3L), fourth.dead());
        assertEquals("2x1 4x2", held());
        assertEquals("", Timeline.places(row));
    }

    @Test
    void theDeathOfAHolderServesTheFirstInLineAndNotWhoFoundOut() {
        acquires(1, 3);
        acquires(2, 3);
        acquires(3, 1);
        assertFalse(apply(asks(3, 1, 0, true, false, SemaphoreTurnsTest::all, Set.of(1L))));
        assertEquals("2x3@" + nanos + " 3", Timeline.places(row));
        assertEquals("", held());
    }

    @Test
    void onlyTheDeadThatMatterAreLookedFor() {
        acquires(1, 3);
        acquires(2, 1);
        acquires(3, 1);
        Set<Long> asked = new HashSet<>();
        Turns.of(row).dead(session -> {
            asked.add(session);
            return session == 1;
        });
        assertEquals(Set.of(1L, 2L), asked);
    }

    @Test
    void permitsWhoseLeaseIsOverAreFree() {
        assertTrue(apply(asks(1, 2, 100, true, false, SemaphoreTurnsTest::all, Set.of())));
        assertTrue(acquires(2, 1));
        pass(99);
        assertFalse(acquires(3, 2));
        pass(1);
        assertTrue(acquires(3, 2));
        assertEquals("2x1 3x2", held());
    }

    @Test
    void aLeaseIsRenewedForItsGrantOnly() {
        apply(asks(1, 1, 100, true, false, SemaphoreTurnsTest::all, Set.of()));
        apply(asks(1, 1, 100, true, false, SemaphoreTurnsTest::all, Set.of()));
        long first = row.holds().get(0).grant();
        assertTrue(apply(Turns.renew(row, 1, first, nanos + TimeUnit.MILLISECONDS.toNanos(300), now())));
        pass(200);
        assertTrue(acquires(2, 2));
        assertEquals("1x1 2x2", held());
        pass(100);
        assertFalse(apply(Turns.renew(row, 1, first, nanos + 1, now())), "over");
    }

    @Test
    void aReleaseOfPartsLeavesTheRestUnderItsToken() {
        acquires(1, 3);
        long token = row.holds().get(0).token();
        assertEquals(Release.FREED, releases(1, 2));
        assertEquals("1x1", held());
        assertEquals(token, row.holds().get(0).token());
        assertEquals(Release.FREED, releases(1, 1));
        assertEquals("", held());
    }

    @Test
    void oneReleaseTakesPartsOfSeveralGrants() {
        acquires(1, 1);
        acquires(1, 2);
        List<Hold> holds = holds(1);
        assertEquals(
                Release.FREED,
                releases(1, Map.of(holds.get(0).grant(), 1L, holds.get(1).grant(), 1L)));
        assertEquals("1x1", held());
        assertEquals(holds.get(1).grant(), row.holds().get(0).grant());
    }

    @Test
    void aLateReleaseFreesNobodyElsesPermits() {
        acquires(1, 3);
        Hold hold = holds(1).get(0);
        assertTrue(apply(Turns.forceRelease(row, hold.token(), now())));
        acquires(2, 3);
        State before = row;
        assertEquals(Release.LOST, releases(1, Map.of(hold.grant(), 3L)));
        assertEquals(before, row);
    }

    @Test
    void forcingFreesOneGrantAndNamesTheNext() {
        acquires(1, 2);
        acquires(2, 1);
        acquires(3, 2);
        assertFalse(apply(Turns.forceRelease(row, row.token() + 1, now())));
        assertTrue(apply(Turns.forceRelease(row, holds(1).get(0).token(), now())));
        assertEquals("2x1", held());
        assertEquals("3x2@" + nanos, Timeline.places(row));
    }

    @Test
    void settlingFreesWhatNobodyKnowsAndKeepsTheRest() {
        acquires(1, 1);
        acquires(1, 2);
        acquires(2, 1);
        long known = holds(1).get(1).grant();
        assertTrue(apply(Turns.settle(row, 1, grant -> grant == known ? 2 : 0, false, now())));
        assertEquals("1x2", held());
        assertEquals("2@" + nanos, Timeline.places(row));
    }

    @Test
    void settlingFreesThePartOfAGrantWhoseReleaseWasNotWritten() {
        acquires(1, 3);
        acquires(2, 2);
        assertTrue(apply(Turns.settle(row, 1, grant -> 1, false, now())));
        assertEquals("1x1", held());
        assertEquals("2x2@" + nanos, Timeline.places(row));
        State before = row;
        assertFalse(Turns.settle(row, 1, grant -> Long.MAX_VALUE, false, now()).changes(before), "under way");
    }

    @Test
    void anAttemptAlsoFreesWhatItsProcessDoesNotKnow() {
        acquires(1, 3);
        assertTrue(apply(asks(1, 2, 0, false, false, grant -> 1, Set.of())));
        assertEquals("1x1 1x2", held());
    }

    @Test
    void allThatIsFreeIsGrantedAsOne() {
        acquires(1, 1);
        assertTrue(tries(2, 0));
        assertEquals("1x1 2x2", held());
        State before = row;
        assertFalse(tries(3, 0));
        assertEquals(before, row);
    }

    @Test
    void allThatIsFreeIsRefusedToWhoWouldOvertake() {
        acquires(1, 3);
        acquires(2, 2);
        releases(1, 1);
        assertFalse(tries(3, 0));
    }

    @Test
    void aLargerNumberServesThoseWhoWait() {
        acquires(1, 3);
        acquires(2, 2);
        acquires(3, 1);
        apply(Turns.resize(row, 6, now()));
        assertEquals(List.of(Turns.bell("s", 2), "s", Turns.bell("s", 3)), rung);
        assertEquals("2x2@" + nanos + " 3", Timeline.places(row));
        assertTrue(acquires(2, 2));
        assertEquals("3@" + nanos, Timeline.places(row));
        assertTrue(acquires(3, 1));
        assertEquals(6, used());
    }

    @Test
    void aSmallerNumberTakesEffectAsPermitsComeBack() {
        acquires(1, 2);
        acquires(2, 1);
        apply(Turns.resize(row, 1, now()));
        assertEquals("1x2 2x1", held(), "nothing is taken away");
        assertFalse(acquires(3, 1));
        releases(1, 1);
        assertFalse(acquires(3, 1), "two are in use");
        releases(1, 1);
        assertFalse(tries(4, 0), "none is free");
        assertFalse(acquires(3, 1), "one is in use");
        releases(2, 1);
        assertTrue(acquires(3, 1));
        assertEquals("3x1", held());
    }

    @Test
    void anotherNumberMayBeStoredBeforeAnythingElse() {
        row = State.absent(Kind.SEMAPHORE.word(), "s", 1000);
        assertFalse(tries(1, 1));
        apply(Turns.resize(row, 2, now()));
        assertTrue(tries(1, 2));
    }

    /** What five sessions believe to hold is what the row says, and never more than there is, whatever they do. */
    @Test
    void neverMoreIsGrantedThanThereIsAndWhatIsReleasedComesBack() {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            row = State.absent(Kind.SEMAPHORE.word(), "s", 1000).withDetail(Kind.permitsDetail(3));
            Map<Long, Map<Long, Long>> believed = new HashMap<>();
            for (long session = 1; session <= 5; session++) {
                believed.put(session, new HashMap<>());
            }
            Set<Long> dead = new HashSet<>();
            for (int step = 0; step < 200; step++) {
                long session = 1L + random.nextInt(5);
                step(random, session, believed, dead);
                long sum = believed.values().stream()
                        .flatMap(grants -> grants.values().stream())
                        .mapToLong(Long::longValue)
                        .sum();
                long living = row.holds().stream()
                        .filter(hold -> !dead.contains(hold.session()))
                        .mapToLong(Hold::units)
                        .sum();
                String at = "seed " + seed + " step " + step;
                assertTrue(used() <= 3, at);
                assertEquals(sum, living, at);
            }
        }
    }

    private void step(Random random, long session, Map<Long, Map<Long, Long>> believed, Set<Long> dead) {
        Map<Long, Long> mine = believed.getOrDefault(session, Map.of());
        switch (random.nextInt(dead.size() < 2 ? 12 : 11)) {
            case 0, 1, 2, 3, 4 -> {
                boolean granted = !dead.contains(session)
                        && apply(asks(
                                session,
                                random.nextInt(4),
                                0,
                                random.nextBoolean(),
                                random.nextInt(4) == 0,
                                grant -> mine.getOrDefault(grant, 0L),
                                dead));
                if (granted) {
                    long grant = lastGrant;
                    mine.put(
                            grant,
                            Turns.of(row).hold(session, grant).orElseThrow().units());
                }
            }
            case 5, 6, 7, 8 -> {
                Map<Long, Long> parts = new HashMap<>();
                mine.forEach((grant, units) -> {
                    if (random.nextBoolean()) {
                        parts.put(grant, 1 + (long) random.nextInt(units.intValue()));
                    }
                });
                if (!dead.contains(session) && !parts.isEmpty()) {
                    assertEquals(Release.FREED, releases(session, parts));
                    parts.forEach((grant, units) ->
                            mine.computeIfPresent(grant, (same, had) -> had > units ? had - units : null));
                }
            }
            case 9 -> apply(Turns.settle(row, session, grant -> mine.getOrDefault(grant, 0L), false, now()));
            case 10 -> {
                pass(random.nextInt(60));
                apply(Turns.look(row, dead, now()));
            }
            default -> {
                dead.add(session);
                believed.remove(session);
            }
        }
    }

    /** With nothing held and everybody alive, whoever asks in turn is served: no permit and no place is left behind. */
    @Test
    void whateverHappenedTheLineIsServedToItsEnd() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            row = State.absent(Kind.SEMAPHORE.word(), "s", 1000).withDetail(Kind.permitsDetail(3));
            Map<Long, Integer> waiting = new HashMap<>();
            for (int step = 0; step < 60; step++) {
                long session = 1L + random.nextInt(5);
                List<Hold> mine = holds(session);
                if (!mine.isEmpty() && random.nextBoolean()) {
                    releases(session, mine.get(0).units());
                } else {
                    int units = waiting.getOrDefault(session, 1 + random.nextInt(3));
                    if (acquires(session, units)) {
                        waiting.remove(session);
                    } else {
                        waiting.put(session, units);
                    }
                }
                pass(random.nextInt(30));
            }
            for (int round = 0; round < 10 && !(waiting.isEmpty() && row.holds().isEmpty()); round++) {
                for (Hold hold : new ArrayList<>(row.holds())) {
                    releases(hold.session(), Map.of(hold.grant(), hold.units()));
                }
                for (long session : new ArrayList<>(waiting.keySet())) {
                    if (acquires(session, waiting.get(session))) {
                        waiting.remove(session);
                    }
                }
            }
            assertEquals(Map.of(), waiting, "seed " + seed + ": " + row);
            assertEquals("", held());
            assertEquals("", Timeline.places(row));
        }
    }
}
