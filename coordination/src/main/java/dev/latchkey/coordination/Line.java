package dev.latchkey.coordination;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The sessions that wait for a name, in order of arrival, at most one place each. Written as {@code "123@98000 456x3 789~"}:
 * session 123 has the next turn reserved since the instant 98000 of the host clock, 456 waits for three permits, 789 let a turn
 * lapse. Behind each place stands its {@link Arrival}: that of the thread which took the place, though another thread of the process
 * may have taken it over.
 *
 * <p>A place moves {@code WAITING -> RESERVED -> (gone, by claiming | LAPSED) -> WAITING}; a session whose turn lapsed keeps
 * its place but is passed over until it has written to the row again.
 */
record Line(List<Place> places) {
    static final Line EMPTY = new Line(List.of());
    /** How long a turn stays reserved for a session that does not come: five polls of the first in line, so that neither a lost
     * ring nor a busy host costs it its turn. */
    static final long RESERVATION_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** How many of those who wait look at the same time whether a turn has lapsed. */
    private static final int LOOKERS = 4;

    enum Mark {
        WAITING,
        RESERVED,
        LAPSED
    }

    /**
     * One of them.
     *
     * @param behind the {@link Arrival}, as it is written: it is carried along with every change and read by people only
     */
    record Place(long session, long units, Mark mark, long since, String behind) {
        static Place parse(String place) {
            String text = Arrival.without(place);
            int at = text.indexOf('@');
            boolean lapsed = text.endsWith("~");
            String who = at > 0 ? text.substring(0, at) : lapsed ? text.substring(0, text.length() - 1) : text;
            int times = who.indexOf('x');
            return new Place(
                    Long.parseLong(times < 0 ? who : who.substring(0, times)),
                    times < 0 ? 1 : Long.parseLong(who.substring(times + 1)),
                    at > 0 ? Mark.RESERVED : lapsed ? Mark.LAPSED : Mark.WAITING,
                    at > 0 ? Long.parseLong(text.substring(at + 1)) : 0,
                    place.substring(text.length()));
        }

        Arrival arrival() {
            return Arrival.parse(behind);
        }

        Place askingFor(long other) {
            boolean elapsing = mark == Mark.RESERVED && units != other;
            return new Place(session, other, elapsing ? Mark.WAITING : mark, elapsing ? 0 : since, behind);
        }

        Place as(Mark next, long now) {
            return new Place(session, units, next, now, behind);
        }

        void appendTo(StringBuilder text) {
            text.append(session);
            if (units != 1) {
                text.append('x').append(units);
            }
            switch (mark) {
                case WAITING -> {}
                case RESERVED -> text.append('@').append(since);
                case LAPSED -> text.append('~');
            }
            text.append(behind);
        }
    }

    /** A line and its text. */
    private record Written(String text, Line line) {}

    /** What was read or written last, each in the place that its text gives it; of two threads either may win. */
    private static final @Nullable Written[] LATEST = new Written[64];

    /** The same text comes again and again: what a process writes it reads next, and all parts of a transition look at one line. */
    static Line parse(String text) {
        if (text.isEmpty()) {
            return EMPTY;
        }
        Written known = LATEST[slot(text)];
        if (known != null && known.text.equals(text)) {
            return known.line;
        }
        List<Place> places = new ArrayList<>();
        for (String place : text.split(" ", -1)) {
            places.add(Place.parse(place));
        }
        return new Line(List.copyOf(places)).writtenAs(text);
    }

    private static int slot(String text) {
        return text.hashCode() & (LATEST.length - 1);
    }

    private Line writtenAs(String text) {
        LATEST[slot(text)] = new Written(text, this);
        return this;
    }

    boolean isEmpty() {
        return places.isEmpty();
    }

    boolean contains(long session) {
        for (Place place : places) {
            if (place.session == session) {
                return true;
            }
        }
        return false;
    }

    /** Whether a session stands in line for so many permits and need not write to say that it is awake. */
    boolean isAwaiting(long session, long units) {
        for (Place place : places) {
            if (place.session == session) {
                return place.units == units && place.mark != Mark.LAPSED;
            }
        }
        return false;
    }

    /** Whether nobody in front of a session can be expected to come, except the one whose turn is reserved and who may be dead. */
    boolean isNext(long session) {
        for (Place place : places) {
            if (place.session == session) {
                return true;
            }
            if (place.mark == Mark.WAITING) {
                return false;
            }
        }
        return false;
    }

    /** Whether another session waits that can be expected to come. */
    boolean hasOthersThan(long session) {
        for (Place place : places) {
            if (place.session != session && place.mark != Mark.LAPSED) {
                return true;
            }
        }
        return false;
    }

