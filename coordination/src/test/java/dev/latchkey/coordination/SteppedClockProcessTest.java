package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Requirements;
import dev.latchkey.testing.Stalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Processes whose time of day jumps by hours, forwards and backwards, while they run: libfaketime answers for the kernel whoever in
 * the process asks. The clock since boot goes on as it does when somebody sets the clock of a machine.
 */
@Timeout(120)
class SteppedClockProcessTest extends ProcessFixture {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long HOUR_MILLIS = TimeUnit.HOURS.toMillis(1);
    private static final Duration BETWEEN_STEPS = Duration.ofMillis(30);
    private static final int MOST_HOURS = 20;
    private static final long MOST_MICROS = 50_000;
    private static final Duration LEASE = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofMillis(300);
    /** A wait that went by the time of day would be wrong by hours. */
    private static final long LONGEST_WAIT_MICROS = TimeUnit.SECONDS.toMicros(10);

    private static final int ROUNDS = 3;

    /** Does what it is told, line by line. Instants are {@code System.nanoTime}. */
    static final class Worker {
        private static final Map<String, LockHandle> HELD = new HashMap<>();

        private Worker() {}

        public static void main(String[] args) throws Exception {
            Child.start();
            Thread worker = new Thread(() -> work(Path.of(args[0])), "w");
            worker.start();
            worker.join();
        }

        private static void work(Path directory) {
            try (Cache cache = Cache.open(directory)) {
                Child.say("OPEN");
                while (true) {
                    Child.say(answer(cache, Child.hear().split(" ", -1)));
                }
            } catch (Throwable t) {
                Child.say("FAILED " + t);
            }
        }

        private static String answer(Cache cache, String[] command) throws Exception {
            String name = command.length > 1 ? command[1] : "";
            return switch (command[0]) {
                case "wall" -> "WALL " + System.currentTimeMillis();
                case "lease" -> {
                    Lock leased = Lock.builder(cache, name).lease(LEASE).build();
                    long asked = System.nanoTime();
                    HELD.put(name, leased.acquire());
                    yield "LEASED " + asked + " " + held(name).fencingToken() + " " + System.nanoTime();
                }
                case "acquire" -> {
                    HELD.put(name, new Lock(cache, name).acquire());
                    yield "ACQUIRED " + System.nanoTime() + " " + held(name).fencingToken();
                }
                case "release" -> {
                    held(name).close();
                    yield "RELEASED " + System.nanoTime();
                }
                case "valid" -> "VALID " + held(name).isValid();
                case "wait" -> wait(cache, name);
                case "set" -> {
                    cache.set(name, "x", EntryOptions.none().expireAfter(Duration.ofMillis(number(command[2]))));
                    yield "SET";
                }
                case "get" -> "GOT " + cache.get(name, String.class);
                case "put" -> {
                    queue(cache, name).put("x", PutOptions.none().delay(Duration.ofMillis(number(command[2]))));
                    yield "PUT";
                }
                case "claim" -> {
                    Optional<Claim<String>> claim = queue(cache, name).claim(Duration.ofMillis(number(command[2])));
                    long now = System.nanoTime();
                    claim.ifPresent(Claim::ack);
                    yield (claim.isPresent() ? "CLAIMED " : "NOTHING ") + now;
                }
                default -> throw new IllegalArgumentException(command[0]);
            };
        }

        private static long number(String text) {
            return Long.parseLong(text);
        }

        private static LockHandle held(String name) {
            return Objects.requireNonNull(HELD.get(name));
        }

        private static WorkQueue<String> queue(Cache cache, String name) {
            return new WorkQueue<>(cache, name, String.class);
        }

        private static boolean isSignalled(Condition condition) throws InterruptedException {
            long left = PATIENCE.toNanos();
            while (left > 0) { // nobody signals, so each wake-up before the end is a spurious one
                left = condition.awaitNanos(left);
            }
            return false;
        }

        private interface Wait {
            boolean free() throws Exception;
        }

        /** Waits in vain in several ways, and says for how many microseconds it did. */
        private static String wait(Cache cache, String held) throws Exception {
            StringBuilder waited = new StringBuilder("WAITED");
            Lock own = new Lock(cache, "own " + ProcessHandle.current().pid());
            own.lock();
            List<Wait> ways = List.of(
                    () -> new Lock(cache, held).tryLock(PATIENCE),
                    () -> new BoundedSemaphore(cache, "permits", 1).tryAcquire(PATIENCE),
                    () -> new CountDownLatch(cache, "latch", 1).await(PATIENCE),
                    () -> queue(cache, "empty").claim(PATIENCE).isPresent(),
                    () -> isSignalled(own.newCondition()));
            for (Wait way : ways) {
                long start = System.nanoTime();
                if (way.free()) {
                    throw new IllegalStateException("waited for nothing: number " + ways.indexOf(way));
                }
                waited.append(' ').append(Delay.micros(System.nanoTime() - start));
            }
            own.unlock();
            return waited.toString();
        }
    }

