package dev.latchkey.stress.worker;

import dev.latchkey.cache.Cache;
import java.nio.file.Path;
import java.util.Random;

/** What worker processes do again and again. Every step is written to the history, and reported to the referee where it can judge. */
interface Scenario {
    /** Opens the cache of a thread. */
    default Cache open(Path directory, Random random) {
        return Cache.open(directory);
    }

    /** What must be there before the first worker starts; by one process alone. */
    default void prepare(Actor actor) {}

    /** One piece of work of one thread. */
    void step(Actor actor) throws InterruptedException;

    /** What the last process does when all others have gone: afterwards nothing is to be left. */
    void drain(Actor actor) throws InterruptedException;

    /** After how many steps a thread closes its cache and opens it again. */
    default int shift(Random random) {
        return 20 + random.nextInt(200);
    }

    /** Whether the threads of a process wait for each other between closing and opening, so that its engine really closes. */
    default boolean shiftsTogether(Random random) {
        return true;
    }

    /** The scenario of a name; as the command line has it. */
    static Scenario of(String name) {
        return switch (name) {
            case "lock" -> new LockScenario(false);
            case "rlock" -> new LockScenario(true);
            case "rwlock" -> new ReadWriteScenario();
            case "semaphore" -> new SemaphoreScenario();
            case "multilock" -> new MultiLockScenario();
            case "condition" -> new ConditionScenario();
            case "queue" -> new QueueScenario(true);
            case "counters" -> new CounterScenario();
            case "transfers" -> new TransferScenario();
            case "storm" -> new StormScenario();
            case "eviction" -> new EvictionScenario();
            case "python" -> new PythonScenario();
            case "throttle" -> new ThrottleScenario();
            case "barrier" -> new BarrierScenario();
            case "memoize" -> new MemoizeScenario();
            case "latch" -> new LatchScenario();
            case "leader" -> new LeaderScenario();
            case "deque" -> new DequeScenario();
            case "index" -> new IndexScenario();
            case "disk" -> new DiskScenario();
            default -> throw new IllegalArgumentException("there is no scenario '" + name + "'");
        };
    }
}
