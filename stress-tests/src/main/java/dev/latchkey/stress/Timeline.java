package dev.latchkey.stress;

import dev.latchkey.stress.check.Fault;
import dev.latchkey.stress.check.HandOverTimes;
import dev.latchkey.stress.history.Event;
import dev.latchkey.stress.history.History;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A run as a picture, in SVG: a row for each thread shows when it was opening, waiting, holding, committing, checkpointing or closing, with the kills and stops of
 * its process; below, how long what had become free stayed idle while somebody waited.
 */
final class Timeline {
    private static final int LEFT = 60;
    private static final int WIDTH = 1200;
    private static final int ROW = 9;
    private static final int GAP = 4;
    private static final int TOP = 24;
    private static final int PLOT = 150;
    /** The scale of idle times ends here on both sides. */
    private static final double LEAST_MICROS = 10;

    private static final double MOST_MICROS = 1e6;

    private final Outcome outcome;
    private final long from;
    private final long to;
    private final StringBuilder out = new StringBuilder();
    private int y = TOP;

    private Timeline(Outcome outcome) {
        this.outcome = outcome;
        List<Event> events = outcome.run().histories().stream()
                .flatMap(history -> history.events().stream())
                .toList();
        from = events.stream().mapToLong(Event::nanos).min().orElse(0);
        to = Math.max(from + 1, events.stream().mapToLong(Event::nanos).max().orElse(1));
    }

    /** The picture; its text is to be found and selected like any other. */
    static String svg(Outcome outcome) {
        return new Timeline(outcome).draw();
    }

    private String draw() {
        drawSeconds();
        for (History history : outcome.run().histories()) {
            draw(history);
        }
        drawHandOvers();
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" role=\"img\">%n%s</svg>%n"
                .formatted(LEFT + WIDTH + 20, y + 30, out);
    }

    private double x(long nanos) {
        long within = Math.max(from, Math.min(to, nanos));
        return LEFT + (double) (within - from) * WIDTH / (to - from);
    }

    private void drawSeconds() {
        long seconds = TimeUnit.NANOSECONDS.toSeconds(to - from);
        long step = Math.max(1, seconds / 12);
        for (long second = 0; second <= seconds; second += step) {
            double x = x(from + TimeUnit.SECONDS.toNanos(second));
            text(x, TOP - 10, "time", second + " s");
        }
    }

    private void draw(History history) {
        long killed = outcome.run().killed(history.process()).orElse(to);
        Map<String, List<Moment.Span>> rows = new LinkedHashMap<>();
        for (Moment.Span span : Moment.spans(history, killed)) {
            rows.computeIfAbsent(span.thread(), missing -> new ArrayList<>()).add(span);
        }
        int top = y;
        text(LEFT - 6, y + ROW, "name", history.process());
        for (List<Moment.Span> spans : rows.values()) {
            draw(spans);
            y += ROW + 1;
        }
        y = Math.max(y, top + ROW + 1);
        drawFaults(history.process(), top);
        y += GAP;
    }

    /** Stretches that would be drawn at the same place are drawn as one. */
    private void draw(List<Moment.Span> spans) {
        double last = -1;
        for (Moment.Span span : spans) {
            double x = x(span.from());
            double width = Math.max(0.4, x(span.to()) - x);
            if (x + width > last + 0.2) {
                rect(
                        x,
                        y,
                        width,
                        ROW,
                        span.moment().word(),
                        span.moment().word() + " " + TimeUnit.NANOSECONDS.toMicros(span.to() - span.from()) + " us");
                last = x + width;
            }
        }
    }

    private void drawFaults(String process, int top) {
        long stopped = -1;
        for (Fault fault : outcome.run().faults()) {
            if (fault.process().equals(process)) {
                if (fault.kind() == Fault.Kind.STOP && stopped < 0) {
                    stopped = fault.nanos();
                } else if (stopped >= 0 && (fault.kind() == Fault.Kind.CONTINUE || fault.kind() == Fault.Kind.KILL)) {
                    rect(x(stopped), top, x(fault.nanos()) - x(stopped), y - top, "stopped", "stopped");
                    stopped = -1;
                }
                if (fault.kind() == Fault.Kind.KILL) {
                    rect(x(fault.nanos()) - 1, top - 1, 2, y - top + 1, "kill", "killed while " + doing(process));
                }
            }
        }
    }

    private String doing(String process) {
        return outcome.kills().stream()
                .filter(kill -> kill.process().equals(process))
                .map(kill -> kill.moment().word())
                .findFirst()
                .orElse("nobody looked");
    }

    private void drawHandOvers() {
        List<HandOverTimes> times = HandOverTimes.of(outcome.run());
        if (times.isEmpty()) {
            return;
        }
        y += 20;
        text(LEFT, y, "caption", "idle while somebody waited: each hand-over, red after the death of the holder");
        y += 10;
        for (double micros = LEAST_MICROS; micros <= MOST_MICROS; micros *= 10) {
            double line = y + PLOT - height(micros);
            out.append(String.format(
                    Locale.ROOT,
                    "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>%n",
                    (double) LEFT,
                    (double) LEFT + WIDTH,
                    line,
                    line));
            text(
                    LEFT - 6,
                    line + 3,
                    "name",
                    micros < 1000 ? Math.round(micros) + " us" : Math.round(micros / 1000) + " ms");
        }
        for (HandOverTimes time : times) {
            double cy = y + PLOT - height(time.idleNanos() / 1000.0);
            out.append(String.format(
                    Locale.ROOT,
                    "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"><title>%s %.3f ms</title></circle>%n",
                    time.afterDeath() ? "afterdeath" : "handover",
                    x(time.nanos()),
                    cy,
                    time.afterDeath() ? 3 : 1,
                    ReportPage.escaped(time.name()),
                    time.idleNanos() / 1e6));
        }
        y += PLOT;
    }

    private static double height(double micros) {
        double within = Math.max(LEAST_MICROS, Math.min(MOST_MICROS, micros));
        return PLOT * Math.log(within / LEAST_MICROS) / Math.log(MOST_MICROS / LEAST_MICROS);
    }

    private void rect(double x, double top, double width, double height, String kind, String title) {
        out.append(String.format(
                Locale.ROOT,
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s</title></rect>%n",
                kind,
                x,
                top,
                Math.max(0.4, width),
                height,
                ReportPage.escaped(title)));
    }

    private void text(double x, double baseline, String kind, String words) {
        out.append(String.format(
                Locale.ROOT,
                "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>%n",
                kind,
                x,
                baseline,
                ReportPage.escaped(words)));
    }
}
