package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.JavaProcess;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/** Somebody else, who gets in the way of the test under the name {@code a}, and out of it. */
interface Opposition extends AutoCloseable {
    void raise(Obstacle what) throws Exception;

    void lift(Obstacle what) throws Exception;

    @Override
    void close();

    /** Threads of this process. */
    final class Here implements Opposition {
        private final Cache cache;
        private final Map<Obstacle, Obstacle.Raised> raised = new ConcurrentHashMap<>();

        Here(Cache cache) {
            this.cache = cache;
        }

        @Override
        public void raise(Obstacle what) throws Exception {
            raised.put(what, what.raise(cache, "a"));
        }

        @Override
        public void lift(Obstacle what) throws Exception {
            Objects.requireNonNull(raised.remove(what)).lift();
        }

        @Override
        public void close() {
            // its threads end with the cache
        }
    }

    /** Another process, which opens the directory of the test. */
    final class Elsewhere implements Opposition {
        private final JavaProcess child;

        Elsewhere(JavaProcess child, Path directory) {
            this.child = child;
            ProcessFixture.ask(child, "open " + directory, "OPENED");
        }

        @Override
        public void raise(Obstacle what) {
            ProcessFixture.ask(child, "raise " + what + " a", "RAISED");
        }

        @Override
        public void lift(Obstacle what) {
            ProcessFixture.ask(child, "lift " + what + " a", "LIFTED");
        }

        @Override
        public void close() {
            ProcessFixture.ask(child, "close", "CLOSED");
        }
    }
}
