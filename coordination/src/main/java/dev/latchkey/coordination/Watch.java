package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.Transition;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import java.time.Duration;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What is stored of a name that has no line, and the wait until it has become what somebody waits for. All threads of this
 * process that wait for one name sleep as one.
 */
final class Watch {
    private static final Duration AGAIN = Duration.ofMillis(50);
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final Cache cache;
    private final CoordinationEngine engine;
    private final StateStore states;
    private final String kind;
    private final String name;
    private final long lookNanos;
    private final SharedSleep sleepers;

    /** {@code look}: how often whoever waits looks by itself. */
    Watch(Cache cache, String kind, String name, Duration look) {
        this.cache = cache;
        this.engine = Cohorts.engine(cache);
        this.states = engine.states();
        this.kind = kind;
        this.name = Names.require(name);
        this.lookNanos = look.toNanos();
        this.sleepers = engine.attachment(Sleepers.class, Sleepers::new).of(name);
    }

    /** Who sleeps for which name, as long as some object of the name is in use. */
    private static final class Sleepers implements AutoCloseable {
        private final CoordinationEngine engine;
        private final ConcurrentMap<String, SharedSleep> byName =
                new MapMaker().weakValues().makeMap();

        Sleepers(CoordinationEngine engine) {
            this.engine = engine;
        }

        SharedSleep of(String name) {
            return byName.computeIfAbsent(name, missing -> new SharedSleep(engine.signal(), name));
        }

        /** Whoever sleeps finds that the engine is closed. */
        @Override
        public void close() {
            byName.keySet().forEach(engine.signal()::ring);
        }
    }

    CoordinationEngine engine() {
        return engine;
    }

    String name() {
        return name;
    }

    boolean isInTransaction() {
        return states.inTransaction();
    }

    State read(Deadline deadline) {
        requireOpen();
        try {
            return states.read(kind, name, deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    <R> Update<R> update(Transition<R> transition, Deadline deadline) {
        requireOpen();
        try {
            return states.update(kind, name, null, transition, deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    /**
     * Writes soon what must be written although its caller goes on, also if its cache is closed and another keeps the session:
     * again and again until the database accepts it.
     */
    <R> void updateLater(Transition<R> transition) {
        engine.schedule(
                () -> {
                    try {
                        states.update(kind, name, null, transition, Deadline.after(PATIENCE));
                    } catch (CacheClosedException | WrongKindException e) {
                        // the session has ended, or the name is another's by now: there is nothing left of ours
                    } catch (CacheException e) {
                        updateLater(transition);
                    }
                },
                AGAIN);
    }

    /** Also for a cache whose directory another cache object keeps open. */
    private void requireOpen() {
        Cohorts.engine(cache);
    }

    /**
     * Waits until a look at the state has an answer.
     *
     * @param look the answer, or null to go on waiting; asked whenever the state has changed
     * @param quiet made of each state: whether it can have no answer yet as long as it is unchanged, since nobody has died whose death
     *     is one
     * @return the answer; null at the deadline
     */
    <R> @Nullable R await(Function<State, @Nullable R> look, Function<State, BooleanSupplier> quiet, Deadline deadline)
            throws InterruptedException {
        if (deadline.isInterruptible() && Thread.interrupted()) {
            throw new InterruptedException();
        }
        State last = null;
        BooleanSupplier isQuiet = () -> false;
        boolean forAll = false;
        while (true) {
            requireOpen();
            int seen = engine.signal().seen(name);
            try {
                if (last == null || !states.isUnchanged(last, deadline) || !isQuiet.getAsBoolean()) {
                    if (forAll) {
                        sleepers.tellChange();
                    }
                    last = read(deadline);
                    isQuiet = quiet.apply(last);
                    R answer = look.apply(last);
                    if (answer != null) {
                        return answer;
                    }
                }
            } catch (CacheTimeoutException e) {
                // the deadline is over, or an interrupt ended the wait for the database
            }
            if (deadline.isInterruptible() && Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (deadline.hasPassed()) {
                return null;
            }
            forAll = sleepers.awaitChange(seen, deadline, lookNanos);
        }
    }
}
