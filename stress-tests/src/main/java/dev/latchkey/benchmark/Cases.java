package dev.latchkey.benchmark;

import static dev.latchkey.benchmark.Peer.CHRONICLE;
import static dev.latchkey.benchmark.Peer.DISKCACHE;
import static dev.latchkey.benchmark.Peer.FILE_LOCK;
import static dev.latchkey.benchmark.Peer.JEDIS;
import static dev.latchkey.benchmark.Peer.LATCHKEY;
import static dev.latchkey.benchmark.Peer.LMDB;
import static dev.latchkey.benchmark.Peer.REDISSON;
import static dev.latchkey.benchmark.Peer.UNGATED;
import static dev.latchkey.benchmark.Peer.UNGROUPED;
import static dev.latchkey.benchmark.Peer.UNRUNG;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** All there is to measure. */
final class Cases {
    private static final int ENTRIES_AT_LIMIT = 20_000;
    private static final long HELD_NANOS = 20_000;
    /** Held for no time, but measured as one that is contended. */
    private static final long HARDLY_HELD_NANOS = 1;

    private static final Peer[] STORES = {LATCHKEY, DISKCACHE, JEDIS, REDISSON, CHRONICLE, LMDB};
    private static final Peer[] LOCKS = {LATCHKEY, DISKCACHE, REDISSON, FILE_LOCK};
    private static final Peer[] QUEUES = {LATCHKEY, DISKCACHE, JEDIS, REDISSON};
    private static final String SET_BY_PROCESSES = "set-by-processes";
    private static final String LOCK_BY_PROCESSES = "lock-by-processes";
    private static final List<Case> CASES = all();

    private Cases() {}

    private static List<Case> all() {
        List<Case> all = new ArrayList<>();
        entries(all);
        locks(all);
        queues(all);
        others(all);
        growth(all);
        return List.copyOf(all);
    }

    private static void entries(List<Case> all) {
        all.add(Loop.of("get", "get, one thread", "get", 1, 1, STORES).entries(Operations.KEYS));
        all.add(Loop.of("get-missing", "get of a key that is missing", "get-missing", 1, 1, STORES));
        all.add(Loop.of("get-threads", "get, 8 threads of one process", "get", 1, 8, STORES)
                .entries(Operations.KEYS));
        all.add(Loop.of("set", "set, one thread", "set", 1, 1, beside(UNGROUPED, STORES)));
        all.add(Loop.of(
                "set-threads",
                "set, 8 threads of one process",
                "set",
                1,
                8,
                LATCHKEY,
                UNGROUPED,
                DISKCACHE,
                JEDIS,
                REDISSON,
                LMDB));
        all.add(Loop.of("set-all", "setAll of 100 entries (python-diskcache: one transaction)", "set-all", 1, 1, QUEUES)
                .each(Operations.MANY));
        all.add(Loop.of(
                "set-async",
                "asynchronous set, 100 under way (python-diskcache: one after the other)",
                "set-async",
                1,
                1,
                LATCHKEY,
                DISKCACHE,
                REDISSON));
        all.add(Loop.of("set-new", "set of a new key, the cache at its limit", "set-new", 1, 1, LATCHKEY, DISKCACHE)
                .entries(ENTRIES_AT_LIMIT));
        all.add(new LongRead(
                "set-reader", "set beside a read that does not end, one thread", List.of(LATCHKEY, DISKCACHE)));
        for (int processes : new int[] {1, 2, 8}) {
            all.add(Loop.of("set-" + processes, "set, processes: " + processes, "set", processes, 1, STORES)
                    .at(SET_BY_PROCESSES, "processes", processes, true)
                    .onlyInFull());
        }
        all.add(Loop.of("set-processes", "set, 4 processes", "set", 4, 1, beside(UNGATED, STORES))
                .at(SET_BY_PROCESSES, "processes", 4, true));
    }

    /** With a build of Latchkey that lacks something. */
    private static Peer[] beside(Peer lacking, Peer... peers) {
        return Stream.concat(Stream.of(LATCHKEY, lacking), Arrays.stream(peers).skip(1))
                .toArray(Peer[]::new);
    }

