package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.cache.spi.StoreTransaction;
import dev.latchkey.cache.spi.WrongKindException;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/**
 * The running average of numbers that all processes which open one directory add to; what {@link java.util.DoubleSummaryStatistics} is to
 * one process, as far as the average goes.
 *
 * <pre>{@code
 * Averager latency = new Averager(cache, "latency");
 * latency.add(0.25);
 * latency.add(0.35);
 * latency.get().ifPresent(System.out::println); // 0.3
 * OptionalDouble lastMinute = latency.pop(); // and begin anew
 * }</pre>
 *
 * <p><b>Scope.</b> All objects of one name on one directory are one average, in this process and in every other; each call is atomic. A name
 * used as an averager cannot be used as anything else ({@link NameInUseException}) until {@link #pop} has removed it.
 *
 * <p><b>Blocking.</b> {@code add} and {@code pop} wait for the database, however long it is busy; {@code get} waits for nobody. Interrupts
 * are left for later.
 *
 * <p><b>Crashes and durability.</b> Each call is one transaction: what was added survives the death of its process, and a power loss may
 * undo the last calls. It is one row of its own, which neither {@code clear} nor eviction nor Python touches; the sqlite3 shell shows it in the
 * table LatchkeyState. Inside {@code cache.transact} all calls join the transaction.
 *
 * <p><b>Bounds and errors.</b> The sum is kept in two doubles, the second of which holds what rounding took from the first, so
 * that the error does not grow with the number of additions. NaN and infinite numbers, of which the average would never recover, are an {@link
 * IllegalArgumentException}, and a sum beyond what a double holds an {@link ArithmeticException}; nothing is stored then. A closed cache:
 * {@link dev.latchkey.cache.CacheClosedException}. A full disk: {@link dev.latchkey.cache.CacheFullException}, by {@code add}.
 *
 * <p><b>Source.</b> python-diskcache's recipe of the same name, whose row is an ordinary entry and can be evicted in the midst of its work.
 */
public final class Averager {
    private final Cache cache;
    private final String name;
    private final CoordinationEngine engine;
    private final StateStore states;

    /**
     * The average of a name.
     *
     * @param cache the directory it lives in
     * @param name its name, 1 to 1000 characters
     * @throws IllegalArgumentException if the name is empty or too long, or the cache does not support coordination
     */
    public Averager(Cache cache, String name) {
        this.cache = cache;
        this.name = Names.require(name);
        this.engine = Cohorts.engine(cache);
        this.states = engine.states();
    }

    /**
     * Adds a number.
     *
     * @param value any finite number
     * @throws IllegalArgumentException if it is NaN or infinite
     * @throws ArithmeticException if the sum would be beyond what a double holds
     * @throws NameInUseException if the name is in use as something else
     */
    public void add(double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException("value must be a finite number, was " + value);
        }
        requireOpen();
        engine.requireSpace();
        AveragerState unused =
                named(() -> states.update(AveragerState.KIND, name, null, from -> add(from, value), Deadline.never())
                        .result());
    }

    private static Decision<AveragerState> add(State from, double value) {
        AveragerState next = AveragerState.parse(from.detail()).with(value);
        return Decision.store(from.withDetail(next.detail()), next);
    }

    /**
     * The average of what was added since the last {@link #pop}.
     *
     * @return the average, or empty if nothing was
     * @throws NameInUseException if the name is in use as something else
     */
    public OptionalDouble get() {
        requireOpen();
        return average(named(() -> states.read(AveragerState.KIND, name, Deadline.never())));
    }

    /**
     * Takes the average and begins anew; no number is lost between this and the additions of others.
     *
     * @return the average, or empty if nothing was added
     * @throws NameInUseException if the name is in use as something else
     */
    public OptionalDouble pop() {
        requireOpen();
        return named(() -> states.write(this::pop, Deadline.never()));
    }

    private OptionalDouble pop(StoreTransaction tx) {
        State state = tx.state(AveragerState.KIND, name);
        if (state.exists()) {
            tx.remove(state);
        }
        return average(state);
    }

    private static OptionalDouble average(State state) {
        return AveragerState.parse(state.detail()).average();
    }

    private static <R> R named(Supplier<R> call) {
        try {
            return call.get();
        } catch (WrongKindException e) {
            throw new NameInUseException(e);
        }
    }

    /** Also for a cache whose directory another cache object keeps open. */
    private void requireOpen() {
        var unused = Cohorts.engine(cache);
    }

    @Override
    public String toString() {
        return "Averager[" + name + " in " + cache.directory() + "]";
    }
}
