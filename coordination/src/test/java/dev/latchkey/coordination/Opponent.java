package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Holdable.Held;
import dev.latchkey.testing.JavaProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Somebody else, who holds what keeps the test from acquiring the name {@code a}. */
interface Opponent extends AutoCloseable {
    /** Waits for it. */
    void acquire() throws Exception;

    /** Whether it was acquired in time. */
    boolean tryAcquire(Duration patience) throws Exception;

    void release() throws Exception;

    /** Gives back what it does not hold, and fails as that does. */
    void releaseOfOthers() throws Exception;

    /** Uses a name as that of a queue. */
    void makeQueue(String name) throws Exception;

    /** Uses a name as that of a semaphore. */
    void makeSemaphore(String name, int permits) throws Exception;

    /** Whether it holds nothing any more when the cache of the test is closed. */
    boolean endsWithTheCache();

    /** A thread of this process. */
    final class Here implements Opponent {
        private final ExecutorService thread = Executors.newSingleThreadExecutor();
        private final Holdable what;
        private final Supplier<Cache> cache;
        private @Nullable Held held;

        Here(Holdable what, Supplier<Cache> cache) {
            this.what = what;
            this.cache = cache;
        }

        private <T> T call(Callable<T> call) throws Exception {
            try {
                return CacheFixture.get(thread.submit(call));
            } catch (java.util.concurrent.ExecutionException e) {
                throw e.getCause() instanceof Exception cause ? cause : e;
            }
        }

        @Override
        public void acquire() throws Exception {
            held = call(() -> what.acquire(cache.get(), "a"));
        }

        @Override
        public boolean tryAcquire(Duration patience) throws Exception {
            held = call(() -> what.tryAcquire(cache.get(), "a", patience));
            return held != null;
        }

        @Override
        public void release() throws Exception {
            call(Executors.callable(Objects.requireNonNull(held)::giveBack));
        }

        @Override
        public void releaseOfOthers() throws Exception {
            call(Executors.callable(() -> what.giveBackOfOthers(cache.get(), "a")));
        }

        @Override
        public void makeQueue(String name) throws Exception {
            call(Executors.callable(() -> new WorkQueue<>(cache.get(), name, String.class).put("x")));
        }

        @Override
        public void makeSemaphore(String name, int permits) throws Exception {
            call(() -> new BoundedSemaphore(cache.get(), name, permits));
        }

        @Override
        public boolean endsWithTheCache() {
            return true;
        }

        @Override
        public void close() throws Exception {
            thread.shutdownNow();
            if (!thread.awaitTermination(10, TimeUnit.SECONDS)) {
                throw new AssertionError("the opponent hangs");
            }
        }
    }

    /** Another process, which opens the directory of the test. */
    final class Elsewhere implements Opponent {
        private final JavaProcess child;
        private final Holdable what;

        Elsewhere(JavaProcess child, Holdable what, Path directory) {
            this.child = child;
            this.what = what;
            ask("open " + directory, "OPENED");
        }

        private String ask(String line, String expected) {
            child.send(line);
            String answer = child.await("", CacheFixture.SOON);
            if (answer.startsWith("FAILED " + IllegalMonitorStateException.class.getName())) {
                throw new IllegalMonitorStateException(answer);
            }
            if (!answer.startsWith(expected)) {
                throw new AssertionError(line + ": " + answer);
            }
            return answer;
        }

        @Override
        public void acquire() {
            ask("acquire " + what + " a", "ACQUIRED");
        }

        @Override
        public boolean tryAcquire(Duration patience) {
            return !ask("try " + what + " a " + patience.toMillis(), "").equals("REFUSED");
        }

        @Override
        public void release() {
            ask("release " + what + " a", "RELEASED");
        }

        @Override
        public void releaseOfOthers() {
            ask("release-of-others " + what + " a", "RELEASED");
        }

        @Override
        public void makeQueue(String name) {
            ask("queue " + name, "MADE");
        }

        @Override
        public void makeSemaphore(String name, int permits) {
            ask("semaphore " + name + " " + permits, "MADE");
        }

        @Override
        public boolean endsWithTheCache() {
            return false;
        }

        @Override
        public void close() {
            ask("close", "CLOSED");
        }
    }
}
