package dev.latchkey.coordination;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Calls user code that wants to be told of a loss: one call after the other, on a thread of its own that is there while there is
 * something to tell, so that a listener which takes long delays other listeners and nothing else.
 */
final class Listeners implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 10;

    private final ThreadPoolExecutor executor =
            new ThreadPoolExecutor(0, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), ListenerThread::new);

    private static final class ListenerThread extends Thread {
        ListenerThread(Runnable task) {
            super(task, "latchkey-listener");
            setDaemon(true);
        }
    }

    void call(Runnable listener) {
        try {
            executor.execute(listener);
        } catch (RejectedExecutionException e) {
            // the cache is closed, and those who waited to be told of that have been told
        }
    }

    /** Waits until all have been told; a listener that closes the engine cannot wait for its own end. */
    @Override
    public void close() {
        executor.shutdown();
        boolean interrupted = false;
        while (!(Thread.currentThread() instanceof ListenerThread)) {
            try {
                boolean unused = executor.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS);
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
