package dev.latchkey.stress;

import dev.latchkey.stress.Schedule.Step;
import dev.latchkey.stress.check.AdmissionRate;
import dev.latchkey.stress.check.Capacity;
import dev.latchkey.stress.check.Checker;
import dev.latchkey.stress.check.Conservation;
import dev.latchkey.stress.check.CounterOrder;
import dev.latchkey.stress.check.EntryValues;
import dev.latchkey.stress.check.FullDisk;
import dev.latchkey.stress.check.Generations;
import dev.latchkey.stress.check.GrantOrder;
import dev.latchkey.stress.check.HandOver;
import dev.latchkey.stress.check.Integrity;
import dev.latchkey.stress.check.LatchRounds;
import dev.latchkey.stress.check.Leases;
import dev.latchkey.stress.check.MutualExclusion;
import dev.latchkey.stress.check.NoErrors;
import dev.latchkey.stress.check.NoHang;
import dev.latchkey.stress.check.NoResidue;
import dev.latchkey.stress.check.PulledOnce;
import dev.latchkey.stress.check.QueueDelivery;
import dev.latchkey.stress.check.Results;
import dev.latchkey.stress.check.Signals;
import dev.latchkey.stress.check.SingleFlight;
import dev.latchkey.stress.check.Throughput;
import dev.latchkey.stress.check.TokenOrder;
import dev.latchkey.stress.check.Volume;
import dev.latchkey.stress.worker.DequeScenario;
import dev.latchkey.stress.worker.EvictionScenario;
import dev.latchkey.stress.worker.LatchScenario;
import dev.latchkey.stress.worker.ThrottleScenario;
import dev.latchkey.stress.worker.TransferScenario;
import dev.latchkey.testing.Requirements;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** The scenarios, and what must be true of each besides what must be true of all. */
enum ScenarioName {
    LOCK(true, false),
    RLOCK(true, false),
    RWLOCK(true, false),
    SEMAPHORE(true, false),
    MULTILOCK(true, false),
    CONDITION(true, false),
    QUEUE(true, false),
    COUNTERS(false, false),
    TRANSFERS(false, true),
    STORM(true, false),
    EVICTION(true, true),
    PYTHON(true, true),
    THROTTLE(true, false),
    BARRIER(true, false),
    MEMOIZE(true, false),
    LATCH(true, false),
    LEADER(true, false),
    DEQUE(true, false),
    INDEX(false, false),
    DISK(true, true);

    /** It writes two accounts; every thread of a killed process may have been at one. */
    private static final int FILES_PER_TRANSFER = 2;

    /** The one that is written, and the one that was replaced. */
    private static final int FILES_PER_WRITE = 2;

    /** What closing writes after the last eviction. */
    private static final long OVERHEAD_BYTES = 256 << 10;

    /** The log starts again at 16 MiB, but not while a process is stopped that reads from it; nor do others stop committing. */
    private static final long MOST_LOG_BYTES = 64 << 20;

    /** Of its rate, what a throttle without a burst must come to. */
    private static final double SHARE = 0.9;

    /** The same while processes are killed, and start: then all others wait for the processors. */
    private static final double DISTURBED_SHARE = 0.4;

    private final boolean holding;
    private final boolean prepared;

    ScenarioName(boolean holding, boolean prepared) {
        this.holding = holding;
        this.prepared = prepared;
    }

    /**
     * A step of the nemesis as it suits the scenario: who can be called by a signal is mostly killed then; and where the oldest entry
     * is evicted first, or processes of Python look at the real clock, that of the others is not stepped.
     */
    Step suited(Step all) {
        Step step = this == EVICTION || this == PYTHON ? all.withoutClock() : this == DISK ? all.withDisk() : all;
        return !holding ? step.withoutHolding() : hasCalls() ? step.waiting() : step;
    }

    /** Whether its workers say who was called by a signal, so that he can be killed when he waits for the lock again. */
    boolean hasCalls() {
        return this == CONDITION;
    }

    /** Whether something must be there before the first worker starts. */
    boolean isPrepared() {
        return prepared;
    }

    /** What judges a run; one that was broken off has left things behind. */
    List<Checker> checkers(Options options, boolean whole) {
        List<Checker> checkers = new ArrayList<>(List.of(
                new MutualExclusion(),
                new TokenOrder(),
                new GrantOrder(),
                new HandOver(),
                new Leases(),
                new CounterOrder(),
                new QueueDelivery(whole),
                new NoErrors(),
                new FullDisk(),
                new NoHang(),
                new Integrity()));
        if (this == QUEUE) {
            checkers.add(new Results());
        }
        if (this == CONDITION) {
            checkers.add(new Signals());
        }
        if (this == TRANSFERS) {
            checkers.add(new Conservation(TransferScenario.SUM));
        }
        if (this == THROTTLE) {
            checkers.add(new AdmissionRate(ThrottleScenario.RATES));
            checkers.add(new Throughput(
                    ThrottleScenario.WAITED_FOR, options.quiet() ? SHARE : DISTURBED_SHARE, Duration.ofSeconds(1)));
        }
        if (this == BARRIER) {
            checkers.add(new Generations());
        }
        if (this == MEMOIZE) {
            checkers.add(new SingleFlight());
        }
        if (this == LATCH) {
            checkers.add(new LatchRounds(LatchScenario.COUNT));
        }
        if (this == EVICTION || this == PYTHON || this == DISK) {
            checkers.add(new EntryValues(this == EVICTION ? EvictionScenario.LIMIT : Long.MAX_VALUE));
        }
        if (this == EVICTION || this == PYTHON || this == DEQUE || this == DISK) {
            checkers.add(new PulledOnce(whole));
        }
        if (this == DEQUE) {
            checkers.add(new Capacity(PulledOnce.IN_ORDER, DequeScenario.CAPACITY));
        }
        if (this == EVICTION && whole) {
            checkers.add(new Volume(EvictionScenario.LIMIT, OVERHEAD_BYTES));
        }
        if (whole) {
            checkers.add(new NoResidue(0, filesPerThread() * options.threads(), true, MOST_LOG_BYTES));
        }
        return checkers;
    }

    /** How many value files without a row a thread may leave behind that is killed: those it writes and is about to remove. */
    private int filesPerThread() {
        return switch (this) {
            case TRANSFERS -> FILES_PER_TRANSFER;
            case EVICTION -> FILES_PER_WRITE + EvictionScenario.CULL_LIMIT;
            case PYTHON, DEQUE, DISK -> FILES_PER_WRITE;
            default -> 0;
        };
    }

    /** How many processes of Python there are beside the JVMs. */
    int pythons() {
        return this == PYTHON ? 2 : 0;
    }

    /** How large the disk is that the directory has for itself, and that is full from time to time; 0 if it has none. */
    int diskMebibytes() {
        return this == DISK ? 96 : 0;
    }

    /** What it needs and is not here; where nothing may be missing, it fails. */
    Optional<String> missing() {
        if (pythons() > 0 && Requirements.pythonIfAny().isEmpty()) {
            return Optional.of("a python3 with the module diskcache");
        }
        return diskMebibytes() > 0 && !Requirements.smallVolumesIfAny()
                ? Optional.of("the right to mount a tmpfs")
                : Optional.empty();
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static ScenarioName of(String word) {
        return Arrays.stream(values())
                .filter(name -> name.word().equals(word))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException("there is no scenario '" + word + "'; there are " + words()));
    }

    static String words() {
        return Arrays.stream(values()).map(ScenarioName::word).collect(Collectors.joining(" "));
    }
}
