package dev.latchkey.stress.worker;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Side;
import dev.latchkey.coordination.Claim;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.LockHandle;
import dev.latchkey.coordination.WorkQueue;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.DirectoryTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Loads what the first use of everything loads, so that a run itself is not spent on that; as a process, so that it can be archived. */
public final class WarmUp {
    private WarmUp() {}

    /** Warms up and ends. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Child.start();
        run();
        Child.say(Child.READY);
        System.exit(0);
    }

    static void run() throws IOException, InterruptedException {
        Path elsewhere = Files.createTempDirectory("warm-");
        try (Cache cache = Cache.open(elsewhere)) {
            try (LockHandle handle = new Lock(cache, "warm").acquire()) {
                handle.runFenced(() -> cache.set("warm", new byte[40_000]));
            }
            cache.incr("count", 1, 0);
            cache.push(new byte[40_000]);
            cache.pull(null, Side.FRONT, byte[].class);
            WorkQueue<String> queue = new WorkQueue<>(cache, "warm-queue", String.class);
            queue.put("item");
            queue.claim(Duration.ZERO).ifPresent(Claim::ack);
        }
        DirectoryTree.delete(elsewhere);
    }
}
