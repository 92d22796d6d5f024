package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheClosedException;
import dev.latchkey.coordination.BoundedSemaphore;
import dev.latchkey.coordination.LockLostException;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.bulkhead.event.BulkheadEvent;
import io.github.resilience4j.bulkhead.event.BulkheadOnCallFinishedEvent;
import io.github.resilience4j.bulkhead.event.BulkheadOnCallPermittedEvent;
import io.github.resilience4j.bulkhead.event.BulkheadOnCallRejectedEvent;
import io.github.resilience4j.core.EventConsumer;
import io.github.resilience4j.core.EventProcessor;
import io.github.resilience4j.core.exception.AcquirePermissionCancelledException;
import java.util.Map;
import java.util.Objects;

/**
 * A bulkhead of Resilience4j that all processes which open one directory share: {@code maxConcurrentCalls} is how many calls there are in
 * all of them together.
 *
 * <pre>{@code
 * Bulkhead backend = SharedBulkhead.of(cache, "backend", BulkheadConfig.custom()
 *         .maxConcurrentCalls(10)
 *         .maxWaitDuration(Duration.ofMillis(500))
 *         .build());
 * Supplier<Page> guarded = Bulkhead.decorateSupplier(backend, this::fetch);
 * }</pre>
 *
 * <p><b>Scope and ownership.</b> All objects of one name on one directory are one bulkhead, in this process and in every other; a rate limiter
 * or circuit breaker may have the same name. A permission is its process's, not a thread's: any thread and any object of the name may give it
 * back. The maximum that {@link #changeConfig} sets counts for all processes, and stays when they are started again. It is forgotten when
 * an object is made with another maximum than the last one was: then that counts for all. The longest wait and the tags are those of the object.
 *
 * <p><b>Blocking.</b> As the interface says: a call waits for {@code maxWaitDuration} at most; when it is interrupted, {@link
 * #tryAcquirePermission} answers false, {@link #acquirePermission} throws {@link AcquirePermissionCancelledException}, and both set the flag.
 * Waiting is fair between processes whatever {@code fairCallHandlingStrategyEnabled} says, and as in {@link BoundedSemaphore}. Inside
 * {@code cache.transact} nothing can be acquired ({@link IllegalStateException}); giving back joins the transaction.
 *
 * <p><b>Crashes.</b> When a process dies its permissions are free again within 50 milliseconds of the kernel having taken it down. A
 * stopped process keeps them; the {@link dev.latchkey.coordination.Inspector} shows who has which, under the name {@code
 * resilience4j/bulkhead/} and that of the bulkhead.
 *
 * <p><b>Thread safety.</b> Any thread may use an object at any time.
 *
 * <p><b>Errors.</b> Giving back what this process does not hold is an {@link IllegalMonitorStateException}, where the stock bulkhead would let in one
 * call more from then on. Giving back what was lost meanwhile, because it was forced free or the cache was closed, does nothing: the
 * outcome of the call counts. A closed cache: {@link CacheClosedException}.
 *
 * <p><b>Events and metrics.</b> Events are those of this object; the available calls are those of all processes.
 *
 * <p><b>Source.</b> Resilience4j's {@code SemaphoreBulkhead}, which differs: there {@link #changeConfig} waits until as many calls are over as
 * the maximum is lowered by; here it returns at once, and a lower maximum takes effect as calls end.
 */
public final class SharedBulkhead implements Bulkhead {
    private final String name;
    private final Map<String, String> tags;
    private final SharedNumber maximum;
    private final BoundedSemaphore semaphore;
    private final Events events = new Events();
    private volatile BulkheadConfig config;

    private SharedBulkhead(Cache cache, String name, BulkheadConfig config, Map<String, String> tags) {
        this.name = Objects.requireNonNull(name, "name");
        this.tags = Map.copyOf(tags);
        this.config = Objects.requireNonNull(config, "config");
        int calls = config.getMaxConcurrentCalls();
        this.maximum = new SharedNumber(cache, RowName.BULKHEAD.configurationOf(name), String.valueOf(calls), calls);
        String row = RowName.BULKHEAD.of(name);
        this.semaphore = maximum.configure(
                (configured, stored) -> new BoundedSemaphore(cache, row, permits(stored)), SharedBulkhead::resize);
    }

