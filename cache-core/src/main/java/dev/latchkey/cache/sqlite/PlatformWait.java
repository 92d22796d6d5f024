package dev.latchkey.cache.sqlite;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Keeps native waiting off virtual threads, whose carriers it would pin: a virtual thread parks while a platform thread
 * waits for it.
 */
final class PlatformWait implements AutoCloseable {
    /** {@code Thread.isVirtual}, which came with Java 21. */
    private static final @Nullable MethodHandle IS_VIRTUAL = isVirtual();

    private static final AtomicInteger COUNT = new AtomicInteger();

    private final ExecutorService waiters = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "latchkey-waiter-" + COUNT.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    });

    void run(Runnable wait) {
        if (!onVirtualThread()) {
            wait.run();
            return;
        }
        Future<?> future = waiters.submit(wait);
        try {
            future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the caller looks at the flag; the wait ends by itself
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException("waiting failed", e.getCause());
        }
    }

    private static boolean onVirtualThread() {
        try {
            return IS_VIRTUAL != null && (boolean) IS_VIRTUAL.invokeExact(Thread.currentThread());
        } catch (Throwable t) {
            throw new IllegalStateException("Thread.isVirtual failed", t);
        }
    }

    private static @Nullable MethodHandle isVirtual() {
        try {
            return MethodHandles.publicLookup()
                    .findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    @Override
    public void close() {
        waiters.shutdown();
    }
}
