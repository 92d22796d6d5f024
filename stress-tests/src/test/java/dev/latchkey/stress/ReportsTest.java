package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.check.Fault;
import dev.latchkey.stress.check.Remains;
import dev.latchkey.stress.check.Run;
import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.History;
import dev.latchkey.stress.referee.Event;
import dev.latchkey.stress.referee.RefereeRecord;
import dev.latchkey.stress.referee.Verb;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReportsTest {
    private static final List<Fault> KILLED = List.of(new Fault(9, Fault.Kind.KILL, "w1"));

    /** One operation of w1. */
    private static Run run(String operation, List<String> arguments, List<String> result, List<Fault> faults) {
        History history = new History(
                "w1",
                List.of(
                        new dev.latchkey.stress.history.Event(1, "t0", Kind.INVOKE, operation, arguments),
                        new dev.latchkey.stress.history.Event(2, "t0", Kind.OK, operation, result)));
        Remains nothing = new Remains("ok", List.of(), List.of(), 0, List.of(), Map.of(), Map.of(), 0, 0, 0);
        return new Run(List.of(history), faults, List.of(), nothing);
    }

    private static Reports told(Verb verb, String place, long number) {
        return new Reports(new RefereeRecord(List.of(new Event(3, "w1", 1, verb, place, number)), 0));
    }

    @Test
    void whatTheRefereeWasToldIsFine() {
        Run lock = run("lock", List.of("a", "lock"), List.of("7"), List.of());
        assertEquals(List.of(), told(Verb.ENTER, "a", 7).check(lock));
        assertEquals(List.of(), told(Verb.LEASE, "a", 7).check(lock));
        Run both = run("lock", List.of("a+b", "together"), List.of("7+8"), List.of());
        assertEquals(1, told(Verb.ENTER, "a", 7).check(both).size());
        Run claim = run("claim", List.of(), List.of("x-1", "2"), List.of());
        assertEquals(List.of(), told(Verb.ENTER, "x-1", 2).check(claim));
        Run pull = run("pull", List.of("in-order", "FRONT"), List.of("from-7", "3"), List.of());
        assertEquals(List.of(), told(Verb.ONCE, "from-7", 3).check(pull));
        assertEquals(1, told(Verb.ONCE, "from-7", 4).check(pull).size());
        Run count = run("incr", List.of("c", "1"), List.of("5"), List.of());
        assertEquals(List.of(), told(Verb.ONCE, "c", 5).check(count));
    }

    @Test
    void whatTheRefereeWasNotToldIsNoticed() {
        Run lock = run("lock", List.of("a", "lock"), List.of("7"), List.of());
        assertEquals(1, told(Verb.ENTER, "a", 6).check(lock).size());
        assertEquals(1, told(Verb.EXIT, "a", 7).check(lock).size());
        Run claim = run("claim", List.of(), List.of("x-1", "2"), List.of());
        assertTrue(told(Verb.ENTER, "x-1", 1).check(claim).get(0).text().contains("claim"));
    }

    @Test
    void whoWasKilledMayNotHaveComeToTellIt() {
        Run lock = run("lock", List.of("a", "lock"), List.of("7"), KILLED);
        assertEquals(List.of(), told(Verb.ENTER, "a", 6).check(lock));
    }
}