    private static void locks(List<Case> all) {
        all.add(Loop.of("lock", "lock and unlock, one thread, uncontended", "lock", 1, 1, LOCKS));
        for (int processes : new int[] {2, 8, 16, 64}) {
            all.add(Loop.of(
                            "lock-" + processes,
                            "lock held for 20 us by processes: " + processes,
                            "lock",
                            processes,
                            1,
                            processes == 64 ? new Peer[] {LATCHKEY, DISKCACHE, FILE_LOCK} : LOCKS)
                    .parameter(HELD_NANOS)
                    .at(LOCK_BY_PROCESSES, "processes", processes, true)
                    .onlyInFull());
        }
        all.add(Loop.of(
                        "lock-processes",
                        "lock held for 20 us by 4 processes: the wait for it",
                        "lock",
                        4,
                        1,
                        beside(UNGATED, LOCKS))
                .parameter(HELD_NANOS)
                .at(LOCK_BY_PROCESSES, "processes", 4, true));
        all.add(new HandOver(
                "hand-over",
                "lock released until a sleeping waiter of another process has it",
                HandOver.Kind.LOCK,
                List.of(LOCKS)));
        all.add(new HandOver("lost-hint", "the same where wake-ups are lost", HandOver.Kind.LOCK, List.of(UNRUNG)));
        all.add(new OwnerKilled(
                "owner-killed",
                "owner (heap of 64 MiB) killed until the next has the lock",
                false,
                List.of(LATCHKEY, FILE_LOCK)));
        all.add(new OwnerKilled(
                "owner-killed-redisson",
                "owner (heap of 64 MiB) killed until the next has the lock, once",
                true,
                List.of(LATCHKEY, REDISSON)));
        all.add(new Waiting("waiting", "processor time while waiting", List.of(LATCHKEY, DISKCACHE, REDISSON)));
    }

    private static void queues(List<Case> all) {
        all.add(Loop.of("deque", "deque: offer and poll, one thread", "deque", 1, 1, QUEUES));
        all.add(new HandOver(
                "take",
                "deque: put until a blocked take of another process has it",
                HandOver.Kind.DEQUE,
                List.of(LATCHKEY, JEDIS, REDISSON)));
    }

    private static void others(List<Case> all) {
        all.add(new Limited(
                "throttle",
                "1,000 calls a second, burst 1, by 4 processes: the wait",
                List.of(LATCHKEY, DISKCACHE, REDISSON)));
        all.add(new Cold(
                "stampede", "one cold key of 50 ms, 4 processes with 8 threads each", List.of(LATCHKEY, DISKCACHE)));
        all.add(new Opening("open", "open an existing directory", "cache", List.of(LATCHKEY, DISKCACHE)));
        all.add(new Opening(
                "open-fanout",
                "open an existing FanoutCache of 8 shards; descriptors and threads of each",
                "fanout",
                List.of(LATCHKEY)));
    }

    private static void growth(List<Case> all) {
        for (int entries : new int[] {1_000, 10_000, 100_000, 1_000_000}) {
            all.add(Loop.of("get-" + entries, "get, entries: " + entries, "get", 1, 1, LATCHKEY, DISKCACHE)
                    .parameter(-entries)
                    .entries(entries)
                    .at("get-by-entries", "entries", entries, false)
                    .onlyInFull());
            all.add(Loop.of("set-" + entries, "set, entries: " + entries, "set", 1, 1, LATCHKEY, DISKCACHE)
                    .parameter(-entries)
                    .entries(entries)
                    .at("set-by-entries", "entries", entries, false)
                    .onlyInFull());
        }
        for (int names : new int[] {10, 100, 1_000, 10_000}) {
            all.add(Loop.of(
                            "lock-names-" + names,
                            "lock and unlock, names: " + names,
                            "lock",
                            1,
                            1,
                            LATCHKEY,
                            DISKCACHE)
                    .parameter(-names)
                    .at("lock-by-names", "names", names, false)
                    .onlyInFull());
        }
        for (int threads : new int[] {2, 8, 64}) {
            all.add(Loop.of(
                            "lock-threads-" + threads,
                            "one lock, threads of one process: " + threads,
                            "lock",
                            1,
                            threads,
                            LATCHKEY,
                            DISKCACHE,
                            REDISSON)
                    .parameter(HARDLY_HELD_NANOS)
                    .at("lock-by-threads", "threads", threads, true)
                    .onlyInFull());
        }
        for (int bytes : new int[] {10, 1_000, 100_000, 1_000_000, 10_000_000, 100 << 20}) {
            all.add(Loop.of(
                            "bytes-" + bytes,
                            "set of a value, bytes: " + bytes,
                            "set-bytes",
                            1,
                            1,
                            LATCHKEY,
                            DISKCACHE,
                            JEDIS)
                    .parameter(bytes)
                    .at("set-by-bytes", "bytes", bytes, false)
                    .onlyInFull());
        }
    }

    /** Those that are named, else all that belong to the length of the run. */
    static List<Case> of(BenchmarkOptions options) {
        return CASES.stream()
                .filter(one -> options.cases().isEmpty()
                        ? !one.isLong() || !options.isShort()
                        : options.cases().contains(one.word()))
                .toList();
    }

    static List<String> words() {
        return CASES.stream().map(Case::word).toList();
    }
}
