package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.BoundedSemaphore;
import dev.latchkey.coordination.Inspector;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.MemoizeStampede;
import dev.latchkey.coordination.Throttle;
import dev.latchkey.testing.Child;
import java.nio.file.Path;
import java.time.Duration;

/** Uses what Resilience4j's interfaces are implemented on. */
final class WithoutResilience4jChild {
    private WithoutResilience4jChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        try {
            Child.say("FOUND " + Class.forName("io.github.resilience4j.core.Registry"));
        } catch (ClassNotFoundException e) {
            Child.say("ABSENT");
        }
        try (Cache cache = Cache.open(Path.of(arguments[0]))) {
            Lock lock = new Lock(cache, "lock");
            lock.lock();
            Child.say("LOCKED " + Inspector.of(cache).locks().size());
            lock.unlock();
            new BoundedSemaphore(cache, "semaphore", 1).acquirePermit().close();
            new Throttle(cache, "throttle", 1, Duration.ofHours(1)).acquire();
            String result = MemoizeStampede.builder(cache, "f")
                    .build()
                    .wrap(String.class, (String key) -> "f of " + key)
                    .apply("x");
            Child.say("DONE " + result);
        }
    }
}
