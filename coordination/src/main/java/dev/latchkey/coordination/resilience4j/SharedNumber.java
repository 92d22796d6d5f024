package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import org.jspecify.annotations.Nullable;

/**
 * A number that a configuration sets and that can be changed at run time, for all processes. Legal transitions, each one update of the
 * row:
 *
 * <pre>
 *   nothing                   -> configured, its number   configure
 *   configured                -> the same                 configure, as before: what was changed since stays
 *   configured, number        -> another, its number      configure, otherwise: the configuration that comes last counts
 *   configured, number        -> configured, another      change
 * </pre>
 */
final class SharedNumber {
    private static final String KIND = "resilience4j";

    private final Cache cache;
    private final StateStore states;
    private final String name;
    private final Content founding;
    private volatile @Nullable State remembered;

    SharedNumber(Cache cache, String name, String configured, int number) {
        this.cache = cache;
        this.states = engine().states();
        this.name = name;
        this.founding = new Content(configured, number);
    }

    /** What is stored: {@code "25 25"}. */
    private record Content(String configured, int number) {
        static Content parse(String detail) {
            String[] words = detail.split(" ", -1);
            return new Content(words[0], Integer.parseInt(words[1]));
        }

        @Override
        public String toString() {
            return configured + " " + number;
        }
    }

    private CoordinationEngine engine() {
        return cache.unwrap(CoordinationEngine.class);
    }

    /** Stores the configuration, and has what it stands for made and set in the same transaction. */
    <T> T configure(Maker<T> maker, Setter<T> setter) {
        return cache.transact(() -> {
            State before = states.read(KIND, name, Deadline.never());
            Content stored = before.exists() ? Content.parse(before.detail()) : founding;
            T made = maker.make(stored.configured, stored.number);
            if (!before.exists() || !stored.configured.equals(founding.configured)) {
                setter.set(made, founding.number);
                store(founding);
            }
            return made;
        });
    }

    /** Makes what a number is stored of, as it is stored. */
    interface Maker<T> {
        T make(String configured, int number);
    }

    /** Makes a number count. */
    interface Setter<T> {
        void set(T of, int number);
    }

    /** Stores another number, and makes it count in the same transaction. */
    <T> void change(T of, int number, Setter<T> setter) {
        cache.transact((Runnable) () -> {
            setter.set(of, number);
            store(new Content(content(states.read(KIND, name, Deadline.never())).configured, number));
        });
    }

    private void store(Content content) {
        var unused = states.update(
                KIND, name, null, from -> Decision.store(from.withDetail(content.toString()), true), Deadline.never());
    }

    private Content content(State state) {
        return state.exists() ? Content.parse(state.detail()) : founding;
    }

    int get() {
        State last = states.inTransaction() ? null : remembered;
        if (last == null || !states.isUnchanged(last, Deadline.never())) {
            engine().requireOpen();
            last = states.read(KIND, name, Deadline.never());
            remembered = states.inTransaction() ? null : last;
        }
        return content(last).number;
    }
}
