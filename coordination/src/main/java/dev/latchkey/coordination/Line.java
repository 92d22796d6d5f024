package dev.latchkey.coordination;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * The sessions that wait for a name, in order of arrival, at most one place each. Written as {@code "123@98000 456 789~"}:
 * session 123 has the next turn reserved since the instant 98000 of the host clock, 456 waits, 789 let a turn lapse.
 *
 * <p>A place moves {@code WAITING -> RESERVED -> (gone, by claiming | LAPSED) -> WAITING}; a session whose turn lapsed keeps
 * its place but is passed over until it has written to the row again.
 */
record Line(List<Place> places) {
    static final Line EMPTY = new Line(List.of());
    /** How long a turn stays reserved for a session that does not come. */
    static final long RESERVATION_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    enum Mark {
        WAITING,
        RESERVED,
        LAPSED
    }

    record Place(long session, Mark mark, long since) {
        static Place parse(String text) {
            int at = text.indexOf('@');
            if (at > 0) {
                return new Place(
                        Long.parseLong(text.substring(0, at)), Mark.RESERVED, Long.parseLong(text.substring(at + 1)));
            }
            return text.endsWith("~")
                    ? new Place(Long.parseLong(text.substring(0, text.length() - 1)), Mark.LAPSED, 0)
                    : new Place(Long.parseLong(text), Mark.WAITING, 0);
        }

        Place as(Mark next, long now) {
            return new Place(session, next, now);
        }

        @Override
        public String toString() {
            return switch (mark) {
                case WAITING -> String.valueOf(session);
                case RESERVED -> session + "@" + since;
                case LAPSED -> session + "~";
            };
        }
    }

    static Line parse(String text) {
        if (text.isEmpty()) {
            return EMPTY;
        }
        List<Place> places = new ArrayList<>();
        for (String place : text.split(" ", -1)) {
            places.add(Place.parse(place));
        }
        return new Line(List.copyOf(places));
    }

    boolean isEmpty() {
        return places.isEmpty();
    }

    boolean contains(long session) {
        return places.stream().anyMatch(place -> place.session == session);
    }

    boolean isFirst(long session) {
        return !places.isEmpty() && places.get(0).session == session;
    }

    /** Whether another session waits that can be expected to come. */
    boolean hasOthersThan(long session) {
        return places.stream().anyMatch(place -> place.session != session && place.mark != Mark.LAPSED);
    }

    /** Whose turn is reserved. */
    OptionalLong reserved() {
        return places.stream()
                .filter(place -> place.mark == Mark.RESERVED)
                .mapToLong(Place::session)
                .findFirst();
    }

    /** The first whose turn has not lapsed. */
    OptionalLong firstEligible() {
        return places.stream()
                .filter(place -> place.mark != Mark.LAPSED)
                .mapToLong(Place::session)
                .findFirst();
    }

    /** Who may get the next turn: the one it is reserved for, else all whose turn has not lapsed. */
    List<Long> candidates() {
        OptionalLong reserved = reserved();
        return reserved.isPresent()
                ? List.of(reserved.getAsLong())
                : places.stream()
                        .filter(place -> place.mark != Mark.LAPSED)
                        .map(Place::session)
                        .toList();
    }

    Line without(Set<Long> sessions) {
        return keep(place -> !sessions.contains(place.session));
    }

    Line without(long session) {
        return keep(place -> place.session != session);
    }

    private Line keep(Predicate<Place> wanted) {
        return new Line(places.stream().filter(wanted).toList());
    }

    Line append(long session) {
        List<Place> more = new ArrayList<>(places);
        more.add(new Place(session, Mark.WAITING, 0));
        return new Line(List.copyOf(more));
    }

    /** A session that writes to the row is awake again. */
    Line awake(long session) {
        return mark(place -> place.session == session && place.mark == Mark.LAPSED, Mark.WAITING, 0);
    }

    /** Forgets a reservation that was not needed. */
    Line unreserved() {
        return mark(place -> place.mark == Mark.RESERVED, Mark.WAITING, 0);
    }

    /** Notes which reservation has run out; an instant of another boot counts as long ago. */
    Line lapsed(long now) {
        return mark(
                place -> place.mark == Mark.RESERVED
                        && (now - place.since >= RESERVATION_NANOS || now - place.since < 0),
                Mark.LAPSED,
                0);
    }

    /** Reserves the next turn for the first who can be expected to come, if any. */
    Line reserveNext(long now) {
        OptionalLong next = firstEligible();
        return next.isEmpty() ? this : mark(place -> place.session == next.getAsLong(), Mark.RESERVED, now);
    }

    private Line mark(Predicate<Place> which, Mark mark, long now) {
        return places.stream().noneMatch(which)
                ? this
                : new Line(places.stream()
                        .map(place -> which.test(place) ? place.as(mark, now) : place)
                        .toList());
    }

    @Override
    public String toString() {
        return String.join(" ", places.stream().map(Place::toString).toList());
    }
}
