package dev.latchkey.stress;

import dev.latchkey.stress.history.Event;
import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.History;
import dev.latchkey.stress.worker.AimedKill;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What a process was doing when it was killed; told from its history, up to the instant of the kill. The first that fits
 * counts. A process that died right before or right after COMMIT, on purpose, was not committing.
 */
enum Moment {
    CHECKPOINTING,
    COMMITTING,
    CLOSING,
    OPENING,
    HOLDING,
    WAITING,
    OTHER;

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whoever was refused at once has asked, but not waited. */
    private static final long WAITED_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private static final Set<String> TAKING = Set.of("lock", "claim", "await", "reserve");
    private static final Set<String> GIVING = Set.of("unlock", "ack", "nack", "await", "use", "cancel");
    /** What is waited for and then had, not held. */
    private static final Set<String> AWAITING = Set.of("permit", "use", "arrive", "ask", "pass");

    /** What a process was doing at an instant, if its history ends soon after. */
    static Moment of(History history, long nanos) {
        Map<String, List<Event>> threads = new LinkedHashMap<>();
        for (Event event : history.events()) {
            threads.computeIfAbsent(event.thread(), missing -> new ArrayList<>())
                    .add(event);
        }
        EnumSet<Moment> found = EnumSet.of(OTHER);
        threads.values().forEach(events -> found.add(ofThread(events, nanos)));
        return found.iterator().next();
    }

    private static Moment ofThread(List<Event> events, long nanos) {
        Doing doing = new Doing();
        Moment moment = OTHER;
        for (Event event : events) {
            moment = doing.after(event, nanos);
        }
        return moment;
    }

    /** A stretch of time in which a thread did one thing. */
    record Span(String thread, Moment moment, long from, long to) {}

    /** What the threads of a process were doing until an instant, in stretches; what is none of the moments is left out. */
    static List<Span> spans(History history, long end) {
        Map<String, List<Event>> threads = new LinkedHashMap<>();
        for (Event event : history.events()) {
            threads.computeIfAbsent(event.thread(), missing -> new ArrayList<>())
                    .add(event);
        }
        List<Span> spans = new ArrayList<>();
        threads.forEach((thread, events) -> {
            Doing doing = new Doing();
            for (int i = 0; i < events.size(); i++) {
                long from = events.get(i).nanos();
                long to = i + 1 < events.size() ? events.get(i + 1).nanos() : Math.max(from, end);
                Moment moment = doing.after(events.get(i), to);
                if (moment != OTHER) {
                    spans.add(new Span(thread, moment, from, to));
                }
            }
        });
        return spans;
    }

    /** What a thread is doing, event by event. */
    private static final class Doing {
        private boolean holding;
        private Moment moment = OTHER;
        private Moment beforeCommit = OTHER;
        private Moment beforeCheckpoint = OTHER;

        /** What it does since an event, as it shows at a later instant. */
        Moment after(Event event, long nanos) {
            if (event.kind() == Kind.NOTE) {
                note(event);
            } else {
                boolean begins = event.kind() == Kind.INVOKE;
                if (TAKING.contains(event.operation()) && event.kind() == Kind.OK) {
                    holding = true;
                } else if (GIVING.contains(event.operation()) && begins) {
                    holding = false;
                }
                moment = begins ? begun(event, nanos, holding) : holding ? HOLDING : OTHER;
            }
            return moment;
        }

        private void note(Event event) {
            if (event.operation().equals("computing")) {
                moment = HOLDING;
            } else if (event.operation().equals("computed")) {
                moment = OTHER;
            } else if (event.operation().equals("committing")) {
                beforeCommit = moment;
                moment = COMMITTING;
            } else if (event.operation().equals("checkpointing")) {
                beforeCheckpoint = moment;
                moment = CHECKPOINTING;
            } else if (event.operation().equals("checkpointed")) {
                moment = beforeCheckpoint;
            } else if (event.operation().equals("committed") || isAtTheEdge(event)) {
                moment = beforeCommit;
            }
        }
    }

    private static boolean isAtTheEdge(Event event) {
        return event.operation().equals(AimedKill.DYING)
                && (event.arguments().get(0).equals("after-commit")
                        || event.arguments().equals(List.of("before-commit", "0")));
    }

    private static Moment begun(Event event, long nanos, boolean holding) {
        if (TAKING.contains(event.operation()) || AWAITING.contains(event.operation())) {
            boolean waits = !event.arguments().contains("now") && nanos - event.nanos() > WAITED_NANOS;
            return waits ? WAITING : OTHER;
        }
        return switch (event.operation()) {
            case "open" -> OPENING;
            case "close" -> CLOSING;
            case "push", "pull" ->
                event.arguments().contains("waits") && nanos - event.nanos() > WAITED_NANOS ? WAITING : OTHER;
            default -> holding ? HOLDING : OTHER;
        };
    }
}
