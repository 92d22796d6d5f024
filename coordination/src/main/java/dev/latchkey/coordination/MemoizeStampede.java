package dev.latchkey.coordination;

import com.google.common.base.Throwables;
import com.google.common.reflect.TypeParameter;
import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.MemoizeOptions;
import dev.latchkey.cache.Memoizer;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.Flights.Flight;
import java.time.Duration;
import java.time.Instant;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Remembers what functions return, in the cache, and lets each result be computed by one thread at a time of all processes that
 * use it; results that are about to expire are computed anew before, while the old one is still given out.
 *
 * <pre>{@code
 * MemoizeStampede pages = MemoizeStampede.builder(cache, "page")
 *         .expireAfter(Duration.ofMinutes(10))
 *         .staleFor(Duration.ofMinutes(1))
 *         .build();
 * Function<String, Page> page = pages.wrap(Page.class, this::render);
 * page.apply("/"); // rendered once, however many ask, in however many processes
 * }</pre>
 *
 * <p><b>Scope.</b> A name stands for one function; keys and arguments as in {@link Memoizer}. A result is stored as JSON together with the
 * time that it took, so it must be what Jackson writes and reads as the given class; null is remembered if {@code cacheNulls} says so.
 *
 * <p><b>Blocking.</b> A result that is there is returned at once, with one read. Who asks for one that is not there computes it, or
 * waits for whoever does: for a thread of its own process in memory, and then shares its outcome, an exception too; for another
 * process by sleeping, and then reads the result or, if there is none, tries next. {@code waitAtMost} bounds that wait; whoever has
 * waited so long computes the result itself. A wait that is interrupted is a {@link CacheException}, and the flag is set again.
 *
 * <p><b>Early recomputation.</b> A result of which {@code expireAfter} is nearly over is computed anew in the background by one of those
 * who read it, chosen at random so that the more costly a result is the earlier that begins: when {@code now - cost * beta *
 * ln(random) >= expiry}. During {@code staleFor} the old result is still given out, and computed anew in the background as well. At most
 * as many of a process's threads do so as there are processors. What goes wrong there is told to {@code onError}; the next caller meets it
 * when the result is gone.
 *
 * <p><b>Crashes.</b> If the process that computes dies, a waiter of another one computes the result within 50 milliseconds of the kernel
 * having taken the process down; nothing half-computed is stored. A stopped process is not dead: see {@code waitAtMost}.
 *
 * <p><b>Transactions.</b> Inside {@code cache.transact} a result that is not there is computed by the caller, who waits for nobody.
 *
 * <p><b>Errors.</b> As {@link Memoizer}; and {@link IllegalStateException} if a function asks, in the same thread, for the very result
 * that it computes. It may ask for others. What is invalidated while it is computed is not stored.
 *
 * <p><b>Thread safety.</b> Any thread may use an object at any time.
 *
 * <p><b>Source.</b> {@code memoize_stampede} of python-diskcache, which lets all compute a result that is not there; the early
 * recomputation is XFetch (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
 */
public final class MemoizeStampede extends Memoizer {
    private static final Duration LAND_AGAIN = Duration.ofMillis(50);

    private final Cache cache;
    private final String name;
    private final CoordinationEngine engine;
    private final Flights flights;
    private final double beta;
    private final Duration staleFor;
    private final boolean singleFlight;
    private final @Nullable Duration waitAtMost;
    private final Consumer<Throwable> onError;
    private final DoubleSupplier random;
    private final Set<String> recomputing = ConcurrentHashMap.newKeySet();

    private MemoizeStampede(Builder builder) {
        super(builder.name, builder.options);
        this.cache = builder.cache;
        this.name = builder.name;
        this.engine = Cohorts.engine(cache);
        this.flights = Flights.of(engine);
        this.beta = builder.beta;
        this.staleFor = builder.staleFor;
        this.singleFlight = builder.singleFlight;
        this.waitAtMost = builder.waitAtMost;
        this.onError = builder.onError;
        this.random = builder.random;
    }

    /**
     * A builder.
     *
     * @param cache where results are remembered
     * @param name stands for the function, 1 to 1000 characters
     * @return the builder
     * @throws IllegalArgumentException if the name is empty or too long
     */
    public static Builder builder(Cache cache, String name) {
        return new Builder(Objects.requireNonNull(cache, "cache"), Names.require(name));
    }

    /**
     * The name of the function.
     *
     * @return the name that was given to the builder
     */
    public String name() {
        return name;
    }

    /** A result that was found, and until when it is fresh; null for ever. */
    private record Found<R>(
            @Nullable R result, long costNanos, @Nullable Instant freshUntil) {}

    @Override
    protected <R> @Nullable R recall(String key, TypeToken<R> type, Callable<? extends @Nullable R> function) {
        Found<R> found = find(key, type);
        if (found != null) {
            if (isDue(found)) {
                recomputeInBackground(key, type, function, found);
            }
            return found.result;
        }
        if (!singleFlight || engine.states().inTransaction()) {
            return computeAlone(key, function);
        }
        Deadline deadline = waitAtMost == null ? Deadline.never() : Deadline.after(waitAtMost);
        while (true) {
            Flight own = new Flight();
            Flight other = flights.join(key, own);
            if (other == null) {
                return fly(key, own, () -> pilot(key, type, function, deadline));
            }
            Object outcome = share(key, other, deadline);
            if (Flights.NO_OUTCOME.equals(outcome)) {
                continue;
            }
            boolean ofAnotherType = outcome != null && !type.wrap().getRawType().isInstance(outcome);
            if (Flights.TOO_LATE.equals(outcome) || ofAnotherType) {
                return computeAlone(key, function);
            }
            @SuppressWarnings("unchecked") // it is an instance of the class, and was computed for the same name
            R result = (R) outcome;
            return result;
        }
    }

    // A result that is there

    private <R> @Nullable Found<R> find(String key, TypeToken<R> type) {
        TypeToken<Map.Entry<Long, R>> stored =
                new TypeToken<Map.Entry<Long, R>>() {}.where(new TypeParameter<R>() {}, type.wrap());
        Optional<Cache.Entry<Map.Entry<Long, R>>> entry = cache.entry(key, stored);
        Map.Entry<Long, R> value = entry.map(Cache.Entry::value).orElse(null);
        return value == null
                ? null
                : new Found<>(
                        value.getValue(),
                        value.getKey(),
                        entry.get()
                                .expiry()
                                .map(expiry -> expiry.minus(staleFor))
                                .orElse(null));
    }

    private boolean isDue(Found<?> found) {
        if (found.freshUntil == null) {
            return false;
        }
        double leftNanos =
                (found.freshUntil.toEpochMilli() - (double) engine.clock().wallMillis()) * 1e6;
        return isDue(leftNanos, found.costNanos, beta, random.getAsDouble());
    }

    /**
     * XFetch: whether one of those who read a result computes it anew.
     *
     * @param leftNanos how long it is fresh yet
     * @param costNanos how long it took
     * @param beta above 1 for earlier, below for later
     * @param random from 0, inclusive, to 1
     */
    static boolean isDue(double leftNanos, long costNanos, double beta, double random) {
        return leftNanos <= 0 || -costNanos * beta * Math.log(1 - random) >= leftNanos;
    }

    private void store(String key, @Nullable Object result, long costNanos) {
        EntryOptions options = options().entryOptions();
        EntryOptions lasting = options.expireAfter()
                .map(fresh -> options.expireAfter(fresh.plus(staleFor)))
                .orElse(options);
        cache.set(key, new SimpleImmutableEntry<>(costNanos, result), lasting);
    }

    private <R> @Nullable R computeAlone(String key, Callable<? extends @Nullable R> function) {
        long before = engine.clock().nanos();
        R result = compute(function);
        if (options().isCached(result)) {
            store(key, result, engine.clock().nanos() - before);
        }
        return result;
    }

    // One computation at a time

    /** The outcome of another thread's flight; the result of this thread's own computation if that takes too long. */
    private @Nullable Object share(String key, Flight other, Deadline deadline) {
        if (other.pilot == Thread.currentThread()) {
            throw new IllegalStateException("the result of '" + key + "' is asked for by the thread that computes it");
        }
        try {
            return other.outcome.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return Flights.TOO_LATE;
        } catch (InterruptedException e) {
            throw interrupted(key, e);
        } catch (ExecutionException e) {
            Throwable cause = Objects.requireNonNull(e.getCause(), "cause");
            if (cause.getCause() instanceof InterruptedException) {
                return Flights.NO_OUTCOME; // it was that thread that was interrupted, not this one
            }
            Throwables.throwIfUnchecked(cause);
            throw new AssertionError(cause);
        }
    }

    private static CacheException interrupted(String key, InterruptedException e) {
        Thread.currentThread().interrupt();
        return new CacheException("interrupted while waiting for the result of '" + key + "'", e);
    }

    /** The outcome is told to those who have joined; whoever comes later begins anew. */
    private <R> @Nullable R fly(String key, Flight own, Callable<@Nullable R> pilot) {
        Object outcome = Flights.NO_OUTCOME;
        Throwable failure = null;
        try {
            R result = pilot.call();
            outcome = result;
            return result;
        } catch (Exception | Error e) {
            failure = e;
            Throwables.throwIfUnchecked(e);
            throw new AssertionError(e);
        } finally {
            flights.leave(key, own);
            if (failure != null) {
                own.outcome.completeExceptionally(failure);
            } else {
                own.outcome.complete(outcome);
            }
        }
    }

    /** For all threads of this process: computes the result, or waits for another process that does. */
    private <R> @Nullable R pilot(
            String key, TypeToken<R> type, Callable<? extends @Nullable R> function, Deadline deadline) {
        Watch watch = flights.watch(cache, key);
        while (true) {
            State state = watch.read(Deadline.never());
            if (flights.isFree(state)) {
                Takeoff<R> takeoff = takeOff(key, type, flights.dead(state), found -> true);
                if (takeoff.found != null) {
                    return takeoff.found.result;
                }
                if (takeoff.isOurs()) {
                    return computeAndLand(key, takeoff, function);
                }
            }
            Boolean free;
            try {
                free = watch.await(
                        now -> flights.isFree(now) ? true : null,
                        now -> () -> flights.dead(now).isEmpty(),
                        deadline.interruptibly());
            } catch (InterruptedException e) {
                throw interrupted(key, e);
            }
            if (free == null) {
                return computeAlone(key, function);
            }
        }
    }

    /** What came of the attempt to begin: a result that is there by now, a flight of one's own, or neither. */
    private record Takeoff<R>(@Nullable Found<R> found, long session, long grant) {
        boolean isOurs() {
            return session != 0;
        }
    }

    /** Looks the result up once more and begins the flight, in one transaction. */
    private <R> Takeoff<R> takeOff(String key, TypeToken<R> type, Set<Long> dead, Predicate<Found<R>> isEnough) {
        while (true) {
            Session session = engine.sessions().self(Deadline.never());
            long grant = session.nextGrant();
            try {
                return cache.transact(() -> {
                    Found<R> found = find(key, type);
                    if (found != null && isEnough.test(found)) {
                        return new Takeoff<>(found, 0, 0);
                    }
                    boolean ours = flights.takeOff(key, session, grant, dead);
                    return new Takeoff<R>(null, ours ? session.id() : 0, grant);
                });
            } catch (SessionLostException e) {
                engine.requireOpen(); // the next attempt is made by a new session
            }
        }
    }

    private <R> @Nullable R computeAndLand(String key, Takeoff<R> takeoff, Callable<? extends @Nullable R> function) {
        boolean landed = false;
        try {
            long before = engine.clock().nanos();
            R result = compute(function);
            long cost = engine.clock().nanos() - before;
            if (options().isCached(result)) {
                cache.transact((Runnable) () -> {
                    if (flights.land(key, takeoff.session, takeoff.grant)) {
                        store(key, result, cost);
                    }
                });
                landed = true;
            }
            return result;
        } finally {
            if (!landed) {
                land(key, takeoff);
            }
        }
    }

    /** What the database refuses now is repeated until it accepts it: else others would wait for a computation that is over. */
    private void land(String key, Takeoff<?> takeoff) {
        try {
            boolean unused = flights.land(key, takeoff.session, takeoff.grant);
        } catch (CacheClosedException e) {
            // the session has ended, and its flights with it
        } catch (CacheException e) {
            engine.schedule(() -> land(key, takeoff), LAND_AGAIN);
        }
    }

    // Early recomputation

    private <R> void recomputeInBackground(
            String key, TypeToken<R> type, Callable<? extends @Nullable R> function, Found<R> old) {
        if (!recomputing.add(key)) {
            return;
        }
        boolean accepted = flights.inBackground(() -> {
            try {
                recompute(key, type, function, old);
            } catch (RuntimeException | Error e) {
                onError.accept(e);
            } finally {
                recomputing.remove(key);
            }
        });
        if (!accepted) {
            recomputing.remove(key);
        }
    }

    /** Unless another process is about to, or was faster. */
    private <R> void recompute(String key, TypeToken<R> type, Callable<? extends @Nullable R> function, Found<R> old) {
        Flight own = new Flight();
        if (flights.join(key, own) != null) {
            return;
        }
        Object unused = fly(key, own, () -> {
            State state = flights.watch(cache, key).read(Deadline.never());
            if (!flights.isFree(state)) {
                return Flights.NO_OUTCOME;
            }
            Takeoff<R> takeoff =
                    takeOff(key, type, flights.dead(state), found -> !Objects.equals(found.freshUntil, old.freshUntil));
            return takeoff.isOurs() ? computeAndLand(key, takeoff, function) : Flights.NO_OUTCOME;
        });
    }

    @Override
    protected boolean forget(String key) {
        return cache.transact(() -> {
            flights.cancel(key);
            return cache.delete(key);
        });
    }

    /** Builds a {@link MemoizeStampede}. */
    public static final class Builder {
        private final Cache cache;
        private final String name;
        private MemoizeOptions options = MemoizeOptions.none();
        private double beta = 1.0;
        private Duration staleFor = Duration.ZERO;
        private boolean singleFlight = true;
        private @Nullable Duration waitAtMost;
        private Consumer<Throwable> onError = failure -> {};
        private DoubleSupplier random = () -> ThreadLocalRandom.current().nextDouble();

        private Builder(Cache cache, String name) {
            this.cache = cache;
            this.name = name;
        }

        /**
         * Lets a result expire some time after it was stored.
         *
         * @param duration greater than zero
         * @return this builder
         * @throws IllegalArgumentException if the duration is zero or negative
         */
        public Builder expireAfter(Duration duration) {
            options = options.expireAfter(duration);
            return this;
        }

        /**
         * Groups the results with other entries of the same tag.
         *
         * @param tag as {@link EntryOptions#tag} takes it
         * @return this builder
         */
        public Builder tag(Object tag) {
            options = options.tag(tag);
            return this;
        }

        /**
         * Leaves arguments out of the key.
         *
         * @param positions which ones, 0 for the first
         * @return this builder
         * @throws IllegalArgumentException if a position is negative
         */
        public Builder ignore(int... positions) {
            options = options.ignore(positions);
            return this;
        }

        /**
         * Remembers only some results. It is not asked about null, see {@link #cacheNulls}.
         *
         * @param predicate whether to remember a result
         * @return this builder
         */
        public Builder cacheIf(Predicate<Object> predicate) {
            options = options.cacheIf(predicate);
            return this;
        }

        /**
         * Remembers null as a result like any other.
         *
         * @return this builder
         */
        public Builder cacheNulls() {
            options = options.cacheNulls();
            return this;
        }

        /**
         * How early a result is computed anew before it expires.
         *
         * @param beta 1.0 is best by the paper; more for earlier, less for later, 0 for never before the expiry
         * @return this builder
         * @throws IllegalArgumentException if it is negative or not a number
         */
        public Builder beta(double beta) {
            if (!(beta >= 0) || Double.isInfinite(beta)) {
                throw new IllegalArgumentException("beta must be >= 0, was " + beta);
            }
            this.beta = beta;
            return this;
        }

        /**
         * Gives an expired result out for a while, so that nobody has to wait for the next one.
         *
         * @param duration how long after {@code expireAfter}; zero for not at all
         * @return this builder
         * @throws IllegalArgumentException if the duration is negative
         */
        public Builder staleFor(Duration duration) {
            if (duration.isNegative()) {
                throw new IllegalArgumentException("staleFor must be >= 0, was " + duration);
            }
            this.staleFor = duration;
            return this;
        }

        /**
         * Whether a result that is not there is computed by one at a time; true unless said otherwise.
         *
         * @param singleFlight false to let everybody compute it who asks
         * @return this builder
         */
        public Builder singleFlight(boolean singleFlight) {
            this.singleFlight = singleFlight;
            return this;
        }

        /**
         * Bounds the wait for somebody else's computation, which may hang; afterwards the caller computes the result itself.
         *
         * @param duration how long; zero or negative not to wait
         * @return this builder
         */
        public Builder waitAtMost(Duration duration) {
            this.waitAtMost = Objects.requireNonNull(duration, "duration");
            return this;
        }

        /**
         * Is told what goes wrong in the background; without it that is not told.
         *
         * @param listener what to call, on the thread that computed
         * @return this builder
         */
        public Builder onError(Consumer<Throwable> listener) {
            this.onError = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /** Where the random numbers of the early recomputation come from. */
        Builder random(DoubleSupplier random) {
            this.random = random;
            return this;
        }

        /**
         * What wraps the functions.
         *
         * @return a memoizer with these options
         */
        public MemoizeStampede build() {
            return new MemoizeStampede(this);
        }
    }
}
