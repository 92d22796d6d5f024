package dev.latchkey.stress;

import java.util.Arrays;
import java.util.Collections;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A rule of the engine, and how a test build breaks it: one piece of the shipped source is replaced by another before it is
 * compiled for the workers. If the source has changed so that the piece is no longer there once, building it fails.
 */
enum BrokenRule {
    /** A waiter that was woken goes by what it remembers, and never looks at the row again. */
    NO_REREAD_AFTER_WAKE(
            "coordination/src/main/java/dev/latchkey/coordination/Cohort.java",
            "if (!row.isUnchanged(last, deadline)) {",
            "if (last.permits() < 0) {",
            ScenarioName.LOCK,
            "GRANT_ORDER NO_HANG HAND_OVER"),
    /** A grant has the token of the one before. */
    NO_TOKEN_BUMP(
            "coordination/src/main/java/dev/latchkey/coordination/Turns.java",
            "token() + 1,\n                asker.units,",
            "token(),\n                asker.units,",
            ScenarioName.LOCK,
            "TOKEN TOKEN_ORDER"),
    /** The holder of a lock is taken for dead without being probed. */
    NO_LIVENESS_CHECK(
            "coordination/src/main/java/dev/latchkey/coordination/Turns.java",
            "if (isDead.test(session)) {",
            "{",
            ScenarioName.LOCK,
            "OVERLAP MUTUAL_EXCLUSION"),
    /** Whoever has claimed an item is taken for dead without being probed. */
    NO_LIVENESS_CHECK_OF_CLAIMS(
            "coordination/src/main/java/dev/latchkey/coordination/Claimers.java",
            ".filter(engine.sessions()::isDead)",
            ".filter(session -> session != 0)",
            ScenarioName.QUEUE,
            "OVERLAP QUEUE_DELIVERY"),
    /** A release frees the lock whoever holds it by now. */
    BLIND_RELEASE(
            "coordination/src/main/java/dev/latchkey/coordination/Turns.java",
            "Optional<Hold> hold = state.hold(session, part.getKey());",
            "Optional<Hold> hold = state.holds.stream().findFirst();",
            ScenarioName.LOCK,
            "OVERLAP MUTUAL_EXCLUSION"),
    /** Whoever comes last stands first in line. */
    LAST_COME_FIRST_SERVED(
            "coordination/src/main/java/dev/latchkey/coordination/Line.java",
            "more.add(new Place(session, units, Mark.WAITING, 0, arrival.toString()));",
            "more.add(0, new Place(session, units, Mark.WAITING, 0, arrival.toString()));",
            ScenarioName.LOCK,
            "GRANT_ORDER"),
    /** A reentrant lock is free after the first of several releases. */
    FIRST_UNLOCK_FREES(
            "coordination/src/main/java/dev/latchkey/coordination/FencedLock.java",
            "if (grant.count > 1) {",
            "if (grant.count > 1 && grant.count < 0) {",
            ScenarioName.RLOCK,
            "OVERLAP MUTUAL_EXCLUSION NO_ERRORS"),
    /** A writer does not wait for readers. */
    READERS_OVERLOOKED(
            "coordination/src/main/java/dev/latchkey/coordination/Kind.java",
            "READ_WRITE(\"rwlock\", \"read-write lock\", Integer.MAX_VALUE),",
            "READ_WRITE(\"rwlock\", \"read-write lock\", Integer.MAX_VALUE + 1L),",
            ScenarioName.RWLOCK,
            "OVERLAP MUTUAL_EXCLUSION"),
    /** The token of a grant is not remembered for the next one. */
    TOKEN_NOT_STORED(
            "coordination/src/main/java/dev/latchkey/coordination/Turns.java",
            "from.token() + 1, true, dead)",
            "from.token(), true, dead)",
            ScenarioName.SEMAPHORE,
            "TOKEN_ORDER"),
    /** Whoever asks for what is free gets it, whoever waits. */
    LINE_IGNORED(
            "coordination/src/main/java/dev/latchkey/coordination/Turns.java",
            "fits(units + line.unitsOfOthersThan(session))",
            "fits(units)",
            ScenarioName.RWLOCK,
            "GRANT_ORDER"),
    /** The holder of a lock is taken to be alive without being probed. */
    DEATH_UNNOTICED(
            "coordination/src/main/java/dev/latchkey/coordination/Turns.java",
            "if (isDead.test(session)) {",
            "if (isDead.test(session) && session == 0) {",
            ScenarioName.RWLOCK,
            "HAND_OVER NO_HANG"),
    /** A lease is over for others before it is for its holder. */
    LEASE_CUT_SHORT(
            "coordination/src/main/java/dev/latchkey/coordination/Turns.java",
            "asker.leaseNanos == 0 ? 0 : now.hostNanos + asker.leaseNanos",
            "asker.leaseNanos == 0 ? 0 : now.hostNanos + asker.leaseNanos / 4",
            ScenarioName.RLOCK,
            "MUTUAL_EXCLUSION"),
    /** Whoever outlives a lease goes by what it remembers. */
    LEASE_OVERLOOKED(
            "coordination/src/main/java/dev/latchkey/coordination/Grant.java",
            "return leaseEndNanos != 0 && nowNanos - leaseEndNanos >= 0;",
            "return false;",
            ScenarioName.LOCK,
            "LEASE"),
    /** What is granted while its future is being cancelled is nobody's. */
    CANCELLED_GRANT_KEPT(
            "coordination/src/main/java/dev/latchkey/coordination/PendingGrant.java",
            "if (!future.complete(toHandle.apply(grant))) {",
            "if (!future.complete(toHandle.apply(grant)) && grant.token < 0) {",
            ScenarioName.SEMAPHORE,
            "HAND_OVER NO_HANG"),
    /** One permit more than there is is handed out. */
    ONE_PERMIT_TOO_MANY(
            "coordination/src/main/java/dev/latchkey/coordination/Turns.java",
            "return used() + units <= permits();",
            "return used() + units <= permits() + 1;",
            ScenarioName.SEMAPHORE,
            "OVERLAP MUTUAL_EXCLUSION"),
    /** Of several permits that are given back, one is not. */
    PERMIT_LEAKED(
            "coordination/src/main/java/dev/latchkey/coordination/Turns.java",
            "hold.get().withUnits(hold.get().units() - part.getValue())",
            "hold.get().withUnits(hold.get().units() - Math.max(1, part.getValue() - 1))",
            ScenarioName.SEMAPHORE,
            "HAND_OVER NO_HANG NO_RESIDUE"),
    /** Whoever wants several names takes the holders of each for dead. */
    HOLDERS_OF_SEVERAL_NOT_PROBED(
            "coordination/src/main/java/dev/latchkey/coordination/CohortSet.java",
            "Set<Long> dead = cohort.row.dead(seen);",
            "Set<Long> dead = new java.util.HashSet<>(); seen.holds().forEach(hold -> dead.add(hold.session()));",
            ScenarioName.MULTILOCK,
            "OVERLAP MUTUAL_EXCLUSION"),
    /** A signal reaches nobody. */
    SIGNAL_DROPPED(
            "coordination/src/main/java/dev/latchkey/coordination/Conditions.java",
            "next.set(i, entry.signal());",
            "",
            ScenarioName.CONDITION,
            "SIGNALS"),
    /** A signal dies with the waiter that got it. */
    SIGNAL_OF_THE_DEAD_DROPPED(
            "coordination/src/main/java/dev/latchkey/coordination/Conditions.java",
            "kept = kept.signal(entry.condition, false);",
            "",
            ScenarioName.CONDITION,
            "SIGNALS"),
    /** A signal to all reaches one. */
    SIGNAL_TO_ALL_REACHES_ONE(
            "coordination/src/main/java/dev/latchkey/coordination/Conditions.java",
            "if (!all) {",
            "if (!all || all) {",
            ScenarioName.CONDITION,
            "SIGNALS"),
    /** A transaction takes the write lock with its first write, and fails if it has read what another has changed. */
    BEGIN_WITHOUT_IMMEDIATE(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/Writer.java",
            "usable().update(Sql.BEGIN)",
            "usable().update(Sql.BEGIN_READ)",
            ScenarioName.COUNTERS,
            "NO_ERRORS"),
    /** A transaction of user code is rolled back, and its caller told that it was committed. */
    USER_TRANSACTION_NOT_COMMITTED(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/Writer.java",
            "            requireNotDoomed(tx);\n            commit();\n            return result;",
            "            requireNotDoomed(tx);\n            db.rollback();\n            return result;",
            ScenarioName.QUEUE,
            "RESULTS"),
    /** What a value took is still counted when a longer or shorter one has replaced it. */
    REPLACED_VALUE_COUNTED(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/Schema.java",
            "value + NEW.size - OLD.size WHERE",
            "value + NEW.size WHERE",
            ScenarioName.TRANSFERS,
            "INTEGRITY"),
    /** Whoever has read an item has it, whether or not somebody else was faster. */
    ITEM_TAKEN_BY_READING(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/SqliteCache.java",
            "if (remove(read.get().stored(), read.get().found().row(), deadline)) {",
            "if (remove(read.get().stored(), read.get().found().row(), deadline) || read.isPresent()) {",
            ScenarioName.DEQUE,
            "REPEATED PULLED_ONCE"),
    /** A deque that is full takes one more item. */
    CAPACITY_EXCEEDED(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/SqliteQueue.java",
            "bound.items() - (long) values.size()",
            "(long) bound.items()",
            ScenarioName.DEQUE,
            "CAPACITY"),
    /** A value of an index is computed from what another may be replacing. */
    COMPUTED_OUTSIDE_OF_A_TRANSACTION(
            "cache-core/src/main/java/dev/latchkey/cache/Index.java",
            "return cache.transact(() -> keep(key, function.apply(key, cache.get(key, type))));",
            "return keep(key, function.apply(key, cache.get(key, type)));",
            ScenarioName.INDEX,
            "REPEATED COUNTER_ORDER"),
    /** The file of an old value is removed before the row that names the new one is committed. */
    FILE_UNLINKED_BEFORE_COMMIT(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/Entries.java",
            "tx.afterCommit(() -> files.remove(filename));",
            "files.remove(filename);",
            ScenarioName.TRANSFERS,
            "CONSERVATION"),
    /** An engine that is closed leaves what it reads with open. */
    READERS_LEFT_OPEN(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/Engine.java",
            "closeQuietly(readers);",
            "",
            ScenarioName.STORM,
            "NO_RESIDUE"),
    /** Eviction goes on with pinned entries when nothing else is left. */
    PINNED_ENTRIES_EVICTED(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/Eviction.java",
            "Entries.PINNED_TIME, Entries.PINNED_COUNT,",
            "Double.MAX_VALUE, Long.MAX_VALUE,",
            ScenarioName.EVICTION,
            "REPEATED ENTRY_VALUES PULLED_ONCE COUNTER_ORDER"),
    /** Eviction goes on with the very entry that it makes room for. */
    OWN_WRITE_EVICTED(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/Eviction.java",
            "if (!spared.contains(candidate.rowid)) {",
            "{",
            ScenarioName.EVICTION,
            "NO_ERRORS"),
    /** A write evicts as many entries as it may, not as it needs. */
    MORE_EVICTED_THAN_NEEDED(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/Eviction.java",
            "if (excess <= 0 || evicted == most) {",
            "if (evicted == most) {",
            ScenarioName.EVICTION,
            "ENTRY_VALUES VOLUME"),
    /** A value has its final name before the transaction begins that writes its row, as in Python. */
    FILE_PUBLISHED_BEFORE_ITS_TRANSACTION(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/ValueFiles.java",
            "return new Written(name, size);",
            "publish(name); return new Written(name, size);",
            ScenarioName.PYTHON,
            "NO_ERRORS ENTRY_VALUES"),
    /** Whoever has read the first item of a queue takes it, even if another has removed it meanwhile. */
    PULLED_UNSEEN(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/SqliteCache.java",
            "if (remove(read.get().stored(), read.get().found().row(), deadline)) {",
            "if (remove(read.get().stored(), read.get().found().row(), deadline) || !read.isEmpty()) {",
            ScenarioName.EVICTION,
            "REPEATED PULLED_ONCE"),
    /** Whoever makes an object of a throttle finds all permits there. */
    THROTTLE_REFILLED_AT_START(
            "coordination/src/main/java/dev/latchkey/coordination/ThrottleState.java",
            "return row.exists() ? Decision.keep(row, false) : store(row, full(rate, now), true);",
            "return store(row, full(rate, now), true);",
            ScenarioName.THROTTLE,
            "ADMISSION_RATE"),
    /** A throttle goes by a clock that is stepped with the wall clock. */
    THROTTLE_BY_A_STEPPED_CLOCK(
            "coordination/src/main/java/dev/latchkey/coordination/ThrottleState.java",
            "return new Reading(clock.nanos(), clock.wallMillis(), clock.bootId());",
            """
            long stepped = 1_000_000 * (clock.wallMillis() - System.currentTimeMillis());
            return new Reading(clock.nanos() + stepped, clock.wallMillis(), clock.bootId());""",
            ScenarioName.THROTTLE,
            "ADMISSION_RATE THROUGHPUT NO_HANG"),
    /** A slot is given to whoever asks, and not stored. */
    SLOT_NOT_STORED(
            "coordination/src/main/java/dev/latchkey/coordination/ThrottleState.java",
            "return granted ? store(row, state, answers) : Decision.keep(row, answers);",
            "return Decision.keep(row, answers);",
            ScenarioName.THROTTLE,
            "ADMISSION_RATE"),
    /** Whoever has a slot does not wait for its time. */
    SLOT_NOT_AWAITED(
            "coordination/src/main/java/dev/latchkey/coordination/ThrottleLine.java",
            "new Turn(slot <= now ? Step.RETURN : Step.SLEEP, slot)",
            "new Turn(Step.RETURN, slot)",
            ScenarioName.THROTTLE,
            "ADMISSION_RATE"),
    /** A permit uses up what two would. */
    PERMIT_COSTS_DOUBLE(
            "coordination/src/main/java/dev/latchkey/coordination/ThrottleState.java",
            "long cost = permits * rate.intervalNanos();",
            "long cost = 2 * permits * rate.intervalNanos();",
            ScenarioName.THROTTLE,
            "THROUGHPUT"),
    /** A barrier lets its parties through when one is still to come. */
    ONE_PARTY_SHORT(
            "coordination/src/main/java/dev/latchkey/coordination/BarrierState.java",
            "int index = state.parties - 1 - state.pending().size();",
            "int index = state.parties - 2 - state.pending().size();",
            ScenarioName.BARRIER,
            "BARRIER"),
    /** Whoever waits at a barrier, or runs its action, is taken to be alive without being probed: the others wait with the dead. */
    DEAD_PARTY_WAITED_WITH(
            "coordination/src/main/java/dev/latchkey/coordination/BarrierState.java",
            "sessions().stream().filter(isDead::test)",
            "sessions().stream().filter(session -> session == 0)",
            ScenarioName.BARRIER,
            "BARRIER NO_HANG NO_RESIDUE"),
    /** A generation passes without its action. */
    ACTION_LEFT_OUT(
            "coordination/src/main/java/dev/latchkey/coordination/CyclicBarrier.java",
            "Objects.requireNonNull(action, \"action\").run();",
            "",
            ScenarioName.BARRIER,
            "BARRIER"),
    /** Whoever finds no result computes it. */
    EVERYBODY_COMPUTES(
            "coordination/src/main/java/dev/latchkey/coordination/MemoizeStampede.java",
            "if (!singleFlight || engine.states().inTransaction()) {",
            "if (singleFlight || engine.states().inTransaction()) {",
            ScenarioName.MEMOIZE,
            "SINGLE_FLIGHT"),
    /** What was invalidated while it was computed is stored. */
    INVALIDATED_RESULT_STORED(
            "coordination/src/main/java/dev/latchkey/coordination/MemoizeStampede.java",
            "if (flights.land(key, takeoff.session, takeoff.grant)) {",
            "if (flights.land(key, takeoff.session, takeoff.grant) || key != null) {",
            ScenarioName.MEMOIZE,
            "SINGLE_FLIGHT"),
    /** A participant that counts again is counted again. */
    RETRY_COUNTED(
            "coordination/src/main/java/dev/latchkey/coordination/LatchState.java",
            "state.count > 0 && (participant == null || !state.counted.contains(participant));",
            "state.count > 0;",
            ScenarioName.LATCH,
            "LATCH"),
    /** A latch opens when it has to be counted down once more. */
    LATCH_OPENS_EARLY(
            "coordination/src/main/java/dev/latchkey/coordination/LatchState.java",
            "if (count == 1) {",
            "if (count <= 2) {",
            ScenarioName.LATCH,
            "LATCH"),
    /** A leader that resigns is followed before its task has ended. */
    FOLLOWED_BEFORE_THE_TASK_HAS_ENDED(
            "coordination/src/main/java/dev/latchkey/coordination/LeaderElection.java",
            "elected().toList().forEach(this::call);",
            "elected().toList().forEach(candidate -> { call(candidate); leadership(candidate).close(); });",
            ScenarioName.LEADER,
            "OVERLAP MUTUAL_EXCLUSION NO_ERRORS"),
    /** What is kept for a full disk goes when the log has been written back, not before. */
    BALLAST_KEPT_UNTIL_WRITTEN_BACK(
            "cache-core/src/main/java/dev/latchkey/cache/sqlite/Checkpointer.java",
            "            ballast.giveUp(0);\n            return restartOnce();",
            "            long left = restartOnce();\n            ballast.giveUp(0);\n            return left;",
            ScenarioName.DISK,
            "FULL_DISK");

