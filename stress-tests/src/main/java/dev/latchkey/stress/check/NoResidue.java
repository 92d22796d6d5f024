package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event;
import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.History;
import java.util.List;

/**
 * When everything is released, everything is what it was. In the end no lock is held or waited for, no item and no log is
 * left, and no more sessions than allowed; a process that has closed its last cache has no thread and no descriptor left;
 * value files without a row come from kills only; and the log never grew beyond a bound.
 */
public final class NoResidue implements Checker {
    private static final long MOST_LOG_BYTES = 64 << 20;

    private final int allowedSessions;
    private final int filesPerKill;
    private final boolean drained;
    private final long mostLogBytes;

    /** For a run that ended with a sweep and empty queues: one file per kill, a log of at most 64 MiB. */
    public NoResidue() {
        this(0, 1, true, MOST_LOG_BYTES);
    }

    /**
     * With other bounds.
     *
     * @param allowedSessions how many rows of sessions may be left, such as those of the killed
     * @param filesPerKill how many value files a process may have been writing when it was killed
     * @param drained whether the queues must be empty
     * @param mostLogBytes how long the log may have been
     */
    public NoResidue(int allowedSessions, int filesPerKill, boolean drained, long mostLogBytes) {
        this.allowedSessions = allowedSessions;
        this.filesPerKill = filesPerKill;
        this.drained = drained;
        this.mostLogBytes = mostLogBytes;
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("NO_RESIDUE");
        judgeRows(run.remains(), violations);
        judgeFiles(run, violations);
        for (History history : run.histories()) {
            for (Event event : history.events()) {
                if (event.kind() == Kind.NOTE
                        && event.operation().equals("residue")
                        && !event.arguments().stream().allMatch("0"::equals)) {
                    violations.add(history.process() + " had closed its last cache and still had threads, descriptors: "
                            + event.arguments() + " at " + event.nanos());
                }
            }
        }
        return violations.list();
    }

    private void judgeRows(Remains remains, Violations violations) {
        if (remains.sessions() > allowedSessions) {
            violations.add(remains.sessions() + " sessions are left; allowed: " + allowedSessions);
        }
        for (Remains.StateRow state : remains.states()) {
            if (state.session() != 0) {
                violations.add(state.name() + " is held by session " + state.session() + ", token " + state.token());
            }
            if (!state.line().isEmpty()) {
                violations.add(state.name() + " is waited for by '" + state.line() + "'");
            }
        }
        remains.items().forEach((queue, count) -> {
            if (drained && count != 0) {
                violations.add("queue " + queue + " has " + count + " items left");
            }
        });
    }

    private void judgeFiles(Run run, Violations violations) {
        Remains remains = run.remains();
        int allowed = run.kills() * filesPerKill;
        if (remains.orphans().size() > allowed) {
            violations.add(remains.orphans().size() + " value files have no row, after " + run.kills()
                    + " kills; allowed: " + allowed + "; the first: "
                    + remains.orphans().get(0));
        }
        if (remains.logBytes() != 0) {
            violations.add("the log has " + remains.logBytes() + " bytes left");
        }
        if (remains.longestLogBytes() > mostLogBytes) {
            violations.add("the log had " + remains.longestLogBytes() + " bytes; allowed: " + mostLogBytes);
        }
    }
}
