package dev.latchkey.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** A picture of lines over two logarithmic axes, as SVG that needs nothing else. */
final class Plot {
    private static final int WIDTH = 720;
    private static final int HEIGHT = 360;
    private static final int LEFT = 70;
    private static final int RIGHT = 190;
    private static final int TOP = 36;
    private static final int BOTTOM = 44;
    private static final double[] PERCENT = {0, 50, 75, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99};

    private final String title;
    private final String xTitle;
    private final String yTitle;
    private final List<Line> lines;
    private final List<Tick> xTicks;
    private final double left;
    private final double right;
    private final double low;
    private final double high;

    /** A line, with the colour of its peer. */
    record Line(Peer peer, String name, List<Point> points) {}

    /** A point before it is put on the axes; both numbers are positive. */
    record Point(double x, double y) {}

    /** A number on the axis below, and how it is written. */
    record Tick(double at, String text) {}

    Plot(String title, String xTitle, String yTitle, List<Tick> xTicks, List<Line> lines) {
        this.title = title;
        this.xTitle = xTitle;
        this.yTitle = yTitle;
        this.lines = lines;
        this.xTicks = xTicks;
        left = xTicks.stream().mapToDouble(Tick::at).min().orElse(1);
        right = Math.max(xTicks.stream().mapToDouble(Tick::at).max().orElse(1), left * 2);
        low = decade(
                lines.stream()
                        .flatMap(line -> line.points.stream())
                        .mapToDouble(Point::y)
                        .min()
                        .orElse(1),
                false);
        high = Math.max(
                decade(
                        lines.stream()
                                .flatMap(line -> line.points.stream())
                                .mapToDouble(Point::y)
                                .max()
                                .orElse(10),
                        true),
                10 * low);
    }

    private static double decade(double number, boolean up) {
        double log = Math.log10(number);
        return Math.pow(10, up ? Math.ceil(log) : Math.floor(log));
    }

    /** Which latency so many of a hundred calls do not exceed, for each peer. */
    static String latencies(Outcome outcome) {
        List<Line> lines = new ArrayList<>();
        for (Measured result : outcome.peers()) {
            Histogram all = result.latencies();
            List<Point> points = new ArrayList<>();
            for (double percent : PERCENT) {
                boolean isMeasured = (100 - percent) / 100 * all.getTotalCount() >= 1;
                if (isMeasured) {
                    points.add(new Point(100 / (100 - percent), Math.max(1, all.getValueAtPercentile(percent)) / 1e3));
                }
            }
            lines.add(new Line(result.peer(), result.peer().title(), points));
        }
        List<Tick> ticks = List.of(
                new Tick(1, "0 %"),
                new Tick(2, "50 %"),
                new Tick(10, "90 %"),
                new Tick(100, "99 %"),
                new Tick(1_000, "99.9 %"),
                new Tick(10_000, "99.99 %"));
        return new Plot(outcome.measured().title(), "of the calls take", "at most so many us", ticks, lines).svg();
    }

    /** What it costs, or how much is done, at each place of a picture. */
    static String growth(String title, List<Outcome> outcomes) {
        Case.Place first = outcomes.get(0).measured().place().orElseThrow();
        List<Line> lines = new ArrayList<>();
        for (Measured peer : outcomes.get(0).peers()) {
            List<Point> points = new ArrayList<>();
            for (Outcome outcome : outcomes) {
                outcome.of(peer.peer())
                        .ifPresent(result -> points.add(new Point(
                                outcome.measured().place().orElseThrow().at(),
                                first.isRate() ? result.perSecond() : result.micros(50))));
            }
            lines.add(new Line(peer.peer(), peer.peer().title(), points));
        }
        List<Tick> ticks = outcomes.stream()
                .map(outcome -> outcome.measured().place().orElseThrow().at())
                .map(at -> new Tick(at, String.format(Locale.ROOT, "%,d", at)))
                .toList();
        return new Plot(title, first.axis(), first.isRate() ? "a second, all together" : "p50 in us", ticks, lines)
                .svg();
    }

