package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Each gate stands for a process; the clock stands still unless a test moves it, so that nobody is passed over by chance. */
class GateTest {
    private static final int FIRST = 1 << 14;
    private static final int NEXT = FIRST;
    private static final int SERVED = FIRST + 1;
    private static final int SIGN = FIRST + 2;
    private static final Deadline NEVER = Deadline.never();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final AtomicLong clock = new AtomicLong(TimeUnit.HOURS.toNanos(5));
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Hints> mapped = new ArrayList<>();
    private Path file;
    private Hints hints;

    @BeforeEach
    void create() throws IOException {
        file = directory.resolve("hints");
        Hints.create(file);
        hints = map();
    }

    @AfterEach
    void close() throws InterruptedException {
        clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
        threads.shutdown();
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS), "somebody waits for ever");
        mapped.forEach(Hints::close);
    }

    private Hints map() throws IOException {
        Hints one = new Hints(file);
        mapped.add(one);
        return one;
    }

    private Gate gate() throws IOException {
        return new Gate(map(), FIRST, clock::get);
    }

    private Future<?> enterAndWait(Gate gate, Deadline deadline) throws InterruptedException {
        int drawn = hints.read(NEXT);
        Future<?> entering = threads.submit(() -> gate.enter(deadline));
        while (hints.read(place(drawn)) != waiting(drawn) && !entering.isDone()) {
            Thread.sleep(1);
        }
        return entering;
    }

    private static int place(int ticket) {
        return FIRST + 64 + ticket % 64;
    }

    private static int waiting(int ticket) {
        return ticket << 1 | 1;
    }

    private static void assertReturns(Future<?> entering) throws Exception {
        entering.get(10, TimeUnit.SECONDS);
    }

    private static void assertWaits(Future<?> entering) {
        assertThrows(TimeoutException.class, () -> entering.get(30, TimeUnit.MILLISECONDS));
    }

    private void pass(long micros) {
        clock.addAndGet(TimeUnit.MICROSECONDS.toNanos(micros));
    }

    /** Enters for the second time shortly after the first. */
    private void hasten(Gate gate) {
        gate.enter(NEVER);
        gate.leave();
        pass(10);
        gate.enter(NEVER);
    }

    @Test
    void turnsAreGivenInOrderOfArrival() throws Exception {
        Gate a = gate();
        Gate b = gate();
        Gate c = gate();
        a.enter(NEVER);
        Future<?> second = enterAndWait(b, NEVER);
        Future<?> third = enterAndWait(c, NEVER);
        assertWaits(second);
        a.leave();
        assertReturns(second);
        assertWaits(third);
        b.leave();
        assertReturns(third);
    }

    @Test
    void whoWritesOnKeepsTheTurnForASlice() throws Exception {
        Gate a = gate();
        hasten(a);
        Future<?> other = enterAndWait(gate(), NEVER);
        for (int i = 0; i < 19; i++) {
            a.leave();
            pass(50);
            a.enter(NEVER);
        }
        assertWaits(other);
        pass(51);
        a.leave();
        assertReturns(other);
    }

    /** Once, a waiter read the clock, then a later sign of life, and took the owner for one that had been silent for a quarter of an hour. */
    @Test
    void whoWritesOnWhileAWaiterReadsTheClockKeepsTheTurn() throws Exception {
        Gate a = gate();
        hasten(a);
        AtomicInteger commits = new AtomicInteger();
        Runnable writeOn = () -> {
            if (commits.getAndDecrement() > 0) {
                pass(50);
                a.enter(Deadline.after(Duration.ZERO));
                a.leave();
            }
        };
        Gate b = new Gate(map(), FIRST, () -> {
            writeOn.run();
            writeOn.run();
            long now = clock.get();
            writeOn.run();
            return now;
        });
        Future<?> other = enterAndWait(b, NEVER);
        a.leave();
        commits.set(18);
        long start = System.nanoTime();
        while (commits.get() >= 0) {
            long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
            assertTrue(seconds < 10, "the waiter does not look at the clock");
            Thread.sleep(1);
        }
        assertWaits(other);
    }

    @Test
    void whoEntersAgainAfterTheSliceLinesUpBehindTheOthers() throws Exception {
        Gate a = gate();
        Gate b = gate();
        hasten(a);
        Future<?> other = enterAndWait(b, NEVER);
        pass(990);
        a.leave();
        pass(11);
        Future<?> again = threads.submit(() -> a.enter(NEVER));
        assertReturns(other);
        assertWaits(again);
        b.leave();
        assertReturns(again);
    }

    @Test
    void aloneTheSliceHasNoEnd() throws IOException {
        Gate a = gate();
        hasten(a);
        pass(5_000);
        a.leave();
        a.enter(Deadline.after(Duration.ZERO));
        assertTrue(hasTurn(), "nobody has the turn");
    }

    @Test
    void whoDoesNotComeBackSoonHasNotKeptTheTurn() throws Exception {
        Gate a = gate();
        hasten(a);
        Future<?> other = enterAndWait(gate(), NEVER);
        a.leave();
        pass(59);
        assertWaits(other);
        pass(2);
        assertReturns(other);
    }

    @Test
    void whoWritesSeldomDoesNotKeepTheTurn() throws Exception {
        Gate a = gate();
        a.enter(NEVER);
        Future<?> other = enterAndWait(gate(), NEVER);
        a.leave();
        assertReturns(other);
    }

    @Test
    void whoGivesNoSignOfLifeIsPassedOver() throws Exception {
        Gate stopped = gate();
        Gate b = gate();
        stopped.enter(NEVER);
        Future<?> other = enterAndWait(b, NEVER);
        pass(1_900);
        assertWaits(other);
        pass(200);
        assertReturns(other);
        stopped.leave(); // goes on, and must not end the turn of another
        Future<?> third = enterAndWait(gate(), NEVER);
        assertWaits(third);
        b.leave();
        assertReturns(third);
    }

    @Test
    void whoWasKilledWhileItWaitedIsPassedOver() throws Exception {
        Gate a = gate();
        a.enter(NEVER);
        int dead = hints.getAndIncrement(NEXT);
        hints.put(place(dead), waiting(dead));
        Future<?> other = enterAndWait(gate(), NEVER);
        a.leave();
        assertWaits(other);
        pass(2_100);
        assertReturns(other);
    }

    @Test
    void whoHasGivenUpCostsNothing() throws Exception {
        Gate a = gate();
        a.enter(NEVER);
        Future<?> impatient = enterAndWait(gate(), Deadline.after(Duration.ofMillis(1)));
        pass(600);
        assertReturns(impatient);
        Future<?> other = enterAndWait(gate(), NEVER);
        a.leave();
        assertReturns(other);
    }

    @Test
    void whoHasNoTimeDoesNotWait() throws IOException {
        gate().enter(NEVER);
        gate().enter(Deadline.after(Duration.ZERO));
        assertTrue(hints.read(NEXT) == 1, "it stands in line");
    }

    @Test
    void noMoreThanHalfOfTheTimeIsSpentWaiting() throws Exception {
        gate().enter(NEVER);
        Future<?> patient = enterAndWait(gate(), Deadline.after(Duration.ofMinutes(1)));
        Future<?> timed = enterAndWait(gate(), Deadline.after(Duration.ofMillis(3)));
        pass(1_501);
        assertReturns(timed);
        assertWaits(patient);
    }

    /** Who stands far behind looks seldom, but not too late. */
    @Test
    void whoStandsFarBehindReturnsInTime() throws Exception {
        Gate a = gate();
        a.enter(NEVER);
        for (int ticket = 1; ticket <= 60; ticket++) {
            int drawn = hints.getAndIncrement(NEXT);
            hints.put(place(drawn), waiting(drawn));
        }
        long fastest = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            fastest = Math.min(fastest, nanosOfAWaitOfFiveMillis());
        }
        assertTrue(fastest < TimeUnit.MILLISECONDS.toNanos(50), fastest + " ns");
    }

    /** In real time; all that wait in front stay where they are. */
    private long nanosOfAWaitOfFiveMillis() throws Exception {
        Gate last = gate();
        int next = hints.read(NEXT);
        long start = System.nanoTime();
        Future<Long> timed = threads.submit(() -> {
            last.enter(Deadline.after(Duration.ofMillis(10)));
            return System.nanoTime() - start;
        });
        while (hints.read(place(next)) != waiting(next)) {
            Thread.onSpinWait();
        }
        Thread.sleep(2); // it sleeps by now
        pass(5_001);
        return timed.get(10, TimeUnit.SECONDS);
    }

    @Test
    void anInterruptEndsAnInterruptibleWaitAndIsKept() throws Exception {
        Gate a = gate();
        a.enter(NEVER);
        Gate b = gate();
        boolean kept = threads.submit(() -> {
                    Thread.currentThread().interrupt();
                    b.enter(NEVER.interruptibly());
                    return Thread.interrupted();
                })
                .get(10, TimeUnit.SECONDS);
        assertTrue(kept, "the interrupt was swallowed");
        Gate c = gate();
        Future<?> deaf = threads.submit(() -> {
            Thread.currentThread().interrupt();
            c.enter(NEVER);
        });
        assertWaits(deaf);
        a.leave();
        assertReturns(deaf);
    }

    @Test
    void aWordThatNeverChangesHoldsUpNobody() throws Exception {
        Gate a = gate();
        a.enter(NEVER);
        Future<?> other = enterAndWait(gate(), NEVER);
        hints.put(NEXT, 0);
        hints.put(SERVED, 0);
        assertWaits(other);
        pass(4_900);
        assertWaits(other);
        pass(200);
        assertReturns(other);
        a.leave();
    }

    /** Else all who wait would try at once, and again and again. */
    @Test
    void whoStandsFartherBehindIsMorePatient() throws Exception {
        gate().enter(NEVER);
        Future<?> second = enterAndWait(gate(), NEVER);
        Future<?> third = enterAndWait(gate(), NEVER);
        hints.put(NEXT, 0);
        hints.put(SERVED, 0);
        pass(5_100);
        assertReturns(second);
        assertWaits(third);
        pass(4_800);
        assertWaits(third);
        pass(200);
        assertReturns(third);
    }

    @Test
    void whoIsRefusedKeepsTheTurnForAsLongAsItTriesAgain() throws Exception {
        Gate a = gate();
        a.enter(NEVER);
        Future<?> second = enterAndWait(gate(), NEVER);
        Future<?> third = enterAndWait(gate(), NEVER);
        for (int i = 0; i < 5; i++) {
            assertTrue(a.refused() <= 2_000_000, "it would be taken for stopped before its next try");
            pass(4_500);
            assertWaits(second);
        }
        assertWaits(third);
        pass(600);
        assertReturns(second);
        assertWaits(third);
    }

    @Test
    void whoIsRefusedWithoutATurnNeedNotTrySoon() throws IOException {
        gate().enter(NEVER);
        Gate other = gate();
        other.enter(Deadline.after(Duration.ZERO));
        int sign = hints.read(SIGN);
        assertTrue(other.refused() > 2_000_000);
        assertTrue(hints.read(SIGN) == sign, "it gave the sign of the one that has the turn");
    }

    @Test
    void zeroedMemoryIsAFreshGate() throws Exception {
        Gate a = gate();
        hasten(a);
        for (int word = FIRST; word < FIRST + Gate.WORDS; word++) {
            hints.put(word, 0);
        }
        a.leave();
        Gate b = gate();
        b.enter(NEVER);
        Future<?> again = enterAndWait(a, NEVER);
        assertWaits(again);
        b.leave();
        assertReturns(again);
    }

    @Test
    void moreProcessesThanPlacesAllHaveTheirTurn() throws Exception {
        Gate a = gate();
        a.enter(NEVER);
        List<Future<?>> turns = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            Gate gate = gate();
            turns.add(threads.submit(() -> {
                gate.enter(NEVER);
                gate.leave();
            }));
        }
        a.leave();
        for (Future<?> turn : turns) {
            assertReturns(turn);
        }
    }

    @Test
    void aGateOfAnotherShardIsAnotherGate() throws Exception {
        hints.gate(0).enter(NEVER);
        hints.gate(1).enter(Deadline.after(Duration.ZERO));
        assertTrue(hints.read(FIRST + Gate.WORDS) == 1, "no turn was taken at the gate of shard 1");
    }

    private boolean hasTurn() {
        return hints.read(NEXT) != hints.read(SERVED);
    }

    @Test
    void whoIsAloneLeavesTheGateFree() throws IOException, ExecutionException {
        Gate a = gate();
        hasten(a);
        a.leave();
        assertFalse(hasTurn());
    }
}
