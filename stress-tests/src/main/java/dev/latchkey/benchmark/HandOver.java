package dev.latchkey.benchmark;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.HdrHistogram.Histogram;

/** A process gives something up, or away, that another one sleeps for: how long it takes until that one goes on. */
record HandOver(String word, String title, Kind kind, List<Peer> peers) implements Case {
    private static final int TIMES = 100;
    private static final int TIMES_IN_SHORT = 10;
    /** Even, so that the first process has the lock again. */
    private static final int WARM_UP_TIMES = 5_000;

    /** Long enough for the other process to have fallen asleep. */
    private static final long ASLEEP_MILLIS = 25;
    /** So that it is not always in the same part of a look that comes again and again. */
    private static final long MORE_MILLIS = 60;

    enum Kind {
        /** A lock is released. */
        LOCK,
        /** An element is put into an empty deque. */
        DEQUE
    }

    @Override
    public Round round(Site site) {
        Party one = site.join();
        Party other = site.join();
        Histogram latencies = Round.newHistogram();
        int times = site.arena().options().isShort() ? TIMES_IN_SHORT : TIMES;
        if (kind == Kind.LOCK) {
            one.ask("acquire lock", "HELD");
        }
        if (!site.arena().options().isShort()) {
            warmUp(site, one, other);
        }
        for (int i = 0; i < times; i++) {
            long asleep = ASLEEP_MILLIS + ThreadLocalRandom.current().nextLong(MORE_MILLIS);
            latencies.recordValue(handOver(site, one, other, i, asleep));
        }
        if (kind == Kind.LOCK) { // not all peers free it when its holder ends
            one.ask("release lock", "FREED");
        }
        one.halt();
        other.halt();
        return Round.of(latencies, Map.of());
    }

    private void warmUp(Site site, Party one, Party other) {
        CompilerWatch compilers =
                new CompilerWatch(one.process().pid(), other.process().pid());
        long latest = System.nanoTime() + WarmUp.LONGEST.toNanos();
        for (int i = 0; i % 2 != 0 || (System.nanoTime() < latest && (i < WARM_UP_TIMES || !compilers.rests())); i++) {
            handOver(site, one, other, i, 0);
        }
    }

    /** In turns, to and fro. */
    private long handOver(Site site, Party one, Party other, int i, long asleepMillis) {
        Party giver = i % 2 == 0 ? one : other;
        Party waiter = i % 2 == 0 ? other : one;
        return kind == Kind.LOCK ? release(giver, waiter, asleepMillis) : put(site, giver, waiter, asleepMillis);
    }

    private static long release(Party giver, Party waiter, long asleepMillis) {
        waiter.tell("acquire lock");
        Loop.pause(asleepMillis);
        long released = giver.nanos("release lock", "FREED");
        return Long.parseLong(waiter.hear("HELD")) - released;
    }

    private static long put(Site site, Party giver, Party waiter, long asleepMillis) {
        waiter.tell("take");
        Loop.pause(asleepMillis);
        long put = giver.nanos("put", "PUT");
        String[] taken = waiter.hear("TOOK").split(" ");
        site.require(Long.parseLong(taken[1]) == put, "put " + put + ", but took " + taken[1]);
        return Long.parseLong(taken[0]) - put;
    }
}
