package dev.latchkey.benchmark;

import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** The process that has a lock is killed while another one waits for it: how long it takes until that one has it. */
record OwnerKilled(String word, String title, boolean isLong, List<Peer> peers) implements Case {
    private static final int TIMES = 10;
    private static final int TIMES_IN_SHORT = 2;
    private static final long ASLEEP_MILLIS = 50;
    /** The kernel takes back the memory of a process before it frees any lock. */
    private static final String HEAP = "-Xmx64m";

    private static final double MIB = 1 << 20;

    @Override
    public Round round(Site site) {
        Histogram latencies = Round.newHistogram();
        int times = isLong ? 1 : site.arena().options().isShort() ? TIMES_IN_SHORT : TIMES;
        double resident = 0;
        Party holder = join(site);
        holder.ask("acquire lock", "HELD");
        for (int i = 0; i < times; i++) {
            Party waiter = join(site);
            waiter.tell("acquire lock");
            Loop.pause(ASLEEP_MILLIS);
            resident += holder.process().residentBytes() / MIB / times;
            long killed = holder.process().killNow();
            latencies.recordValue(Long.parseLong(waiter.hear("HELD")) - killed);
            holder = waiter;
        }
        holder.process().kill();
        return Round.of(latencies, Map.of("memory of the killed process, MiB", resident));
    }

    private static Party join(Site site) {
        Party party = site.join(HEAP);
        Loop.warmUpLocks(site, List.of(party));
        return party;
    }
}