    /** How many permits all the others wait for who can be expected to come. */
    long unitsOfOthersThan(long session) {
        long units = 0;
        for (Place place : places) {
            units += place.session == session || place.mark == Mark.LAPSED ? 0 : place.units;
        }
        return units;
    }

    /** Whose turn is reserved. */
    OptionalLong reserved() {
        for (Place place : places) {
            if (place.mark == Mark.RESERVED) {
                return OptionalLong.of(place.session);
            }
        }
        return OptionalLong.empty();
    }

    Optional<Place> reservedPlace() {
        for (Place place : places) {
            if (place.mark == Mark.RESERVED) {
                return Optional.of(place);
            }
        }
        return Optional.empty();
    }

    /** The first whose turn has not lapsed. */
    Optional<Place> firstEligible() {
        for (Place place : places) {
            if (place.mark != Mark.LAPSED) {
                return Optional.of(place);
            }
        }
        return Optional.empty();
    }

    /**
     * Whether a session comes next: nobody in front of it can be expected to come, or the turn is reserved for it. One that has let its
     * turn lapse and comes now, before the one behind it for whom the turn was reserved next, is not too late: where processors
     * are so busy that all come late, somebody must be let in.
     */
    boolean isTurnOf(long session) {
        boolean isReserved = reserved().isPresent();
        for (Place place : places) {
            if (place.session == session) {
                return true;
            }
            if (isReserved ? place.mark == Mark.RESERVED : place.mark != Mark.LAPSED) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether a session can leave it to those in front of it to see whether the one whose turn it is comes: all who wait would else write
     * the same as soon as a turn has lapsed, and keep busy the processors for which that one waits. The longer its turn has been
     * over the farther behind is one who looks after it, since those in front may be stopped.
     */
    boolean leavesItToOthers(long session, long now) {
        int inFront = 0;
        long since = now;
        for (Place place : places) {
            if (place.session == session) {
                long over = now - since;
                return place.mark == Mark.WAITING && over >= 0 && over < RESERVATION_NANOS * (1 + inFront / LOOKERS);
            }
            since = place.mark == Mark.RESERVED ? place.since : since;
            inFront += place.mark == Mark.WAITING ? 1 : 0;
        }
        return false;
    }

    /** The dead at the head of the line, up to the first living who can be expected to come. */
    Set<Long> dead(LongPredicate isDead) {
        Set<Long> found = new HashSet<>();
        OptionalLong reserved = reserved();
        for (Place place : places) {
            if (isDead.test(place.session)) {
                found.add(place.session);
            } else if (reserved.isPresent() ? place.mark == Mark.RESERVED : place.mark != Mark.LAPSED) {
                break;
            }
        }
        return found;
    }

    Line without(Set<Long> sessions) {
        Line kept = this;
        for (long session : sessions) {
            kept = kept.without(session);
        }
        return kept;
    }

    Line without(long session) {
        if (!contains(session)) {
            return this;
        }
        List<Place> kept = new ArrayList<>(places);
        kept.removeIf(place -> place.session == session);
        return new Line(List.copyOf(kept));
    }

    /**
     * With a place for a session, at the end if it has none yet. What it waits for may change; a turn that was reserved for
     * something else is reserved anew when there is enough.
     */
    Line with(long session, long units, Arrival arrival) {
        List<Place> more = new ArrayList<>(places);
        more.replaceAll(place -> place.session == session ? place.askingFor(units) : place);
        if (!contains(session)) {
            more.add(new Place(session, units, Mark.WAITING, 0, arrival.toString()));
        }
        return more.equals(places) ? this : new Line(List.copyOf(more));
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
        Optional<Place> next = firstEligible();
        return next.isEmpty() ? this : mark(place -> place.session == next.get().session, Mark.RESERVED, now);
    }

    private Line mark(Predicate<Place> which, Mark mark, long now) {
        List<Place> marked = null;
        for (int i = 0; i < places.size(); i++) {
            if (which.test(places.get(i))) {
                marked = marked == null ? new ArrayList<>(places) : marked;
                marked.set(i, places.get(i).as(mark, now));
            }
        }
        return marked == null || marked.equals(places) ? this : new Line(List.copyOf(marked));
    }

    @Override
    public String toString() {
        StringBuilder joined = new StringBuilder();
        for (Place place : places) {
            if (joined.length() > 0) {
                joined.append(' ');
            }
            place.appendTo(joined);
        }
        String text = joined.toString();
        Line unused = writtenAs(text);
        return text;
    }
}
