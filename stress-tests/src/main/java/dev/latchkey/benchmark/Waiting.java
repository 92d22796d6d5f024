package dev.latchkey.benchmark;

import dev.latchkey.testing.Cpu;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** Processes wait for a lock that nobody gives up: what that costs them, in per cent of a processor. */
record Waiting(String word, String title, List<Peer> peers) implements Case {
    static final String FIRST = "first in line, % of a core";
    static final String SECOND = "second in line, % of a core";
    static final String QUEUE = "waiting for an element, % of a core";
    /** So long that it is compiled what a waiter does again and again. */
    private static final long SETTLING_MILLIS = 30_000;

    private static final long SETTLING_MILLIS_IN_SHORT = 1_000;
    private static final long MILLIS = 8_000;
    private static final long MILLIS_IN_SHORT = 1_500;

    @Override
    public Round round(Site site) {
        site.witness().ask("acquire lock", "HELD");
        boolean hasQueue = site.peer() != Peer.DISKCACHE && site.peer() != Peer.FILE_LOCK;
        List<Party> parties = site.join(hasQueue ? 3 : 2);
        Loop.warmUpLocks(site, parties);
        Map<String, Party> waiting = new LinkedHashMap<>();
        waiting.put(FIRST, wait(parties.get(0), "acquire lock"));
        waiting.put(SECOND, wait(parties.get(1), "acquire lock"));
        if (hasQueue) {
            waiting.put(QUEUE, wait(parties.get(2), "take"));
        }
        boolean isShort = site.arena().options().isShort();
        Loop.pause(isShort ? SETTLING_MILLIS_IN_SHORT : SETTLING_MILLIS);
        long millis = isShort ? MILLIS_IN_SHORT : MILLIS;
        List<Long> before = new ArrayList<>();
        waiting.values().forEach(party -> before.add(nanos(site, party)));
        Loop.pause(millis);
        Map<String, Double> others = new LinkedHashMap<>();
        Histogram used = Round.newHistogram();
        int i = 0;
        for (Map.Entry<String, Party> entry : waiting.entrySet()) {
            long nanos = nanos(site, entry.getValue()) - before.get(i++);
            site.require(nanos > 0, "a process that waits has used no time");
            used.recordValue(nanos);
            others.put(entry.getKey(), 100.0 * nanos / TimeUnit.MILLISECONDS.toNanos(millis));
        }
        waiting.values().forEach(party -> {
            site.require(!party.hasSaid("HELD") && !party.hasSaid("TOOK"), "one has got what it was to wait for");
            party.process().kill();
        });
        site.witness().ask("release lock", "FREED");
        return new Round(used, List.of(used.getTotalCount()), 0, others);
    }

    private static Party wait(Party party, String command) {
        party.tell(command);
        Loop.pause(100); // they are to stand in this order
        return party;
    }

    private static long nanos(Site site, Party party) {
        Collection<Long> threads = Cpu.nanosByThread(party.process().pid()).values();
        site.require(!threads.isEmpty(), "the time that a process uses cannot be read");
        return threads.stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public boolean hasLatencies() {
        return false;
    }
}