    String svg() {
        StringBuilder svg = new StringBuilder();
        svg.append(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"11\">%n"
                        .formatted(WIDTH, HEIGHT));
        svg.append("<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>%n".formatted(WIDTH, HEIGHT));
        svg.append(text(LEFT, 18, "start", "<tspan font-size=\"14\">" + escaped(title) + "</tspan>"));
        svg.append(text(LEFT, TOP - 6, "end", escaped(yTitle))
                .replace("text-anchor=\"end\"", "text-anchor=\"start\" fill=\"#555\""));
        svg.append(text(WIDTH - RIGHT, HEIGHT - 10, "end", escaped(xTitle)));
        for (double y = low; y <= high * 1.001; y *= 10) {
            svg.append(rule(LEFT, y(y), WIDTH - RIGHT, y(y)));
            svg.append(text(LEFT - 6, y(y) + 4, "end", plain(y)));
        }
        for (Tick tick : xTicks) {
            svg.append(rule(x(tick.at), TOP, x(tick.at), HEIGHT - BOTTOM));
            svg.append(text(x(tick.at), HEIGHT - BOTTOM + 15, "middle", escaped(tick.text)));
        }
        double row = TOP + 10;
        for (Line line : lines) {
            svg.append(path(line));
            svg.append("<rect x=\"%d\" y=\"%.0f\" width=\"14\" height=\"4\" fill=\"%s\"/>%n"
                    .formatted(WIDTH - RIGHT + 12, row - 5, colour(line.peer)));
            svg.append(text(WIDTH - RIGHT + 32, row, "start", escaped(line.name)));
            row += 18;
        }
        return svg.append("</svg>\n").toString();
    }

    private static String path(List<String> commands, String colour) {
        return "<path d=\"" + String.join(" ", commands) + "\" fill=\"none\" stroke=\"" + colour
                + "\" stroke-width=\"2\"/>\n";
    }

    private String path(Line line) {
        List<String> commands = new ArrayList<>();
        StringBuilder dots = new StringBuilder();
        for (Point point : line.points) {
            commands.add((commands.isEmpty() ? "M" : "L") + coordinate(x(point.x)) + " " + coordinate(y(point.y)));
            dots.append("<circle cx=\"%s\" cy=\"%s\" r=\"2.5\" fill=\"%s\"/>%n"
                    .formatted(coordinate(x(point.x)), coordinate(y(point.y)), colour(line.peer)));
        }
        return path(commands, colour(line.peer)) + dots;
    }

    private double x(double value) {
        return LEFT + (WIDTH - LEFT - RIGHT) * Math.log(value / left) / Math.log(right / left);
    }

    private double y(double value) {
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * Math.log(value / low) / Math.log(high / low);
    }

    private static String rule(double x1, double y1, double x2, double y2) {
        return "<line x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" stroke=\"#ddd\"/>%n"
                .formatted(coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2));
    }

    private static String text(double x, double y, String anchor, String content) {
        return "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>%n"
                .formatted(coordinate(x), coordinate(y), anchor, content);
    }

    private static String coordinate(double number) {
        return String.format(Locale.ROOT, "%.1f", number);
    }

    private static String plain(double number) {
        return number >= 1 ? String.format(Locale.ROOT, "%,.0f", number) : String.format(Locale.ROOT, "%.3g", number);
    }

    private static String colour(Peer peer) {
        return switch (peer) {
            case LATCHKEY -> "#d00000";
            case UNGROUPED -> "#f4a3a3";
            case UNGATED -> "#c98bb9";
            case UNRUNG -> "#e5b25d";
            case DISKCACHE -> "#2a6f97";
            case JEDIS -> "#f77f00";
            case REDISSON -> "#7b2cbf";
            case CHRONICLE -> "#17692b";
            case LMDB -> "#6b705c";
            case FILE_LOCK -> "#222222";
        };
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
