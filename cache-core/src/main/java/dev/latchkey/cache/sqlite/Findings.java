package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.CheckReport.Finding;
import dev.latchkey.cache.CheckReport.Kind;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What was found so far: so many of each kind, and the number of all others, so that they take bounded memory. */
final class Findings {
    private final int most;
    private final List<Finding> findings = new ArrayList<>();
    private final Map<Kind, Tally> tallies = new EnumMap<>(Kind.class);

    Findings(int most) {
        this.most = most;
    }

    private static final class Tally {
        int count;
        int unlistedRepaired;
        int unlistedOthers;
    }

    void add(Kind kind, String description, boolean repaired) {
        Tally tally = tallies.computeIfAbsent(kind, missing -> new Tally());
        if (tally.count++ < most) {
            findings.add(new Finding(kind, description, repaired));
        } else if (repaired) {
            tally.unlistedRepaired++;
        } else {
            tally.unlistedOthers++;
        }
    }

    CheckReport report() {
        List<Finding> all = new ArrayList<>(findings);
        tallies.forEach((kind, tally) -> {
            addRest(all, kind, tally.unlistedRepaired, true);
            addRest(all, kind, tally.unlistedOthers, false);
        });
        return new CheckReport(all);
    }

    private static void addRest(List<Finding> all, Kind kind, int count, boolean repaired) {
        if (count > 0) {
            all.add(new Finding(kind, "and " + count + " more of this kind", repaired));
        }
    }

    /** Without what could forge a line of a log. */
    static String printable(@Nullable String text) {
        return text == null ? "" : text.replaceAll("\\p{Cntrl}", "?");
    }
}
