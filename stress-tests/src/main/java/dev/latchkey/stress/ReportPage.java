package dev.latchkey.stress;

import dev.latchkey.stress.check.HandOverTimes;
import dev.latchkey.stress.check.Violation;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;

/** What came of a run, as one page of HTML that needs nothing else: for each scenario the numbers, a picture, and what was violated. */
final class ReportPage {
    private static final String STYLE = """
            body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
            h2 { margin-top: 2em; } table { border-collapse: collapse; } td, th { padding: 2px 10px; text-align: right; white-space: nowrap; }
            td:first-child, th:first-child { text-align: left; } tr:nth-child(even) { background: #f4f4f4; }
            pre { white-space: pre-wrap; background: #fbeaea; padding: 8px; } .kept { color: #17692b; } .broken { color: #a4161a; }
            svg { overflow: visible; } svg text { font-size: 10px; fill: #555; } text.name { text-anchor: end; }
            .stopped { opacity: .18; } .handover { fill: #2a6f97; opacity: .5; } .afterdeath { fill: #d00000; } .grid { stroke: #ddd; }
            .key span { display: inline-block; width: 12px; height: 10px; margin: 0 4px 0 14px; }
            """;

    /** In the picture and in its key. */
    private static final List<Map.Entry<String, String>> COLOURS = List.of(
            Map.entry("opening", "#95d5b2"),
            Map.entry("waiting", "#f4c95d"),
            Map.entry("holding", "#2a6f97"),
            Map.entry("committing", "#7b2cbf"),
            Map.entry("checkpointing", "#f77f00"),
            Map.entry("closing", "#b7b7a4"),
            Map.entry("stopped", "#000000"),
            Map.entry("kill", "#d00000"));

    private ReportPage() {}

    static String of(List<Outcome> outcomes) {
        StringBuilder page = new StringBuilder(
                "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Stress run</title>\n");
        page.append("<style>\n").append(STYLE).append(colours()).append("</style>\n<h1>Stress run</h1>\n<p>");
        page.append(escaped(Report.total(outcomes)))
                .append("</p>\n")
                .append(table(outcomes))
                .append(key());
        outcomes.forEach(outcome -> page.append(section(outcome)));
        return page.append("</html>\n").toString();
    }

    private static String colours() {
        StringBuilder rules = new StringBuilder();
        COLOURS.forEach(colour -> rules.append(".%1$s { fill: %2$s; } .key .%1$s { background: %2$s; }%n"
                .formatted(colour.getKey(), colour.getValue())));
        return rules.toString();
    }

    private static String key() {
        StringBuilder key = new StringBuilder("<p class=\"key\">");
        COLOURS.forEach(colour -> key.append("<span class=\"")
                .append(colour.getKey())
                .append("\"></span>")
                .append(colour.getKey()));
        return key.append("</p>\n").toString();
    }

    private static String table(List<Outcome> outcomes) {
        StringBuilder table = new StringBuilder("<table><tr><th>scenario<th>seed<th>processes<th>operations<th>kills");
        for (Moment moment : Moment.values()) {
            table.append("<th>").append(moment.word());
        }
        table.append("<th>hand-over, median<th>longest<th>violations</tr>\n");
        outcomes.forEach(outcome -> table.append(row(outcome)));
        return table.append("</table>\n").toString();
    }

    private static String row(Outcome outcome) {
        StringBuilder row = new StringBuilder("<tr>");
        cell(
                row,
                "<a href=\"#" + outcome.scenario().word() + "\">"
                        + outcome.scenario().word() + "</a>");
        cell(row, outcome.options().seed());
        cell(row, outcome.run().histories().size());
        cell(row, outcome.run().operations().size());
        cell(row, outcome.kills().size());
        Map<Moment, Integer> kills = outcome.moments();
        for (Moment moment : Moment.values()) {
            cell(row, kills.getOrDefault(moment, 0));
        }
        long[] idle = HandOverTimes.of(outcome.run()).stream()
                .mapToLong(HandOverTimes::idleNanos)
                .sorted()
                .toArray();
        cell(row, idle.length == 0 ? "" : millis(idle[idle.length / 2]));
        cell(row, idle.length == 0 ? "" : millis(LongStream.of(idle).max().orElse(0)));
        cell(row, outcome.violations().size());
        return row.append("</tr>\n").toString();
    }

    private static void cell(StringBuilder row, Object content) {
        row.append("<td>").append(content);
    }

    private static String millis(long nanos) {
        return String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
    }

    private static String section(Outcome outcome) {
        boolean kept = outcome.violations().isEmpty();
        StringBuilder section =
                new StringBuilder("<h2 id=\"" + outcome.scenario().word() + "\">"
                        + outcome.scenario().word() + "</h2>\n<p class=\"" + (kept ? "kept" : "broken") + "\">"
                        + escaped(Report.line(outcome)) + "</p>\n");
        for (Violation violation : outcome.violations()) {
            section.append("<pre>")
                    .append(escaped(violation.toString()))
                    .append("\nreplay: ")
                    .append(escaped(outcome.options().replay(outcome.scenario())))
                    .append("</pre>\n");
        }
        return section.append(Timeline.svg(outcome)).toString();
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