    /**
     * The bulkhead of a name.
     *
     * @param cache the directory it lives in
     * @param name its name
     * @param config its maximum and longest wait
     * @return the bulkhead
     * @throws IllegalArgumentException if the name is too long, or the cache does not support coordination
     */
    public static SharedBulkhead of(Cache cache, String name, BulkheadConfig config) {
        return of(cache, name, config, Map.of());
    }

    /**
     * The bulkhead of a name, with tags.
     *
     * @param cache the directory it lives in
     * @param name its name
     * @param config its maximum and longest wait
     * @param tags tags of this object, for meters
     * @return the bulkhead
     * @throws IllegalArgumentException if the name is too long, or the cache does not support coordination
     */
    public static SharedBulkhead of(Cache cache, String name, BulkheadConfig config, Map<String, String> tags) {
        return new SharedBulkhead(cache, name, config, tags);
    }

    /** A semaphore has at least one permit; nobody asks for it while the maximum is 0. */
    private static int permits(int calls) {
        return Math.max(1, calls);
    }

    private static void resize(BoundedSemaphore semaphore, int calls) {
        semaphore.resize(permits(calls));
    }

    // Permissions

    @Override
    public boolean tryAcquirePermission() {
        boolean permitted = maximum.get() > 0 && acquire();
        if (events.hasConsumers()) {
            events.processEvent(
                    permitted ? new BulkheadOnCallPermittedEvent(name) : new BulkheadOnCallRejectedEvent(name));
        }
        return permitted;
    }

    private boolean acquire() {
        try {
            return semaphore.tryAcquire(config.getMaxWaitDuration());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void acquirePermission() {
        if (!tryAcquirePermission()) {
            if (Thread.currentThread().isInterrupted()) {
                throw new AcquirePermissionCancelledException();
            }
            throw BulkheadFullException.createBulkheadFullException(this);
        }
    }

    @Override
    public void releasePermission() {
        try {
            semaphore.release();
        } catch (LockLostException | CacheClosedException e) {
            // somebody else may have it by now: there is nothing left to give back
        }
    }

    @Override
    public void onComplete() {
        releasePermission();
        if (events.hasConsumers()) {
            events.processEvent(new BulkheadOnCallFinishedEvent(name));
        }
    }

    // Configuration

    /**
     * Sets another configuration: its maximum for all processes, the rest for this object. Who waits already waits as long as before.
     *
     * @param newConfig what counts from now on
     */
    @Override
    public void changeConfig(BulkheadConfig newConfig) {
        maximum.change(semaphore, newConfig.getMaxConcurrentCalls(), SharedBulkhead::resize);
        config = newConfig;
    }

    @Override
    public String getName() {
        return name;
    }

    /** The configuration, with the maximum as it is stored now. */
    @Override
    public BulkheadConfig getBulkheadConfig() {
        BulkheadConfig last = config;
        int stored = maximum.get();
        return stored == last.getMaxConcurrentCalls()
                ? last
                : BulkheadConfig.from(last).maxConcurrentCalls(stored).build();
    }

    @Override
    public Metrics getMetrics() {
        return new Metrics() {
            @Override
            public int getAvailableConcurrentCalls() {
                return maximum.get() == 0 ? 0 : semaphore.availablePermits();
            }

            @Override
            public int getMaxAllowedConcurrentCalls() {
                return maximum.get();
            }
        };
    }

    @Override
    public Map<String, String> getTags() {
        return tags;
    }

    @Override
    public EventPublisher getEventPublisher() {
        return events;
    }

    @Override
    public String toString() {
        return "SharedBulkhead[" + name + "]";
    }

    private static final class Events extends EventProcessor<BulkheadEvent> implements EventPublisher {
        @Override
        public EventPublisher onCallPermitted(EventConsumer<BulkheadOnCallPermittedEvent> eventConsumer) {
            registerConsumer(BulkheadOnCallPermittedEvent.class.getName(), eventConsumer);
            return this;
        }

        @Override
        public EventPublisher onCallRejected(EventConsumer<BulkheadOnCallRejectedEvent> eventConsumer) {
            registerConsumer(BulkheadOnCallRejectedEvent.class.getName(), eventConsumer);
            return this;
        }

        @Override
        public EventPublisher onCallFinished(EventConsumer<BulkheadOnCallFinishedEvent> eventConsumer) {
            registerConsumer(BulkheadOnCallFinishedEvent.class.getName(), eventConsumer);
            return this;
        }
    }
}