    private Path offset;

    @BeforeEach
    void clockIsRight() {
        Requirements.clockFaker();
        offset = directory.resolve("offset");
        step(0);
    }

    /** Sets the clock of all processes with a stepped one, as far from the right time. */
    private void step(long hours) {
        try {
            Path fresh = Files.writeString(directory.resolve("fresh"), (hours < 0 ? "" : "+") + hours + "h\n");
            Files.move(fresh, offset, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Nothing may be kept of what was read before; the clock since boot is left alone, also for whoever waits on it. */
    private JavaCommand stepped(JavaCommand command) {
        return command.startedBy(
                "env",
                "LD_PRELOAD=" + Requirements.clockFaker(),
                "FAKETIME_TIMESTAMP_FILE=" + offset,
                "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1",
                "FAKETIME_FORCE_MONOTONIC_FIX=0");
    }

    private JavaCommand worker() {
        return JavaCommand.of(Worker.class, cachePath().toString());
    }

    /** By how many hours the clock of a process is wrong. */
    private static long hoursOff(JavaProcess child) {
        long millis = word(ask(child, "wall", "WALL"), 1);
        return Math.round((millis - System.currentTimeMillis()) / (double) HOUR_MILLIS);
    }

    /** Steps the clock again and again until it is closed. */
    private final class Steps implements AutoCloseable {
        private final Random random = new Random(42);
        private final Thread thread = new Thread(this::go, "steps");
        private volatile boolean closed;
        private int number;

        Steps() {
            thread.start();
        }

        private void go() {
            while (!closed) {
                step(random.nextInt(2 * MOST_HOURS + 1) - MOST_HOURS);
                number++;
                LockSupport.parkNanos(BETWEEN_STEPS.toNanos());
            }
        }

        @Override
        public void close() throws InterruptedException {
            closed = true;
            thread.join();
            System.out.println("measured: the clock was stepped " + number + " times");
            step(0);
        }
    }

    @Test
    void leasesEndWhenTheyWouldWithoutSteps() throws Exception {
        JavaProcess wrong = opened(stepped(worker()));
        JavaProcess right = opened(worker());
        List<Long> late = new ArrayList<>();
        try (Stalls stalls = new Stalls();
                Steps steps = new Steps()) {
            long token = 0;
            for (int i = 0; i < 2 + 2 * ROUNDS; i++) {
                JavaProcess holder = i % 2 == 0 ? wrong : right;
                JavaProcess next = i % 2 == 0 ? right : wrong;
                String leased = ask(holder, "lease a", "LEASED");
                next.send("acquire a");
                letRun(LEASE.dividedBy(2), List.of(holder, next));
                String valid = ask(holder, "valid a", "VALID");
                long end = instant(leased) + LEASE.toNanos();
                long latestEnd = word(leased, 3) + LEASE.toNanos(); // it was granted between the two instants
                assertTrue(valid.equals("VALID true") || System.nanoTime() - end > 0, "over before its time");
                Delay delay = new Delay(stalls, next);
                String acquired = next.await("ACQUIRED", SOON);
                assertEquals("VALID false", ask(holder, "valid a", "VALID"));
                assertTrue(
                        instant(acquired) - end >= 0, "granted " + (end - instant(acquired)) + " ns before its time");
                late.add(delay.microsBetween(latestEnd, instant(acquired)));
                assertTrue(token < token(leased) && token(leased) < token(acquired), leased + ", then " + acquired);
                token = token(acquired);
                ask(next, "release a", "RELEASED");
            }
        }
        late.subList(0, 2).clear(); // when each loaded its classes
        report("from the end of a lease", late);
        late.sort(null);
        assertTrue(late.get(late.size() / 2) <= MOST_MICROS, "late by " + late + " microseconds");
    }

    private static void report(String what, List<Long> late) {
        System.out.println("measured: under a stepped clock " + what
                + ", in microseconds, the machine's delays taken out: " + late);
    }

    @Test
    void waitsTakeAsLongAsWithoutSteps() throws Exception {
        List<JavaProcess> children = List.of(opened(stepped(worker())), opened(stepped(worker())), opened(worker()));
        try (Cache cache = Cache.open(cachePath());
                LockHandle held = new Lock(cache, "a").acquire();
                Steps steps = new Steps()) {
            assertTrue(held.isValid() && new BoundedSemaphore(cache, "permits", 1).tryAcquire());
            children.forEach(child -> child.send("wait a"));
            for (JavaProcess child : children) {
                String waited = child.await("", SOON);
                System.out.println("measured: microseconds of waits of " + PATIENCE.toMillis() + " ms: " + waited);
                for (int i = 1; i <= 5; i++) {
                    long micros = word(waited, i);
                    assertTrue(micros >= PATIENCE.toNanos() / 1000 && micros < LONGEST_WAIT_MICROS, waited);
                }
            }
        }
    }

    @Test
    void aThrottleAdmitsAsManyAsWithoutSteps() throws Exception {
        List<JavaProcess> children = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            JavaCommand command =
                    JavaCommand.of(ThrottleChild.class, cachePath().toString(), "200", "1000", "2");
            children.add(opened(i == 0 ? command : stepped(command)));
        }
        try (Stalls stalls = new Stalls();
                Steps steps = new Steps()) {
            long from = System.nanoTime() + 200 * MILLI;
            long to = from + 3_000 * MILLI;
            for (int i = 0; i < children.size(); i++) {
                children.get(i).send("use 2 " + to + " " + directory.resolve("slots" + i));
            }
            List<Long> slots = new ArrayList<>();
            for (int i = 0; i < children.size(); i++) {
                assertEquals("USED", children.get(i).await("", SOON));
                for (String line : Files.readAllLines(directory.resolve("slots" + i))) {
                    slots.add(Long.parseLong(line.split(" ", -1)[0]));
                }
            }
            long number =
                    slots.stream().filter(slot -> slot >= from && slot < to).count();
            long stalled = stalls.nanosWithin(from, to) / MILLI;
            System.out.println("measured: " + number
                    + " of 600 slots under a stepped clock; the machine stood still for " + stalled + " ms");
            assertEquals(Optional.empty(), SlotChecker.violation(slots, 2, 5 * MILLI));
            assertTrue(number >= (600 * 99 - stalled * 20) / 100, "only " + number + " were admitted");
        }
    }

    /** All have the same time of day, as the processes of one machine do. */
    @Test
    void expiryAndDelaysFollowTheClock() throws Exception {
        JavaProcess first = opened(stepped(worker()));
        JavaProcess second = opened(stepped(worker()));
        List<Long> late = new ArrayList<>();
        second.send("claim q 15000"); // what is measured is waiting, not the loading of classes
        ask(first, "put q 100", "PUT");
        assertTrue(second.await("", SOON).startsWith("CLAIMED"));
        try (Stalls stalls = new Stalls()) {
            for (int i = 0; i < ROUNDS; i++) {
                step(0);
                ask(first, "set e " + HOUR_MILLIS, "SET");
                ask(first, "put q " + HOUR_MILLIS, "PUT");
                step(-5);
                assertEquals(-5, hoursOff(first));
                assertEquals(-5, hoursOff(second));
                assertEquals("GOT x", ask(second, "get e", "GOT"));
                second.send("claim q 15000");
                letRun(Duration.ofMillis(200), List.of(first, second));
                Delay delay = new Delay(stalls, second);
                long stepped = System.nanoTime();
                step(2);
                String claimed = second.await("", SOON);
                assertTrue(claimed.startsWith("CLAIMED") && instant(claimed) - stepped > 0, claimed);
                late.add(delay.microsBetween(stepped, instant(claimed)));
                assertEquals("GOT null", ask(second, "get e", "GOT"));
                assertEquals("GOT null", ask(first, "get e", "GOT"));
            }
        }
        report("from the step that ends the delay of an item", late);
        // looks are 40 ms apart, and whoever went by another clock would be late by hours each time
        assertTrue(Collections.min(late) <= MOST_MICROS, "late by " + late + " microseconds");

        ask(first, "set e 60000", "SET");
        ask(first, "put q 60000", "PUT");
        step(-3); // both last for five hours more
        ask(second, "claim q 1000", "NOTHING");
        assertEquals("GOT x", ask(second, "get e", "GOT"));
        step(3);
        ask(second, "claim q 0", "CLAIMED");
        assertEquals("GOT null", ask(first, "get e", "GOT"));
    }
}