    /** The promises that no later event and nothing that is left can mend: once broken, a run need not go on. */
    static final Set<String> EARLY = Set.of(
            "MUTUAL_EXCLUSION",
            "TOKEN_ORDER",
            "LEASE",
            "SIGNALS",
            "ADMISSION_RATE",
            "BARRIER",
            "LATCH",
            "SINGLE_FLIGHT",
            "FULL_DISK");

    private final String source;
    private final String piece;
    private final String replacement;
    private final ScenarioName scenario;
    /** Words, because a constant must not hold a collection. */
    private final String promises;

    BrokenRule(String source, String piece, String replacement, ScenarioName scenario, String promises) {
        this.source = source;
        this.piece = piece;
        this.replacement = replacement;
        this.scenario = scenario;
        this.promises = promises;
    }

    /** The file of source, from the root of the project. */
    String source() {
        return source;
    }

    /** The scenario that must notice it. */
    ScenarioName scenario() {
        return scenario;
    }

    /** What the referee or a checker must say then; either is enough. */
    Set<String> promises() {
        return Set.of(promises.split(" ", -1));
    }

    /**
     * Whether it shows best if nobody is killed: a death has every waiter look at the row again and excuses a lost signal, and a
     * process that has just started is not yet expected to come when it is called.
     */
    boolean needsQuiet() {
        return this == NO_REREAD_AFTER_WAKE
                || this == LAST_COME_FIRST_SERVED
                || this == LINE_IGNORED
                || this == SIGNAL_DROPPED
                || this == SIGNAL_TO_ALL_REACHES_ONE
                || this == PERMIT_COSTS_DOUBLE
                || this == INVALIDATED_RESULT_STORED;
    }

