package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.coordination.resilience4j.PeriodState.Configuration;
import io.github.resilience4j.core.EventConsumer;
import io.github.resilience4j.core.EventProcessor;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.event.RateLimiterEvent;
import io.github.resilience4j.ratelimiter.event.RateLimiterOnDrainedEvent;
import io.github.resilience4j.ratelimiter.event.RateLimiterOnFailureEvent;
import io.github.resilience4j.ratelimiter.event.RateLimiterOnSuccessEvent;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A rate limiter of Resilience4j that all processes which open one directory share: {@code limitForPeriod} is what they get together.
 *
 * <pre>{@code
 * RateLimiterConfig config = RateLimiterConfig.custom()
 *         .limitForPeriod(100)
 *         .limitRefreshPeriod(Duration.ofSeconds(1))
 *         .timeoutDuration(Duration.ofMillis(500))
 *         .build();
 * RateLimiter backend = SharedRateLimiter.of(cache, "backend", config);
 * Supplier<Page> limited = RateLimiter.decorateSupplier(backend, this::fetch);
 *
 * RateLimiter even = SharedRateLimiter.builder(cache, "mail", config).smooth(1).build(); // one each 10 ms
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> All objects of one name on one directory are one rate limiter, in this process and in every other; a
 * bulkhead or circuit breaker may have the same name. {@link #changeLimitForPeriod} counts for all processes, and stays when they are
 * started again. It is forgotten when an object is made with another configuration than the last one was: then that counts for all,
 * so a new version of an application brings its limits with it. The time-out and the tags are those of the object.
 *
 * <p><b>The limit.</b> Without more, it is that of the stock rate limiter: a clock which all processes share is cut into periods of {@code
 * limitRefreshPeriod}, and in each there are at most {@code limitForPeriod} permissions; so at most twice as many in any stretch of time of
 * that length. A call for several takes all from one period. One for more than {@code limitForPeriod} is put off until the periods
 * that it needs have gone by. With {@link Builder#smooth} permissions come one after the other, as in {@link
 * dev.latchkey.coordination.Throttle}: at most {@code burst} and as many more as the rate gives, in every stretch of time however short or
 * long; a call for more than the burst is an {@link IllegalArgumentException}.
 *
 * <p><b>Blocking.</b> As the interface says: {@link #acquirePermission} waits for {@code timeoutDuration} at most, without looking at the database
 * meanwhile; when it is interrupted it does not throw, answers false and sets the flag. Permissions go to callers in the order in
 * which they reserve. {@link #reservePermission} does not wait. Inside {@code cache.transact} both join the transaction, and having to wait
 * there is an {@link IllegalStateException}.
 *
 * <p><b>Crashes.</b> A process that dies wastes what its threads have reserved: those of fixed periods one call each, in the time of
 * {@code timeoutDuration}; those of a smooth one the next 10 milliseconds, or one slot. A caller that is interrupted gives back what is to
 * come. A stopped process takes no more than it had reserved. Starting a process refills nothing.
 *
 * <p><b>Thread safety and durability.</b> Any thread may use an object at any time. The state is one committed row; it counts on a clock
 * that no change of the wall clock moves, and after a reboot the wall clock says how much time has passed.
 *
 * <p><b>Errors.</b> A busy database counts as no permission when the time-out is over. A closed cache: {@link
 * dev.latchkey.cache.CacheClosedException}. A period longer than 36 years: {@link IllegalArgumentException}. A name that is smooth in one place and
 * not in another is refused.
 *
 * <p><b>Events and metrics</b> are those of this object: what its process asked for, and how many of its threads wait. The available
 * permissions are those of all; negative if so many are reserved of the time to come.
 *
 * <p><b>Source.</b> Resilience4j's {@code AtomicRateLimiter}, which differs: it spreads a call for several over two periods, so that one of
 * them may see more than the limit.
 */
public final class SharedRateLimiter implements RateLimiter {
    private final String name;
    private final Map<String, String> tags;
    private final Limit limit;
    private final StateStore states;
    private final Events events = new Events();
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile RateLimiterConfig config;

    private SharedRateLimiter(Builder builder) {
        this.name = builder.name;
        this.tags = Map.copyOf(builder.tags);
        this.config = builder.config;
        this.limit = builder.limit();
        this.states = builder.cache.unwrap(CoordinationEngine.class).states();
    }

    /**
     * The rate limiter of a name, with fixed periods.
     *
     * @param cache the directory it lives in
     * @param name its name
     * @param config its limit, period and time-out
     * @return the rate limiter
     * @throws IllegalArgumentException if the name is too long, or the cache does not support coordination
     */
    public static SharedRateLimiter of(Cache cache, String name, RateLimiterConfig config) {
        return builder(cache, name, config).build();
    }

    /**
     * Begins to build a rate limiter with options.
     *
     * @param cache the directory it lives in
     * @param name its name
     * @param config its limit, period and time-out
     * @return a builder
     */
    public static Builder builder(Cache cache, String name, RateLimiterConfig config) {
        return new Builder(cache, name, config);
    }

    // Permissions

    @Override
    public boolean acquirePermission(int permits) {
        requirePositive(permits);
        long timeoutNanos = nanos(config.getTimeoutDuration());
        boolean acquired = acquire(permits, timeoutNanos);
        publish(acquired, permits);
        return acquired;
    }

    private boolean acquire(int permits, long timeoutNanos) {
        long start = System.nanoTime();
        if (limit.tryAcquire(permits)) {
            return true;
        }
        if (timeoutNanos == 0) {
            return false;
        }
        waiting.incrementAndGet();
        try {
            if (limit.acquire(permits, timeoutNanos)) {
                return true;
            }
            if (!states.inTransaction()) {
                sleep(timeoutNanos - (System.nanoTime() - start));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            waiting.decrementAndGet();
        }
        return false;
    }

    /** Whoever is refused has waited for its time all the same, as with the stock rate limiter: calls that fail do not come faster. */
    private void sleep(long nanos) throws InterruptedException {
        long end = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    @Override
    public long reservePermission(int permits) {
        requirePositive(permits);
        long wait = limit.reserve(permits, nanos(config.getTimeoutDuration()));
        publish(wait >= 0, permits);
        return wait;
    }

    private static void requirePositive(int permits) {
        if (permits < 1) {
            throw new IllegalArgumentException("permits must be > 0, was " + permits);
        }
    }

    private static long nanos(Duration timeout) {
        Duration longest = Duration.ofNanos(PeriodState.LONGEST_NANOS);
        return timeout.isNegative() ? 0 : timeout.compareTo(longest) > 0 ? longest.toNanos() : timeout.toNanos();
    }

    /** Takes the permissions that are left of the current period, or of the burst, in all processes together. */
    @Override
    public void drainPermissions() {
        int drained = limit.drain();
        if (events.hasConsumers()) {
            events.processEvent(new RateLimiterOnDrainedEvent(name, drained));
        }
    }

    private void publish(boolean acquired, int permits) {
        if (events.hasConsumers()) {
            events.processEvent(
                    acquired
                            ? new RateLimiterOnSuccessEvent(name, permits)
                            : new RateLimiterOnFailureEvent(name, permits));
        }
    }

    // Configuration

    /** Sets how long the callers of this object wait. */
    @Override
    public void changeTimeoutDuration(Duration timeoutDuration) {
        config = RateLimiterConfig.from(config).timeoutDuration(timeoutDuration).build();
    }

    /**
     * Sets how many permissions there are in each period, for all processes; with fixed periods from the next one on.
     *
     * @param limitForPeriod how many, at least 1
     */
    @Override
    public void changeLimitForPeriod(int limitForPeriod) {
        RateLimiterConfig changed =
                RateLimiterConfig.from(config).limitForPeriod(limitForPeriod).build();
        limit.change(changed.getLimitForPeriod());
    }

    @Override
    public String getName() {
        return name;
    }

    /** The configuration, with the limit as it is stored now. */
    @Override
    public RateLimiterConfig getRateLimiterConfig() {
        RateLimiterConfig last = config;
        int stored = limit.perPeriod();
        if (stored == last.getLimitForPeriod()) {
            return last;
        }
        RateLimiterConfig current =
                RateLimiterConfig.from(last).limitForPeriod(stored).build();
        config = current;
        return current;
    }

    @Override
    public Map<String, String> getTags() {
        return tags;
    }

    @Override
    public Metrics getMetrics() {
        return new Metrics() {
            @Override
            public int getNumberOfWaitingThreads() {
                return waiting.get();
            }

            @Override
            public int getAvailablePermissions() {
                return limit.available();
            }
        };
    }

    @Override
    public EventPublisher getEventPublisher() {
        return events;
    }

    @Override
    public String toString() {
        return "SharedRateLimiter[" + name + ", " + config + "]";
    }

    private static final class Events extends EventProcessor<RateLimiterEvent> implements EventPublisher {
        @Override
        public EventPublisher onSuccess(EventConsumer<RateLimiterOnSuccessEvent> eventConsumer) {
            registerConsumer(RateLimiterOnSuccessEvent.class.getName(), eventConsumer);
            return this;
        }

        @Override
        public EventPublisher onFailure(EventConsumer<RateLimiterOnFailureEvent> eventConsumer) {
            registerConsumer(RateLimiterOnFailureEvent.class.getName(), eventConsumer);
            return this;
        }
    }

    /** Builds a {@link SharedRateLimiter} with options. */
    public static final class Builder {
        private final Cache cache;
        private final String name;
        private final RateLimiterConfig config;
        private Map<String, String> tags = Map.of();
        private long burst = -1;

        private Builder(Cache cache, String name, RateLimiterConfig config) {
            this.cache = Objects.requireNonNull(cache, "cache");
            this.name = Objects.requireNonNull(name, "name");
            this.config = Objects.requireNonNull(config, "config");
        }

        /**
         * Tags of this object, for meters.
         *
         * @param tags names and values
         * @return this builder
         */
        public Builder tags(Map<String, String> tags) {
            this.tags = Objects.requireNonNull(tags, "tags");
            return this;
        }

        /**
         * Permissions come one after the other instead of all at the beginning of a period, and what is not used is saved up to {@code
         * limitForPeriod}, also when that is changed.
         *
         * @return this builder
         */
        public Builder smooth() {
            burst = 0;
            return this;
        }

        /**
         * Permissions come one after the other instead of all at the beginning of a period.
         *
         * @param burst how many can be had at once after a pause, at least 1, which spaces them evenly
         * @return this builder
         * @throws IllegalArgumentException if it is below 1
         */
        public Builder smooth(int burst) {
            if (burst < 1) {
                throw new IllegalArgumentException("burst must be > 0, was " + burst);
            }
            this.burst = burst;
            return this;
        }

        /**
         * The rate limiter.
         *
         * @return a rate limiter with these options
         * @throws IllegalArgumentException if the name is too long, the period is longer than 36 years, or a smooth rate is out of the bounds
         *     of {@link dev.latchkey.coordination.Throttle}
         */
        public SharedRateLimiter build() {
            return new SharedRateLimiter(this);
        }

        private Limit limit() {
            Duration period = config.getLimitRefreshPeriod();
            if (period.compareTo(Duration.ofNanos(PeriodState.LONGEST_NANOS)) > 0) {
                throw new IllegalArgumentException("limitRefreshPeriod must be at most 36 years, was " + period);
            }
            int perPeriod = config.getLimitForPeriod();
            return burst < 0
                    ? new PeriodLimit(
                            cache, RowName.RATE_LIMITER.of(name), new Configuration(perPeriod, period.toNanos()))
                    : new SmoothLimit(cache, name, perPeriod, period, burst);
        }
    }
}
