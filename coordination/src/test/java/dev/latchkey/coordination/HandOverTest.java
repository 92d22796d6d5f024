package dev.latchkey.coordination;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.StateStore;
import dev.latchkey.testing.TestDirectory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A grant on its way from one thread of a process to the next. */
class HandOverTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    /** What happens before each update of a state, and after it has been committed. */
    private interface Watcher {
        void before(int update) throws Exception;

        void after(int update) throws Exception;
    }

    /** The engine of a cache with a watcher at its updates. */
    private static CoordinationEngine watched(Cache cache, Watcher watcher) {
        CoordinationEngine engine = cache.unwrap(CoordinationEngine.class);
        int[] updates = new int[1];
        StateStore states = proxy(StateStore.class, engine.states(), (name, call) -> {
            if (!name.equals("update")) {
                return call.run();
            }
            int update = updates[0]++;
            watcher.before(update);
            Object result = call.run();
            watcher.after(update);
            return result;
        });
        return proxy(CoordinationEngine.class, engine, (name, call) -> name.equals("states") ? states : call.run());
    }

    private interface Call {
        Object run() throws Throwable;
    }

    private interface Around {
        Object call(String method, Call call) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, T target, Around around) {
        return type.cast(Proxy.newProxyInstance(
                HandOverTest.class.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> around.call(method.getName(), () -> {
                    try {
                        return method.invoke(target, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                })));
    }

    /**
     * In the stress test, a thread whose timed attempt had failed was told by its next one that it held the lock already. It
     * had given up while another thread was passing the lock to it, and was its owner until that thread released it.
     */
    @Test
    void aLockThatWasPassedToAThreadWhichHasGivenUpIsNotThatThreads() throws Exception {
        Thread[] thread = new Thread[1];
        ExecutorService heir = Executors.newSingleThreadExecutor(task -> thread[0] = new Thread(task));
        List<Boolean> ownedByHeir = new ArrayList<>();
        CompletableFuture<Grant> attempt = new CompletableFuture<>();
        LockCohort[] cohort = new LockCohort[1];
        try (Cache cache = Cache.open(directory.path())) {
            CoordinationEngine engine = watched(cache, new Watcher() {
                @Override
                public void before(int update) throws Exception {
                    if (update == 2) { // the passed lock is nobody's, and is being released
                        ownedByHeir.add(heir.submit(() -> {
                                    Grant held = cohort[0].holder();
                                    return held != null && held.isOwnedByCurrentThread();
                                })
                                .get(10, TimeUnit.SECONDS));
                    }
                }

                @Override
                public void after(int update) throws Exception {
                    if (update == 1) { // passed, and nobody knows it yet
                        assertNull(attempt.get(10, TimeUnit.SECONDS));
                    }
                }
            });
            cohort[0] = new LockCohort(engine, "a", Cohorts.of(engine));
            Grant held = cohort[0].tryAcquire(true);
            assertNotNull(held);
            Deadline soon = Deadline.after(Duration.ofMillis(300)).interruptibly();
            Future<Boolean> unused = heir.submit(() -> attempt.complete(cohort[0].acquire(soon, true)));
            await().pollInterval(Duration.ofMillis(2)).until(() -> thread[0].getState() == Thread.State.TIMED_WAITING);
            assertTrue(cohort[0].release(held));
            assertEquals(List.of(false), ownedByHeir);
            assertFalse(new Lock(cache, "a").isLocked());
        } finally {
            heir.shutdownNow();
        }
    }
}
