package dev.latchkey.stress.check;

import java.util.List;

/** A cache that was full in the end does not take more than its limit, nor much less: no more is evicted than needed. */
public final class Volume implements Checker {
    private final long limit;
    private final long overhead;

    /**
     * With a limit.
     *
     * @param limit how many bytes the database and the value files may take together
     * @param overhead how many more when the last process has closed
     */
    public Volume(long limit, long overhead) {
        this.limit = limit;
        this.overhead = overhead;
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("VOLUME");
        long volume = run.remains().volume();
        if (volume > limit + overhead) {
            violations.add("the cache takes " + volume + " bytes in the end; its limit: " + limit);
        }
        if (volume < limit / 4 * 3) {
            violations.add("the cache takes only " + volume + " bytes in the end; its limit: " + limit);
        }
        return violations.list();
    }
}