    /** Whether it may show only when the directory has been drained. */
    boolean needsDrain() {
        return !Collections.disjoint(
                promises(), Set.of("NO_HANG", "NO_RESIDUE", "VOLUME", "PULLED_ONCE", "QUEUE_DELIVERY"));
    }

    /** How long a run may take for it to show: it ends as soon as the referee sees it, but checkers judge only at its end. */
    int seconds() {
        if (promises().contains("OVERLAP")) {
            return 40;
        }
        return switch (this) {
            case NO_REREAD_AFTER_WAKE -> 4;
            case SIGNAL_OF_THE_DEAD_DROPPED -> 25;
            case THROTTLE_BY_A_STEPPED_CLOCK, DEAD_PARTY_WAITED_WITH -> 10;
            case LEASE_CUT_SHORT -> 40;
            default ->
                switch (scenario) {
                    case LOCK, RLOCK, RWLOCK, SEMAPHORE -> 10;
                    case CONDITION -> 15;
                    case EVICTION, PYTHON, DEQUE -> 8;
                    case DISK -> 35;
                    default -> 4;
                };
        };
    }

    /** The source with the rule broken. */
    String applyTo(String text) {
        if (text.indexOf(piece) < 0 || text.indexOf(piece) != text.lastIndexOf(piece)) {
            throw new IllegalStateException(
                    "the rule " + word() + " cannot be broken: '" + piece + "' must be once in " + source);
        }
        return text.replace(piece, replacement);
    }

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static BrokenRule of(String word) {
        return Arrays.stream(values())
                .filter(rule -> rule.word().equals(word))
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("there is no rule '" + word + "'; there are " + words()));
    }

    static String words() {
        return Arrays.stream(values()).map(BrokenRule::word).collect(Collectors.joining(" "));
    }
}
