package dev.latchkey.stress.worker;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.stress.check.FullDisk;
import dev.latchkey.stress.check.NumberedItem;
import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.HistoryLog;
import dev.latchkey.stress.referee.RefereeConnection;
import dev.latchkey.testing.Child;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One thread of a worker: its cache, its line to the referee, its dice, and what it writes down. */
final class Actor implements AutoCloseable {
    private final Scenario scenario;
    private final Path directory;
    private final String process;
    private final HistoryLog log;
    private final AimedKill kill;
    private final RefereeConnection referee;
    private final Random random;
    /** The last number that this thread gave out; no other thread of the run gives out the same. */
    private long lastNumber;
    /** Of all threads of this process, as a rule: only to aim at openings and closings that have much to do. */
    private final AtomicInteger openCaches;

    private @Nullable Cache cache;

    Actor(
            Scenario scenario,
            Path directory,
            String process,
            int thread,
            HistoryLog log,
            AimedKill kill,
            AtomicInteger openCaches,
            int refereePort,
            long seed) {
        this.scenario = scenario;
        this.directory = directory;
        this.process = process;
        this.log = log;
        this.kill = kill;
        this.openCaches = openCaches;
        this.referee = new RefereeConnection(refereePort, process);
        this.random = new Random(seed);
        this.lastNumber = NumberedItem.first(process, thread);
    }

    /** An operation: what it answers, or null if it did not do what it was to do, as documented. */
    @FunctionalInterface
    interface Call<T> {
        @Nullable
        T run() throws Exception;
    }

    /** What an operation says that has nothing to say. */
    static final String DONE = "";

    /** Why an operation did not do what it was to do. */
    static final class Failed extends Exception {
        private static final long serialVersionUID = 1;

        Failed(String why) {
            super(why, null, false, false);
        }
    }

    /** Runs one operation and writes down how it began and ended; null if it did not succeed. */
    <T> @Nullable T attempt(String operation, Call<T> call, Object... arguments) {
        begun(operation, arguments);
        return finish(() -> operation, call);
    }

    /** Writes down that an operation has begun. */
    void begun(String operation, Object... arguments) {
        log.write(Kind.INVOKE, operation, arguments);
        kill.reached(operation);
    }

    /** Writes down that it has done what it was to do. */
    void succeeded(String operation, Object... result) {
        log.write(Kind.OK, operation, result);
        kill.reached(operation + "-done");
    }

    /** Runs what remains of an operation and writes down how it ended; the one that is under way by then. */
    <T> @Nullable T finish(Supplier<String> operation, Call<T> call) {
        try {
            T result = call.run();
            if (result == null) {
                log.write(Kind.FAIL, operation.get());
            } else {
                succeeded(operation.get(), DONE.equals(result) ? new Object[0] : words(result));
            }
            return result;
        } catch (Failed e) {
            log.write(Kind.FAIL, operation.get(), String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            log.write(Kind.FAIL, operation.get(), "interrupted");
        } catch (CacheFullException e) {
            log.write(Kind.FAIL, operation.get(), FullDisk.FULL);
        } catch (Exception | AssertionError e) {
            log.write(Kind.ERROR, operation.get(), e);
            Child.say(Worker.ERROR);
        }
        return null;
    }

    private static Object[] words(Object result) {
        return result instanceof Object[] many ? many : new Object[] {result};
    }

    void note(String what, Object... arguments) {
        log.write(Kind.NOTE, what, arguments);
    }

    /** Says that a moment has come within an operation at which the process may be killed. */
    void reached(String moment) {
        kill.reached(moment);
    }

    /** Opens the cache of this thread; whether it could. */
    boolean open() {
        attempt("open", () -> {
            if (openCaches.getAndIncrement() == 0) {
                kill.reached("first-open");
            }
            cache = scenario.open(directory, random);
            return DONE;
        });
        return cache != null;
    }

    Cache cache() {
        Cache open = cache;
        if (open == null) {
            throw new IllegalStateException("the cache could not be opened");
        }
        return open;
    }

    RefereeConnection referee() {
        return referee;
    }

    Random random() {
        return random;
    }

    /** The name of this thread among those of all processes. */
    String name() {
        return process + "." + Thread.currentThread().getName();
    }

    /** A number that no other thread has, greater than those this thread got before. */
    long nextNumber() {
        return ++lastNumber;
    }

    /** Whether one of so many throws of the dice. */
    boolean oneIn(int sides) {
        return random.nextInt(sides) == 0;
    }

    /** Works for a while. */
    void spend(long micros) {
        long end = System.nanoTime() + micros * 1000;
        for (long left = micros * 1000; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
            if (Thread.currentThread().isInterrupted()) {
                return;
            }
        }
    }

    void closeCache() {
        Cache open = cache;
        if (open != null) {
            attempt("close", () -> {
                if (openCaches.getAndDecrement() == 1) {
                    kill.reached("last-close");
                }
                open.close();
                return DONE;
            });
            cache = null;
        }
    }

    @Override
    public void close() {
        closeCache();
        referee.close();
    }
}
