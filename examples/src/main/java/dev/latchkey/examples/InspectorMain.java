package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Claim;
import dev.latchkey.coordination.Inspector;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.LockLostException;
import dev.latchkey.coordination.WorkQueue;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Shows who holds what, and frees a lock by force. For a directory that others use there is a program: {@code
 * dev.latchkey.coordination.Inspector DIRECTORY}.
 */
public final class InspectorMain {
    private InspectorMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if the thread is interrupted while it claims an item
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            Inspector inspector = Inspector.of(cache);
            Lock lock = new Lock(cache, "report");
            WorkQueue<String> queue = new WorkQueue<>(cache, "pages", String.class);
            queue.put("https://example.org/");

            lock.lock();
            try (Claim<String> claim = queue.claim(Duration.ZERO).orElseThrow()) {
                for (Inspector.HeldLock held : inspector.locks()) {
                    System.out.println(
                            "lock " + held.name() + ": thread " + held.holder().thread());
                }
                for (Inspector.ClaimedItem claimed : inspector.claims()) {
                    System.out.println("queue " + claimed.queue() + ": attempt " + claimed.attempt());
                }
                for (Inspector.SessionEntry session : inspector.sessions()) {
                    System.out.println("session of " + session.label() + ": alive " + session.alive());
                }
                claim.ack();
            }

            // the way out when a holder is stopped for ever; here it is this thread, and is told when it comes to
            // unlock
            for (Inspector.HeldLock held : inspector.locks()) {
                System.out.println("freed: "
                        + inspector.forceRelease(held.name(), held.holder().token()));
            }
            try {
                lock.unlock();
            } catch (LockLostException e) {
                System.out.println("lost");
            }

            inspector.delete("report"); // nobody uses the name any more
            System.out.println("queues: " + inspector.queues().size() + ", locks: "
                    + inspector.locks().size());
        }
    }
}
