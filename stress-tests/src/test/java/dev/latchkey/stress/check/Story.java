package dev.latchkey.stress.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.check.Remains.StateRow;
import dev.latchkey.stress.history.Event;
import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.History;
import dev.latchkey.testing.Stalls;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A run written by hand. Instants are milliseconds; who acts is a process, or a thread of it, such as {@code w1.t2}; a call is
 * written as {@code lock a lock -> 17}.
 */
final class Story {
    private final Map<String, List<Event>> events = new TreeMap<>();
    private final List<Fault> faults = new ArrayList<>();
    private final List<Stalls.Stall> stalls = new ArrayList<>();
    private Remains remains = remains(0, List.of(), Map.of(), Map.of());

    static Remains remains(
            int sessions, List<StateRow> states, Map<String, Integer> items, Map<String, String> values) {
        return new Remains("ok", List.of(), List.of(), sessions, states, items, values, 0, 0, 0);
    }

    Story ok(String who, double invoked, double returned, String call) {
        return ended(who, invoked, returned, Kind.OK, call);
    }

    Story fail(String who, double invoked, double returned, String call) {
        return ended(who, invoked, returned, Kind.FAIL, call);
    }

    Story error(String who, double invoked, double returned, String call) {
        return ended(who, invoked, returned, Kind.ERROR, call);
    }

    Story unknown(String who, double invoked, String call) {
        return event(who, invoked, Kind.INVOKE, call);
    }

    Story note(String who, double at, String text) {
        return event(who, at, Kind.NOTE, text);
    }

    Story kill(String process, double at) {
        return fault(process, at, Fault.Kind.KILL);
    }

    Story stop(String process, double from, double to) {
        return fault(process, from, Fault.Kind.STOP).fault(process, to, Fault.Kind.CONTINUE);
    }

    /** The machine itself stands still. */
    Story stall(double from, double to) {
        stalls.add(new Stalls.Stall(nanos(from), nanos(to)));
        return this;
    }

    /** A lock that is taken at once, and released. */
    Story held(String who, double from, double to, String name, long token) {
        return ok(who, from - 0.01, from, "lock " + name + " lock -> " + token)
                .ok(who, to, to + 0.01, "unlock " + name + " " + token);
    }

    Story fault(String process, double at, Fault.Kind kind) {
        faults.add(new Fault(nanos(at), kind, process));
        return this;
    }

    Story left(Remains what) {
        remains = what;
        return this;
    }

    Story values(Map<String, String> values) {
        return left(remains(0, List.of(), Map.of(), values));
    }

    Story items(int count) {
        return left(remains(0, List.of(), Map.of("jobs", count), Map.of()));
    }

    Run run() {
        List<History> histories = new ArrayList<>();
        events.forEach((process, list) -> {
            list.sort(Comparator.comparingLong(Event::nanos));
            histories.add(new History(process, list));
        });
        return new Run(
                histories,
                faults.stream().sorted(Comparator.comparingLong(Fault::nanos)).toList(),
                stalls,
                remains);
    }

    void keeps(Checker checker) {
        assertEquals(List.of(), checker.check(run()));
    }

    /** One violation for each text, which is a part of it. */
    void breaks(Checker checker, String... texts) {
        List<Violation> violations = checker.check(run());
        assertEquals(texts.length, violations.size(), violations::toString);
        for (int i = 0; i < texts.length; i++) {
            assertTrue(violations.get(i).toString().contains(texts[i]), violations.get(i)::toString);
        }
    }

    private Story ended(String who, double invoked, double returned, Kind kind, String call) {
        String[] parts = call.split(" -> ", -1);
        String name = parts[0].split(" ", -1)[0];
        return event(who, invoked, Kind.INVOKE, parts[0])
                .event(who, returned, kind, parts.length == 1 ? name : name + " " + parts[1]);
    }

    private Story event(String who, double at, Kind kind, String call) {
        int dot = who.indexOf('.');
        String process = dot < 0 ? who : who.substring(0, dot);
        String thread = dot < 0 ? "t0" : who.substring(dot + 1);
        List<String> words = List.of(call.split(" ", -1));
        events.computeIfAbsent(process, absent -> new ArrayList<>())
                .add(new Event(nanos(at), thread, kind, words.get(0), words.subList(1, words.size())));
        return this;
    }

    private static long nanos(double millis) {
        return Math.round(millis * 1_000_000);
    }
}
