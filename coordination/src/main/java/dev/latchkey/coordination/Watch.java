package dev.latchkey.coordination;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.Transition;
import dev.latchkey.cache.spi.Update;
import dev.latchkey.cache.spi.WrongKindException;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What is stored of a name that has no line, and the wait until it has become what somebody waits for. All threads of this
 * process that wait for one name sleep as one.
 */
final class Watch {
    private final CoordinationEngine engine;
    private final StateStore states;
    private final String kind;
    private final String name;
    private final SharedSleep sleepers;

    Watch(CoordinationEngine engine, String kind, String name) {
        this.engine = engine;
        this.states = engine.states();
        this.kind = kind;
        this.name = name;
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

    State read(Deadline deadline) {
        engine.requireOpen();
        try {
            return states.read(kind, name, deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    <R> Update<R> update(Transition<R> transition, Deadline deadline) {
        engine.requireOpen();
        try {
            return states.update(kind, name, null, transition, deadline);
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    boolean isInTransaction() {
        return states.inTransaction();
    }

    /**
     * Waits until a look at the state has an answer.
     *
     * @param look the answer, or null to go on waiting; asked whenever the state has changed
     * @param isQuiet whether an unchanged state can have no answer yet: nobody has died whose death is one
     * @return the answer; null at the deadline
     */
    <R> @Nullable R await(Function<State, @Nullable R> look, Predicate<State> isQuiet, Deadline deadline)
            throws InterruptedException {
        if (deadline.isInterruptible() && Thread.interrupted()) {
            throw new InterruptedException();
        }
        State last = null;
        boolean forAll = false;
        while (true) {
            engine.requireOpen();
            int seen = engine.signal().seen(name);
            try {
                if (last == null || !states.isUnchanged(last, deadline) || !isQuiet.test(last)) {
                    if (forAll) {
                        sleepers.tellChange();
                    }
                    last = read(deadline);
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
            forAll = sleepers.awaitChange(seen, deadline);
        }
    }
}
