package dev.latchkey.coordination;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.function.Predicate;

/**
 * Who waits for the conditions of a lock, in order of arrival. Written as {@code "full:123.7! full:456.9 empty:123.8"}: waiter 7
 * of session 123 was signalled, waiter 9 of session 456 comes next; another waits for the condition {@code empty}. Behind each
 * stands its {@link Arrival}.
 *
 * <p>An entry moves {@code WAITING -> SIGNALLED -> (gone, with the grant that its waiter gets)} or, by time-out or interrupt,
 * {@code WAITING -> (gone)}. A signal whose waiter dies goes to the next.
 */
record Conditions(List<Entry> entries) {
    static final Conditions NONE = new Conditions(List.of());

    record Entry(String condition, long session, long waiter, boolean signalled, Arrival arrival) {
        static Entry parse(String entry) {
            String text = Arrival.without(entry);
            int colon = text.indexOf(':');
            int dot = text.indexOf('.', colon);
            boolean signalled = text.endsWith("!");
            return new Entry(
                    Arrival.unescaped(text.substring(0, colon)),
                    Long.parseLong(text.substring(colon + 1, dot)),
                    Long.parseLong(text.substring(dot + 1, text.length() - (signalled ? 1 : 0))),
                    signalled,
                    Arrival.parse(entry));
        }

        boolean is(long itsSession, long itsWaiter) {
            return session == itsSession && waiter == itsWaiter;
        }

        Entry signal() {
            return new Entry(condition, session, waiter, true, arrival);
        }

        @Override
        public String toString() {
            return Arrival.escaped(condition) + ":" + session + "." + waiter + (signalled ? "!" : "") + arrival;
        }
    }

    static Conditions parse(String text) {
        if (text.isEmpty()) {
            return NONE;
        }
        List<Entry> entries = new ArrayList<>();
        for (String entry : text.split(" ", -1)) {
            entries.add(Entry.parse(entry));
        }
        return new Conditions(List.copyOf(entries));
    }

    Conditions with(String condition, long session, long waiter, Arrival arrival) {
        List<Entry> more = new ArrayList<>(entries);
        more.add(new Entry(condition, session, waiter, false, arrival));
        return new Conditions(List.copyOf(more));
    }

    Conditions without(long session, long waiter) {
        return remove(entry -> entry.is(session, waiter));
    }

    private Conditions remove(Predicate<Entry> which) {
        List<Entry> kept = new ArrayList<>(entries);
        return kept.removeIf(which) ? new Conditions(List.copyOf(kept)) : this;
    }

    /** Without the entries of the dead; a signal that was one's of them goes to the next in its condition. */
    Conditions without(Set<Long> dead) {
        return passingOn(entry -> dead.contains(entry.session));
    }

    /** Without the waiters of a session that it does not know any more; their signals go on too. */
    Conditions without(long session, LongPredicate isForgotten) {
        return passingOn(entry -> entry.session == session && isForgotten.test(entry.waiter));
    }

    private Conditions passingOn(Predicate<Entry> gone) {
        Conditions kept = remove(gone);
        if (kept.equals(this)) {
            return this;
        }
        for (Entry entry : entries) {
            if (entry.signalled && gone.test(entry)) {
                kept = kept.signal(entry.condition, false);
            }
        }
        return kept;
    }

    /** Signals the first that waits for a condition, or all. */
    Conditions signal(String condition, boolean all) {
        List<Entry> next = new ArrayList<>(entries);
        for (int i = 0; i < next.size(); i++) {
            Entry entry = next.get(i);
            if (!entry.signalled && entry.condition.equals(condition)) {
                next.set(i, entry.signal());
                if (!all) {
                    break;
                }
            }
        }
        return new Conditions(List.copyOf(next));
    }

    boolean contains(long session, long waiter) {
        return entries.stream().anyMatch(entry -> entry.is(session, waiter));
    }

    boolean isSignalled(long session, long waiter) {
        return entries.stream().anyMatch(entry -> entry.is(session, waiter) && entry.signalled);
    }

    /** Whether a waiter has not been signalled yet. */
    boolean isAwaiting(long session, long waiter) {
        return entries.stream().anyMatch(entry -> entry.is(session, waiter) && !entry.signalled);
    }

    /** Whether somebody of a session was signalled and has not got the lock yet. */
    boolean hasSignalled(long session) {
        return entries.stream().anyMatch(entry -> entry.session == session && entry.signalled);
    }

    /** Whether somebody was signalled here who was not there. */
    boolean hasSignalsMissingIn(Conditions earlier) {
        return entries.stream().anyMatch(entry -> entry.signalled && !earlier.isSignalled(entry.session, entry.waiter));
    }

    /** Whether a signal is with somebody who is dead. */
    boolean hasDeadSignalled(LongPredicate isDead) {
        for (Entry entry : entries) {
            if (entry.signalled && isDead.test(entry.session)) {
                return true;
            }
        }
        return false;
    }

    /** The sessions of all who wait, signalled or not. */
    Set<Long> sessions() {
        Set<Long> sessions = new LinkedHashSet<>();
        for (Entry entry : entries) {
            sessions.add(entry.session);
        }
        return sessions;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Entry entry : entries) {
            text.append(text.length() == 0 ? "" : " ").append(entry);
        }
        return text.toString();
    }
}
