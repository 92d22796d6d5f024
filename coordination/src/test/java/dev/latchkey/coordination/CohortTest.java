package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.coordination.MemoryEngine.Disk;
import dev.latchkey.coordination.MemoryEngine.Own;
import dev.latchkey.coordination.MemoryEngine.Tasks;
import dev.latchkey.coordination.MemoryEngine.Trouble;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/*
 * Lincheck runs small random scenarios of the annotated operations and compares their results with those of some sequential
 * order. By model checking it runs each scenario in many interleavings, which it chooses itself, switch by switch; there a
 * park may end at any time, so that it cannot see a lost wake-up. By stress it runs them on real threads, which hang then.
 */
/** The queue of threads in one process, in interleavings that no clock decides. */
@Order(1) // model checking takes several times as long in a JVM that has loaded many classes
class CohortTest {
    private static final Duration SOON = Duration.ofNanos(50_000);
    /** Longer than any scenario takes: who waits as long has been forgotten. */
    private static final Duration FOREVER = Duration.ofSeconds(5);

    /** Not the code under test: no other thread runs inside a call of one of these. */
    private static final String[] ATOMIC = {
        Disk.class.getName(),
        Tasks.class.getName(),
        Own.class.getName(),
        "java.util.concurrent.ConcurrentHashMap",
        "java.util.concurrent.ConcurrentHashMap$KeySetView"
    };

    /** Seen by one thread at a time, or never changed. */
    private static final String[] CONFINED = {
        Turns.class.getName(), Line.class.getName(), MapMaker.class.getName(), ArrayDeque.class.getName()
    };

    private static ModelCheckingOptions modelChecking(int threads, int operations) {
        return new ModelCheckingOptions()
                .threads(threads)
                .actorsPerThread(operations)
                .actorsBefore(0)
                .actorsAfter(0)
                .minimizeFailedScenario(false)
                .addGuarantee(ManagedStrategyGuaranteeKt.forClasses(ATOMIC)
                        .allMethods()
                        .treatAsAtomic())
                .addGuarantee(ManagedStrategyGuaranteeKt.forClasses(CONFINED)
                        .allMethods()
                        .ignore());
    }

    private static StressOptions stress(int threads, int operations) {
        return new StressOptions()
                .threads(threads)
                .actorsPerThread(operations)
                .actorsBefore(0)
                .actorsAfter(0)
                .minimizeFailedScenario(false);
    }

    /** One process with one lock. */
    abstract static class Member {
        final MemoryEngine engine;
        final Cohort cohort;

        Member(boolean slow) {
            engine = new MemoryEngine(new Disk(), slow);
            cohort = new Cohort(engine, Kind.LOCK, "a", Cohorts.of(engine));
        }

        /** When all is over, the lock is free, nobody stands in line, and the next may have it. */
        final void requireIdle() {
            engine.runAllScheduled();
            Turns row = cohort.row.readOrRefuse(Deadline.never());
            if (cohort.local.held().findAny().isPresent()
                    || row.isHeld()
                    || !row.line().isEmpty()) {
                throw new IllegalStateException("left behind: " + row + ", held here: "
                        + cohort.local.held().count());
            }
            requireAvailable();
        }

        final void requireAvailable() {
            Grant grant = cohort.tryAcquire(Want.ofHandle(1, 0));
            if (grant == null || !cohort.release(grant)) {
                throw new IllegalStateException("not to be had: " + cohort.row.readOrRefuse(Deadline.never()));
            }
        }
    }

    // Tried and released

    public static class Tried extends Member {
        private final Grant[] held = new Grant[4];

        public Tried() {
            super(false);
        }

        /** The token, or 0. */
        @Operation
        public long tryAcquire(@Param(gen = ThreadIdGen.class) int thread) {
            Grant grant = cohort.tryAcquire(Want.ofHandle(1, 0));
            if (grant == null) {
                return 0;
            }
            held[thread] = grant;
            return grant.token;
        }

        @Operation
        public boolean release(@Param(gen = ThreadIdGen.class) int thread) {
            Grant grant = held[thread];
            held[thread] = null;
            return grant != null && cohort.release(grant);
        }
    }

    /** What a lock is. */
    public static class SequentialLock {
        private int holder;
        private long token;

        public long tryAcquire(int thread) {
            if (holder != 0) {
                return 0;
            }
            holder = thread;
            return ++token;
        }

