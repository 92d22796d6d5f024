package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.testing.TestDirectory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Random calls, some in transactions that are rolled back, do to a queue what they do to its model; time is what the test says. */
class WorkQueueModelTest {
    private static final int ROUNDS = 12;
    private static final int STEPS = 250;
    private static final int MAX_ATTEMPTS = 3;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private static final class RolledBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void aQueueDoesWhatItsModelDoes() throws Exception {
        long seed = Long.getLong("latchkey.seed", System.nanoTime());
        try (Cache cache = Cache.open(directory.path())) {
            for (int round = 0; round < ROUNDS; round++) {
                Run run = new Run(cache, "q" + round, seed + round);
                try {
                    run.go();
                } catch (Throwable t) {
                    throw new AssertionError("seed " + (seed + round) + ", model " + run.model.all(), t);
                }
            }
        }
    }

    /** The engine of a cache, with a wall clock of its own. */
    static CoordinationEngine engine(Cache cache, HostClock clock) {
        CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
        return (CoordinationEngine) Proxy.newProxyInstance(
                WorkQueueModelTest.class.getClassLoader(),
                new Class<?>[] {CoordinationEngine.class},
                (self, method, arguments) -> {
                    if (method.getName().equals("clock")) {
                        return clock;
                    }
                    try {
                        return method.invoke(engine, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static final class Run implements HostClock {
        private final Cache cache;
        private final WorkQueue<String> queue;
        private final Random random;
        private ModelQueue model = new ModelQueue(MAX_ATTEMPTS);
        /** The claims that have not ended, and the numbers of their items in the model. */
        private Map<Claim<String>, Integer> claims = new LinkedHashMap<>();

        private final List<Claim<String>> over = new ArrayList<>();
        private List<Runnable> afterRollback = new ArrayList<>();
        private long now = 1_000_000;
        private int puts;

        Run(Cache cache, String name, long seed) {
            this.cache = cache;
            this.random = new Random(seed);
            this.queue = new WorkQueue<>(cache, engine(cache, this), name, TypeToken.of(String.class), MAX_ATTEMPTS);
        }

        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public long wallMillis() {
            return now;
        }

        void go() throws Exception {
            for (int i = 0; i < STEPS; i++) {
                if (random.nextInt(6) == 0) {
                    transact();
                } else {
                    step();
                }
                compare();
            }
        }

        private void transact() {
            boolean commits = random.nextBoolean();
            ModelQueue before = model.copy();
            Map<Claim<String>, Integer> claimsBefore = new LinkedHashMap<>(claims);
            afterRollback = new ArrayList<>();
            try {
                cache.transact((Runnable) () -> {
                    for (int i = random.nextInt(5); i >= 0; i--) {
                        stepInTransaction();
                    }
                    if (!commits) {
                        throw new RolledBack();
                    }
                });
            } catch (RolledBack e) {
                model = before;
                for (Claim<String> claim : claims.keySet()) {
                    if (!claimsBefore.containsKey(claim)) {
                        over.add(claim); // was never claimed
                    }
                }
                claims = claimsBefore;
                afterRollback.forEach(Runnable::run);
            }
            afterRollback = new ArrayList<>();
        }

        private void stepInTransaction() {
            try {
                step();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        private void step() throws InterruptedException {
            switch (random.nextInt(14)) {
                case 0, 1, 2, 3 -> put();
                case 4, 5, 6 -> claim();
                case 7 -> ack();
                case 8 -> nack();
                case 9 -> close();
                case 10 -> deadLetter();
                case 11 -> now += random.nextInt(40);
                case 12 -> tryEndedClaim();
                default -> dealWithTheDead();
            }
        }

        private void put() {
            int priority = random.nextInt(3) - 1;
            long delay = random.nextInt(3) == 0 ? random.nextInt(60) : 0;
            @Nullable String key = random.nextInt(3) == 0 ? "key" + random.nextInt(4) : null;
            PutOptions options = PutOptions.none().priority(priority).delay(Duration.ofMillis(delay));
            String value = "item " + ++puts;
            assertEquals(
                    model.put(value, priority, key, delay == 0 ? 0 : now + delay),
                    queue.put(value, key == null ? options : options.dedupKey(key)));
        }

        private void claim() throws InterruptedException {
            int most = 1 + random.nextInt(3);
            List<Claim<String>> found = queue.claimBatch(most, Duration.ZERO);
            List<Integer> expected = model.claim(most, now);
            assertEquals(
                    expected.stream().map(number -> model.entry(number).value()).toList(),
                    found.stream().map(Claim::value).toList());
            for (int i = 0; i < found.size(); i++) {
                assertEquals(
                        model.entry(expected.get(i)).attempts(), found.get(i).attempt());
                claims.put(found.get(i), expected.get(i));
            }
        }

        private @Nullable Claim<String> any() {
            List<Claim<String>> all = List.copyOf(claims.keySet());
            return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
        }

        private int end(Claim<String> claim) {
            over.add(claim);
            afterRollback.add(() -> {
                if (claims.containsKey(claim)) {
                    over.remove(claim);
                }
            });
            return claims.remove(claim);
        }

        private void ack() {
            Claim<String> claim = any();
            if (claim != null) {
                claim.ack();
                model.ack(end(claim));
            }
        }

        private void nack() {
            Claim<String> claim = any();
            if (claim != null) {
                long delay = random.nextBoolean() ? 0 : random.nextInt(60);
                claim.nack(Duration.ofMillis(delay), "nack " + delay);
                model.nack(end(claim), delay == 0 ? 0 : now + delay, "nack " + delay, now);
            }
        }

        /** The one end that a rollback does not undo. */
        private void close() {
            Claim<String> claim = any();
            if (claim != null) {
                claim.close();
                int number = end(claim);
                model.nack(number, 0, "closed without ack", now);
                afterRollback.add(() -> {
                    if (claims.remove(claim) != null) {
                        over.add(claim);
                        model.nack(number, 0, "closed in a transaction that was rolled back", now);
                    }
                });
            }
        }

        private void deadLetter() {
            Claim<String> claim = any();
            if (claim != null) {
                claim.deadLetter("never");
                model.bury(end(claim), "never", now);
            }
        }

        private void tryEndedClaim() {
            if (!over.isEmpty()) {
                Claim<String> claim = over.get(random.nextInt(over.size()));
                assertThrows(ClaimLostException.class, claim::ack);
                assertThrows(ClaimLostException.class, claim::nack);
                assertThrows(ClaimLostException.class, () -> claim.deadLetter("late"));
            }
        }

        private void dealWithTheDead() {
            List<DeadLetter<String>> letters = queue.deadLetters();
            List<Integer> dead = model.dead();
            int n = dead.isEmpty() ? 0 : random.nextInt(dead.size());
            switch (random.nextInt(8)) {
                case 0 -> assertEquals(model.redrive(dead.stream().sorted().toList()), queue.redrive());
                case 1, 2, 3 -> assertEquals(model.redrive(dead.subList(0, n)), queue.redrive(letters.subList(0, n)));
                case 4 -> assertEquals(model.remove(dead), queue.deleteDeadLetters());
                case 5, 6 -> {
                    assertEquals(model.remove(dead.subList(0, n)), queue.deleteDeadLetters(letters.subList(0, n)));
                    assertEquals(0, queue.deleteDeadLetters(letters.subList(0, n)));
                    assertEquals(0, queue.redrive(letters.subList(0, n)));
                }
                default -> assertEquals(model.clear(), queue.clear());
            }
        }

        private void compare() {
            assertEquals(model.ready(now), queue.size(), "ready");
            assertEquals(model.delayed(now), queue.delayed(), "delayed");
            assertEquals(model.claimed(), queue.inFlight(), "claimed");
            assertEquals(
                    model.dead().stream()
                            .map(number -> model.entry(number))
                            .map(entry ->
                                    entry.value() + " " + entry.attempts() + " " + entry.reason() + " " + entry.since())
                            .toList(),
                    queue.deadLetters().stream()
                            .map(letter -> letter.value() + " " + letter.attempts() + " " + letter.reason() + " "
                                    + letter.since().toEpochMilli())
                            .toList());
        }
    }
}
