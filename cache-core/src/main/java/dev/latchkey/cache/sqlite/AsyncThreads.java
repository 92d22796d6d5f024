package dev.latchkey.cache.sqlite;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads that make the calls of the asynchronous face of one cache. */
final class AsyncThreads {
    private static final int IDLE_SECONDS = 10;

    private AsyncThreads() {}

    /** Starts so many at most, when they are needed; after a shutdown what waits is still run. */
    static ExecutorService pool(int most) {
        AtomicInteger count = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                most, most, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "latchkey-async-" + count.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }
}