        public boolean release(int thread) {
            if (holder != thread) {
                return false;
            }
            holder = 0;
            return true;
        }
    }

    @Test
    void triesAndReleasesAreThoseOfALock() {
        modelChecking(2, 3)
                .iterations(10)
                .invocationsPerIteration(50)
                .sequentialSpecification(SequentialLock.class)
                .check(Tried.class);
    }

    // Waited for

    /** Counts under the lock, and looks whether it is alone. */
    abstract static class Counted extends Member {
        private int count;
        private int inside;
        private long lastToken;

        Counted() {
            super(true);
        }

        /** Without a wake-up the grant is found when the time is over, if at all. */
        final Grant await(Deadline deadline) throws InterruptedException {
            Grant grant = cohort.acquire(Want.ofThread(1, 0), deadline);
            if (grant == null || deadline.hasPassed()) {
                throw new IllegalStateException("waited in vain");
            }
            return grant;
        }

        final int count() throws InterruptedException {
            Grant grant = await(Deadline.after(FOREVER));
            int counted = count++;
            leave(grant);
            return counted;
        }

        /** Checks and releases what was granted, if anything was. */
        final void leave(@Nullable Grant grant) {
            if (grant == null) {
                return;
            }
            int others = inside++;
            if (others != 0 || grant.token <= lastToken) {
                throw new IllegalStateException(others + " others, token " + grant.token + " after " + lastToken);
            }
            lastToken = grant.token;
            inside--;
            if (!cohort.release(grant)) {
                throw new IllegalStateException("token " + grant.token + " was not held");
            }
        }
    }

    /** Gives up waiting in all ways. */
    public static class GivenUp extends Counted {
        @Operation
        public int increment() throws InterruptedException {
            return count();
        }

        @Operation
        public void tryOnce() {
            leave(cohort.tryAcquire(Want.ofThread(1, 0)));
        }

        @Operation
        public void giveUpAtOnce() throws InterruptedException {
            leave(cohort.acquire(Want.ofThread(1, 0), Deadline.after(Duration.ZERO)));
        }

        @Operation
        public void giveUpSoon() throws InterruptedException {
            leave(cohort.acquire(Want.ofThread(1, 0), Deadline.after(SOON)));
        }

        @Operation
        public void giveUpInterrupted() {
            engine.in(Trouble.INTERRUPT);
            try {
                leave(await(Deadline.after(FOREVER).interruptibly()));
            } catch (InterruptedException e) {
                // given up
            } finally {
                engine.outOfTrouble();
            }
        }

        @Validate
        public void nothingIsLeft() {
            requireIdle();
        }
    }

    /** What all of this is to one who only sees the results: a counter. */
    public static class Counter {
        private int count;

        public int increment() {
            return count++;
        }

        public void tryOnce() {}

        public void giveUpAtOnce() {}

        public void giveUpSoon() {}

        public void giveUpInterrupted() {}

        public void tryWhileBusy() {}

        public void tryAndFail() {}

        public void releaseAndFail() {}

        public void keepHouse() {}
    }

    @Test
    void noGrantIsLostOrDoubledAndNobodyForgottenWhenWaitersGiveUp() {
        stress(4, 3)
                .iterations(20)
                .invocationsPerIteration(500)
                .sequentialSpecification(Counter.class)
                .check(GivenUp.class);
    }

    // Badly served by the database

    public static class Troubled extends Counted {
        @Operation
        public int increment() throws InterruptedException {
            return count();
        }

        @Operation
        public void tryWhileBusy() {
            engine.in(Trouble.BUSY);
            tryOnce();
        }

        @Operation
        public void tryAndFail() {
            engine.in(Trouble.ERROR_AFTER_COMMIT);
            tryOnce();
        }

        private void tryOnce() {
            try {
                leave(cohort.tryAcquire(Want.ofThread(1, 0)));
            } catch (CacheException e) {
                // what came of it, nobody knows
            } finally {
                engine.outOfTrouble();
            }
        }

        @Operation
        public void releaseAndFail() throws InterruptedException {
            Grant grant = await(Deadline.after(FOREVER));
            engine.in(Trouble.ERROR_AFTER_COMMIT);
            leave(grant);
            engine.outOfTrouble();
        }

        @Operation(nonParallelGroup = "keeper")
        public void keepHouse() {
            engine.runScheduled();
        }

        @Validate
        public void nothingIsLeft() {
            requireIdle();
        }
    }

