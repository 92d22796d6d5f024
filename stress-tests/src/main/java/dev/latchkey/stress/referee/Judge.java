package dev.latchkey.stress.referee;

import dev.latchkey.stress.referee.Violation.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The rules, without sockets and clock: told each event in turn, it returns the violations that the event shows.
 *
 * <p>Whoever says {@code ENTER} after acquiring and {@code EXIT} before releasing, and waits for the answer to both, is
 * heard to hold a place only while it does hold it. So two holds that overlap here have overlapped, and a hold that
 * overlaps none may still have: the judge never accuses wrongly, and may miss what lasts shorter than a report.
 *
 * <p>A place may have room for several: whoever takes two of its three seats enters {@code seats*2/3}, a reader among at most a
 * million {@code book*1/1000000}, and its writer {@code book*1000000/1000000}. There the order of tokens says nothing, since
 * reports of holds that overlap may come in any order.
 *
 * <p>A hold excludes others until it ends, is revoked, or its process is condemned. A token may be revoked before its
 * holder was heard to enter. A condemned process is never at fault, since its last words may arrive after another has
 * taken its place; what it says still counts against others: its tokens, its values, the places that it made gone. It
 * stays condemned, so no other process may have its name.
 *
 * <p>A lease is over at a time that the judge does not know, so what is held by one counts as revoked from the start.
 *
 * <p>Only places that are held have a {@link Hold}; those that are gone keep only their name.
 */
final class Judge {
    private final Map<String, List<Hold>> holds = new LinkedHashMap<>();
    private final Map<String, Long> highestTokens = new HashMap<>();
    private final Map<String, Set<Long>> revokedEarly = new HashMap<>();
    private final Map<String, NumberSet> values = new HashMap<>();
    private final Set<String> gone = new HashSet<>();
    private final Set<String> condemned = new HashSet<>();

    private static final class Hold {
        final Event entered;
        boolean revoked;

        Hold(Event entered, boolean revoked) {
            this.entered = entered;
            this.revoked = revoked;
        }
    }

    /** Judges an event; events are told in the order of their time. */
    List<Violation> hear(Event event) {
        switch (event.verb()) {
            case HELLO, END:
                return List.of();
            case ENTER:
                return enter(event, wasRevokedEarly(event));
            case LEASE:
                return enter(event, true);
            case EXIT:
                return exit(event);
            case GONE:
                return gone(event);
            case ONCE:
                return once(event);
            case REVOKE:
                revoke(event);
                return List.of();
            case CONDEMN:
                condemned.add(event.place());
                return List.of();
        }
        throw new AssertionError(event);
    }

    /** Judges the end of a connection. */
    List<Violation> ended(long nanos, int connection) {
        List<Violation> found = new ArrayList<>();
        for (List<Hold> here : holds.values()) {
            here.removeIf(hold -> {
                boolean ended = hold.entered.connection() == connection;
                if (ended && excludes(hold)) {
                    found.add(new Violation(nanos, Kind.VANISHED, vanished(hold)));
                }
                return ended;
            });
        }
        holds.values().removeIf(List::isEmpty);
        return found;
    }

    private List<Violation> enter(Event event, boolean revoked) {
        Hold hold = new Hold(event, revoked);
        List<Hold> here = holds.computeIfAbsent(place(event), place -> new ArrayList<>(1));
        List<Violation> found = excludes(hold) ? faults(event, here) : List.of();
        here.add(hold);
        highestTokens.merge(place(event), event.number(), Math::max);
        return found;
    }

    private List<Violation> faults(Event entering, List<Hold> here) {
        List<Violation> found = new ArrayList<>();
        if (gone.contains(place(entering))) {
            found.add(violation(Kind.FINISHED, entering, "a place that is gone"));
        }
        Seats seats = Seats.of(entering.place());
        long taken = here.stream()
                .filter(this::excludes)
                .mapToLong(other -> Seats.of(other.entered.place()).units())
                .sum();
        for (Hold other : here) {
            if (excludes(other) && taken + seats.units() > seats.limit()) {
                found.add(violation(Kind.OVERLAP, entering, "while it was held by " + holder(other)));
            }
        }
        Long highest = highestTokens.get(seats.place());
        if (highest != null && entering.number() <= highest && seats.limit() == 1) {
            found.add(violation(Kind.TOKEN, entering, "after token " + highest));
        }
        return found;
    }

    private List<Violation> exit(Event event) {
        boolean held = take(event) != null;
        return held || isCondemned(event) ? List.of() : List.of(notHeld(event));
    }

    private List<Violation> gone(Event event) {
        Hold hold = take(event);
        if (gone.contains(place(event))) {
            return isCondemned(event)
                    ? List.of()
                    : List.of(violation(Kind.FINISHED, event, "a place that is gone already"));
        }
        if (hold == null || isOvertaken(hold)) {
            return isCondemned(event) ? List.of() : List.of(notHeld(event));
        }
        gone.add(place(event));
        highestTokens.remove(place(event));
        revokedEarly.remove(place(event));
        return List.of();
    }

    private List<Violation> once(Event event) {
        boolean first =
                values.computeIfAbsent(event.place(), place -> new NumberSet()).add(event.number());
        return first || isCondemned(event)
                ? List.of()
                : List.of(violation(Kind.REPEATED, event, "a value that was reported before"));
    }

    private void revoke(Event event) {
        boolean known = event.number() <= highestTokens.getOrDefault(place(event), Long.MIN_VALUE);
        for (Hold hold : holds.getOrDefault(place(event), List.of())) {
            hold.revoked |= hold.entered.number() == event.number();
        }
        if (!known && !gone.contains(place(event))) {
            revokedEarly.computeIfAbsent(place(event), place -> new HashSet<>()).add(event.number());
        }
    }

    private boolean wasRevokedEarly(Event entering) {
        Set<Long> tokens = revokedEarly.get(place(entering));
        return tokens != null && tokens.remove(entering.number());
    }

    /** Ends the hold that the connection has with the token, if it has one. */
    private @Nullable Hold take(Event event) {
        List<Hold> here = holds.getOrDefault(place(event), List.of());
        for (Hold hold : here) {
            if (hold.entered.connection() == event.connection() && hold.entered.number() == event.number()) {
                here.remove(hold);
                if (here.isEmpty()) {
                    holds.remove(place(event));
                }
                return hold;
            }
        }
        return null;
    }

    /** Who was revoked may finish its place as long as nobody has taken it. */
    private boolean isOvertaken(Hold hold) {
        Long highest = highestTokens.get(place(hold.entered));
        return hold.revoked && highest != null && highest > hold.entered.number();
    }

    private boolean excludes(Hold hold) {
        return !hold.revoked && !isCondemned(hold.entered);
    }

    private boolean isCondemned(Event event) {
        return condemned.contains(event.process());
    }

    private static String place(Event event) {
        return Seats.of(event.place()).place();
    }

    private static Violation notHeld(Event event) {
        return violation(Kind.NOT_HELD, event, "a place that this connection did not hold with this token");
    }

    private static Violation violation(Kind kind, Event event, String why) {
        return new Violation(
                event.nanos(),
                kind,
                speaker(event) + " said " + event.verb() + " " + event.place() + " " + event.number() + ", " + why);
    }

    private static String vanished(Hold hold) {
        return "ended while holding " + hold.entered.place() + ": " + holder(hold);
    }

    private static String holder(Hold hold) {
        return speaker(hold.entered) + " with token " + hold.entered.number() + " since " + hold.entered.nanos();
    }

    private static String speaker(Event event) {
        return event.process() + " (connection " + event.connection() + ")";
    }
}
