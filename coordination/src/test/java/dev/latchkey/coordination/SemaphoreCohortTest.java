package dev.latchkey.coordination;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.coordination.MemoryEngine.Disk;
import dev.latchkey.coordination.MemoryEngine.Trouble;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** The threads of one process that share three permits, see {@link CohortTest}: they wait, give up and release in parts. */
@Order(1) // model checking takes several times as long in a JVM that has loaded many classes
class SemaphoreCohortTest {
    private static final Duration SOON = Duration.ofNanos(50_000);
    private static final Duration FOREVER = Duration.ofSeconds(5);

    /** One process with one semaphore. */
    public static class Shared {
        private final MemoryEngine engine = new MemoryEngine(new Disk(), true);
        private final Cohort cohort = new Cohort(engine, Kind.SEMAPHORE, "s", Cohorts.of(engine));
        private final Purse purse = new Purse();
        private final AtomicLong inside = new AtomicLong();

        public Shared() {
            cohort.keeper.resize(3, Deadline.never());
        }

        private @Nullable Grant await(long units, Duration time) throws InterruptedException {
            Deadline deadline = Deadline.after(time);
            Grant grant = cohort.acquire(Want.ofHandle(units, 0), deadline.interruptibly());
            if (time.equals(FOREVER) && (grant == null || deadline.hasPassed())) {
                throw new IllegalStateException("waited in vain");
            }
            return grant;
        }

        private void use(@Nullable Grant grant) {
            if (grant == null) {
                return;
            }
            long units = grant.units();
            long sum = inside.addAndGet(units);
            if (sum > 3) {
                throw new IllegalStateException(sum + " of 3 permits are in use");
            }
            purse.put(grant);
            for (long i = 0; i < units; i++) { // perhaps of the grant of another thread
                inside.decrementAndGet();
                if (cohort.release(purse.take(1, cohort.local::isHeld, "s").parts()) != null) {
                    throw new IllegalStateException("was not held");
                }
            }
        }

        @Operation
        public void takeOne() throws InterruptedException {
            use(await(1, FOREVER));
        }

        @Operation
        public void takeTwo() throws InterruptedException {
            use(await(2, FOREVER));
        }

        @Operation
        public void takeAll() throws InterruptedException {
            use(await(3, FOREVER));
        }

        @Operation
        public void tryTwo() {
            use(cohort.tryAcquire(Want.ofHandle(2, 0)));
        }

        @Operation
        public void drain() {
            use(cohort.tryAcquire(Want.ofHandle(0, 0)));
        }

        @Operation
        public void giveUpSoon() throws InterruptedException {
            use(await(2, SOON));
        }

        @Operation
        public void giveUpInterrupted() {
            engine.in(Trouble.INTERRUPT);
            try {
                use(await(2, FOREVER));
            } catch (InterruptedException e) {
                // given up
            } finally {
                engine.outOfTrouble();
            }
        }

        @Operation
        public void tryAndFail() {
            engine.in(Trouble.ERROR_AFTER_COMMIT);
            try {
                use(cohort.tryAcquire(Want.ofHandle(1, 0)));
            } catch (CacheException e) {
                // what came of it, nobody knows
            } finally {
                engine.outOfTrouble();
            }
        }

        @Operation
        public void releaseWhileBusy() throws InterruptedException {
            releaseIn(Trouble.BUSY);
        }

        @Operation
        public void releaseAndFail() throws InterruptedException {
            releaseIn(Trouble.ERROR_AFTER_COMMIT);
        }

        private void releaseIn(Trouble trouble) throws InterruptedException {
            Grant grant = await(2, FOREVER);
            engine.in(trouble);
            use(grant);
            engine.outOfTrouble();
        }

        @Operation(nonParallelGroup = "keeper")
        public void keepHouse() {
            engine.runScheduled();
        }

        @Validate
        public void allIsFree() {
            engine.runAllScheduled();
            Turns row = cohort.row.readOrRefuse(Deadline.never());
            if (cohort.local.held().findAny().isPresent()
                    || row.isHeld()
                    || !row.line().isEmpty()) {
                throw new IllegalStateException("left behind: " + row + ", held here: "
                        + cohort.local.held().count());
            }
            if (cohort.tryAcquire(Want.ofHandle(3, 0)) == null) {
                throw new IllegalStateException("not to be had: " + row);
            }
        }
    }

    /** Who comes when is not told. */
    public static class Nothing {
        public void takeOne() {}

        public void takeTwo() {}

        public void takeAll() {}

        public void tryTwo() {}

        public void drain() {}

        public void giveUpSoon() {}

        public void giveUpInterrupted() {}

        public void tryAndFail() {}

        public void releaseWhileBusy() {}

        public void releaseAndFail() {}

        public void keepHouse() {}
    }

    @Test
    void noPermitIsLostOrGrantedTwiceAndNobodyForgotten() {
        new StressOptions()
                .threads(4)
                .actorsPerThread(3)
                .actorsBefore(0)
                .actorsAfter(0)
                .minimizeFailedScenario(false)
                .iterations(20)
                .invocationsPerIteration(300)
                .sequentialSpecification(Nothing.class)
                .check(Shared.class);
    }
}