    @Test
    void noGrantIsLostOrDoubledAndNobodyForgottenWhenWritesFail() {
        stress(4, 3)
                .iterations(10)
                .invocationsPerIteration(300)
                .sequentialSpecification(Counter.class)
                .check(Troubled.class);
    }

    // Lost

    /** What is granted is kept, perhaps for good. */
    abstract static class Kept extends Member {
        private final AtomicReferenceArray<Grant> held = new AtomicReferenceArray<>(5);

        Kept(boolean slow) {
            super(slow);
        }

        final void keep(int thread, @Nullable Grant grant) {
            if (grant == null) {
                return;
            }
            for (int i = 0; i < held.length(); i++) {
                Grant other = i == thread ? null : held.get(i);
                if (other != null && !other.session.isLost() && !grant.session.isLost()) {
                    throw new IllegalStateException("tokens " + other.token + " and " + grant.token + " are both held");
                }
            }
            held.set(thread, grant);
        }

        final void giveBack(int thread) {
            Grant grant = held.getAndSet(thread, null);
            if (grant != null) {
                cohort.release(grant);
            }
        }

        /** Whatever was held, it is gone with its session. */
        final void requireNothingKept() {
            engine.loseSession();
            engine.runAllScheduled();
            requireAvailable();
        }
    }

    public static class Lost extends Kept {
        public Lost() {
            super(true);
        }

        @Operation
        public void take(@Param(gen = ThreadIdGen.class) int thread) throws InterruptedException {
            keep(thread, cohort.acquire(Want.ofHandle(1, 0), Deadline.after(SOON)));
        }

        @Operation
        public void release(@Param(gen = ThreadIdGen.class) int thread) {
            giveBack(thread);
        }

        @Operation(nonParallelGroup = "keeper")
        public void loseSession() {
            engine.loseSession();
        }

        @Validate
        public void nothingIsHeld() {
            requireNothingKept();
        }
    }

    public static class LostAtOnce extends Kept {
        public LostAtOnce() {
            super(false);
        }

        @Operation(nonParallelGroup = "taker")
        public void take() {
            keep(0, cohort.tryAcquire(Want.ofHandle(1, 0)));
        }

        @Operation(nonParallelGroup = "keeper")
        public void loseSession() {
            engine.loseSession();
        }

        @Validate
        public void nothingIsHeld() {
            requireNothingKept();
        }
    }

    /** Of a lock that is lost now and then nothing can be told. */
    public static class Nothing {
        public void take(int thread) {}

        public void take() {}

        public void release(int thread) {}

        public void loseSession() {}

        public void pass() {}

        public void close() {}
    }

    @Test
    void whatASessionHeldIsGoneWithIt() {
        stress(3, 3)
                .iterations(10)
                .invocationsPerIteration(300)
                .sequentialSpecification(Nothing.class)
                .check(Lost.class);
    }

    @Test
    void aGrantIsGoneWithItsSessionIfItIsLostBeforeAnybodyKnows() {
        modelChecking(2, 1)
                .iterations(1)
                .invocationsPerIteration(100)
                .sequentialSpecification(Nothing.class)
                .check(LostAtOnce.class);
    }

    // Closed

    public static class Closed extends Member {
        public Closed() {
            super(true);
        }

        @Operation
        public void take(@Param(gen = ThreadIdGen.class) int thread) throws InterruptedException {
            try {
                cohort.acquire(Want.ofHandle(1, 0), Deadline.after(SOON));
            } catch (CacheClosedException e) {
                // turned away
            }
        }

        @Operation
        public void pass() throws InterruptedException {
            try {
                Grant grant = cohort.acquire(Want.ofHandle(1, 0), Deadline.after(SOON));
                if (grant != null) {
                    cohort.release(grant);
                }
            } catch (CacheClosedException e) {
                // turned away
            }
        }

        @Operation(runOnce = true)
        public void close() throws Exception {
            engine.close();
        }

        @Validate
        public void nothingIsHeld() {
            if (engine.isClosed() && cohort.local.held().findAny().isPresent()) {
                throw new IllegalStateException("held after the close");
            }
        }
    }

    @Test
    void nothingIsHeldAfterTheEngineIsClosed() {
        stress(3, 2)
                .iterations(10)
                .invocationsPerIteration(300)
                .sequentialSpecification(Nothing.class)
                .check(Closed.class);
    }
}
