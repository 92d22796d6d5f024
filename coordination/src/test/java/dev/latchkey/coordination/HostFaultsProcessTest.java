package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheReplacedException;
import dev.latchkey.cache.Setting;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Requirements;
import dev.latchkey.testing.Stalls;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several processes that coordinate while the host fails them: the directory is replaced, or writing files fails. */
@Tag("process")
class HostFaultsProcessTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int PROCESSES = 3;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path() {
        return directory.resolve("cache");
    }

    // The directory is replaced

    /** Acquires a lock again and again; says when it was told that the directory is another one, and when it had last asked with success. */
    static final class Contender {
        public static void main(String[] args) throws Exception {
            Child.start();
            Thread.currentThread().setName("w"); // by which a Delay knows it
            Cache cache = Cache.open(Path.of(args[0]));
            Lock lock = new Lock(cache, args[1]);
            Child.ready();
            long granted = 0;
            try {
                while (true) {
                    long asked = System.nanoTime();
                    lock.lock();
                    granted = asked;
                    lock.unlock();
                }
            } catch (CacheReplacedException e) {
                Child.say("REPLACED " + System.nanoTime() + " " + granted);
            } catch (Throwable t) {
                Child.say("FAILED " + t);
            }
            Child.hear();
        }
    }

    @Test
    void everyProcessIsToldWithinASecondThatTheDirectoryWasReplacedAndNobodyIsGrantedAnythingInTheOldOne()
            throws IOException {
        JavaProcess holder = processes.start(CoordinationChild.class, path().toString());
        holder.await("OPEN", LONG);
        holder.send("lock held");
        holder.await("LOCKED", LONG);
        List<JavaProcess> others = new ArrayList<>();
        for (int i = 0; i < PROCESSES; i++) {
            others.add(processes.start(Contender.class, path().toString(), "free"));
        }
        others.add(processes.start(Contender.class, path().toString(), "held"));
        processes.gun(others);
        JavaProcess probe = processes.start(CoordinationChild.class, path().toString());
        probe.await("OPEN", LONG);
        probe.send("lock free"); // all of them are at it
        probe.await("LOCKED", LONG);
        probe.send("unlock free");
        probe.await("UNLOCKED", LONG);
        try (Stalls stalls = new Stalls()) {
            List<Delay> delays =
                    others.stream().map(other -> new Delay(stalls, other)).toList();
            Files.move(path(), directory.resolve("away"));
            assertAreTold(others, delays, System.nanoTime());
        }
    }

    private void assertAreTold(List<JavaProcess> others, List<Delay> delays, long moved) {
        try (Cache fresh = Cache.open(path())) {
            new Lock(fresh, "held").lock();
            for (int i = 0; i < others.size(); i++) {
                JavaProcess other = others.get(i);
                String[] words = other.await("", LONG).split(" ", -1);
                assertEquals("REPLACED", words[0], String.join(" ", words));
                long told = delays.get(i).microsBetween(moved, Long.parseLong(words[1])) / 1000;
                assertTrue(
                        told < 1_500,
                        other + " was told after " + told + " ms"); // a look each second, and two processors
                assertTrue(
                        Long.parseLong(words[2]) - moved < 0, other + " was granted what it asked for after the move");
            }
        }
    }

    // Files cannot be written

    /** Counts under a lock; says how often it succeeded and how often it does not know. */
    static final class Counter {
        private static final int ROUNDS = 300;

        public static void main(String[] args) throws Exception {
            Child.start();
            int counted = 0;
            int unknown = 0;
            try (Cache cache = open(Path.of(args[0]))) {
                Lock lock = new Lock(cache, "a");
                Child.ready();
                for (int i = 0; i < ROUNDS; i++) {
                    try {
                        lock.lock();
                        try {
                            cache.incr("n");
                        } finally {
                            lock.unlock();
                        }
                        counted++;
                    } catch (CacheException e) {
                        unknown++;
                    }
                }
                Child.say("COUNTED " + counted + " " + unknown);
                Child.hear();
            } catch (CacheException e) {
                Child.say("CLOSED WITH " + e);
            } catch (Throwable t) {
                Child.say("FAILED " + t);
            }
        }

        private static Cache open(Path path) {
            while (true) {
                try {
                    return Cache.open(path);
                } catch (CacheException e) {
                    // one of its calls has failed
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"posix/io/rw/pwrite", "posix/io/sync/*"})
    void processesWhoseCallsFailGetTypedErrorsAndLoseNothing(String calls) {
        String[] injector = {
            Requirements.faultInjector(), "-x", "-c", "enable_random name=" + calls + ",probability=0.01"
        };
        try (Cache cache = Cache.open(path())) {
            cache.alter(Setting.SQLITE_SYNCHRONOUS, 2); // every commit asks the disk
        }
        List<JavaProcess> counters = new ArrayList<>();
        for (int i = 0; i < PROCESSES; i++) {
            counters.add(processes.start(
                    JavaCommand.of(Counter.class, path().toString()).startedBy(injector)));
        }
        processes.gun(counters);
        long counted = 0;
        long unknown = 0;
        for (JavaProcess counter : counters) {
            String[] words = counter.await("", LONG).split(" ", -1);
            assertEquals("COUNTED", words[0], String.join(" ", words));
            counted += Long.parseLong(words[1]);
            unknown += Long.parseLong(words[2]);
        }
        System.out.printf("%s: %d counted, %d failed%n", calls, counted, unknown);
        counters.forEach(counter -> counter.send("END"));
        counters.forEach(counter -> assertEquals(0, counter.exitCode(LONG)));
        assertTrue(counted > 0 && unknown > 0, counted + " counted, " + unknown + " failed");
        try (Cache cache = Cache.open(path())) {
            Lock lock = new Lock(cache, "a");
            lock.lock();
            lock.unlock();
            long stored = cache.getOrDefault("n", Long.class, 0L);
            assertTrue(counted <= stored && stored <= counted + unknown, stored + " of " + counted + " to " + unknown);
            assertTrue(cache.check(false).isClean(), () -> cache.check(false).toString());
        }
    }

    // Files cannot be opened

    /**
     * Opens the directory, counts under a lock, stores a value in a file and reads it, and closes, again and again, while calls of
     * {@code open} fail. What the JVM itself opens is open by then: all classes are loaded, and all of it was done once without
     * faults.
     */
    static final class Opener {
        private static final int ROUNDS = 100;
        private static final float PROBABILITY = 0.05f;
        private static final String POINT = "posix/io/oc/open";
        private static final int LARGE = 100_000;

        private static int counted;
        private static int unknown;
        private static int refused;

        private Opener() {}

        public static void main(String[] args) throws Exception {
            Child.start();
            try {
                Child.loadClasses(Cache.class);
                Child.loadClasses(Lock.class);
                round(Path.of(args[0]), args[1]);
                Child.ready();
                injector("fiu_enable_random").invoke(new Object[] {POINT, 1, Pointer.NULL, 0, PROBABILITY});
                for (int i = 0; i < ROUNDS; i++) {
                    round(Path.of(args[0]), args[1]);
                }
                injector("fiu_disable").invoke(new Object[] {POINT});
                int before = counted;
                round(Path.of(args[0]), args[1]);
                if (counted != before + 1) {
                    throw new IllegalStateException("a call failed that no fault hit");
                }
                Child.say("COUNTED " + counted + " " + unknown + " " + refused + " "
                        + Child.descriptorsBelow(Path.of(args[0])));
                Child.hear();
            } catch (Throwable t) {
                StringWriter trace = new StringWriter();
                t.printStackTrace(new PrintWriter(trace));
                Child.say("FAILED " + trace.toString().replace('\n', ' '));
            }
        }

        private static Function injector(String name) {
            return NativeLibrary.getProcess().getFunction(name);
        }

        private static void round(Path path, String name) {
            try (Cache cache = Cache.open(path)) {
                Lock lock = new Lock(cache, "a");
                try {
                    lock.lock();
                    try {
                        cache.incr("n");
                    } finally {
                        lock.unlock();
                    }
                    counted++;
                } catch (CacheException e) {
                    unknown++;
                }
                try {
                    cache.set(name, new byte[LARGE]);
                    byte[] stored = cache.get(name, byte[].class);
                    if (stored != null && stored.length != LARGE) {
                        throw new IllegalStateException("a part of a value: " + stored.length);
                    }
                } catch (CacheException e) {
                    refused++;
                }
            } catch (CacheException e) {
                refused++;
            }
        }
    }

    @Test
    void processesThatCannotOpenFilesGetTypedErrorsAndLoseNothing() throws InterruptedException {
        String[] injector = {
            Requirements.faultInjector(),
            "-x",
            "-f",
            directory.resolve("control").toString()
        };
        List<JavaProcess> openers = new ArrayList<>();
        for (int i = 0; i < PROCESSES; i++) {
            openers.add(processes.start(
                    JavaCommand.of(Opener.class, path().toString(), "value" + i).startedBy(injector)));
        }
        processes.gun(openers);
        long counted = 0;
        long unknown = 0;
        long refused = 0;
        for (JavaProcess opener : openers) {
            String[] words = opener.await("", LONG).split(" ", -1);
            assertEquals("COUNTED", words[0], String.join(" ", words));
            counted += Long.parseLong(words[1]);
            unknown += Long.parseLong(words[2]);
            refused += Long.parseLong(words[3]);
            assertEquals("0", words[4], opener + " has left files of the closed directory open");
        }
        System.out.printf(
                "measured: open fails: %d counted, %d failed to, %d other calls failed%n", counted, unknown, refused);
        assertTrue(counted > 0 && refused > 0, counted + " counted, " + refused + " failed");
        try (Cache cache = Cache.open(path())) {
            Lock lock = new Lock(cache, "a");
            assertTrue(lock.tryLock(LONG), "somebody has it still");
            lock.unlock();
            long stored = cache.getOrDefault("n", Long.class, 0L);
            assertTrue(counted <= stored && stored <= counted + unknown, stored + " of " + counted + " to " + unknown);
            assertTrue(cache.check(false).isClean(), () -> cache.check(false).toString());
        }
    }
}
