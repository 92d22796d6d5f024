package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.MultiLock;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** Moves money between two accounts, each of which has a lock; two transfers in opposite directions do not block each other for ever. */
public final class MultiLockMain {
    private MultiLockMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, and perhaps for how many seconds to hold the locks
     * @throws InterruptedException if a thread is interrupted while it waits or works
     */
    public static void main(String[] args) throws InterruptedException {
        Duration work = Duration.ofSeconds(args.length > 1 ? Long.parseLong(args[1]) : 0);
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            cache.add("alice", 100);
            cache.add("bob", 100);
            Thread back = new Thread(() -> transfer(cache, "bob", "alice", 10));
            back.start();
            transfer(cache, "alice", "bob", 30);
            back.join();

            MultiLock both = new MultiLock(cache, List.of("alice", "bob"));
            if (both.tryLock(Duration.ofSeconds(5))) {
                try {
                    System.out.println("holding: " + both.names());
                    Thread.sleep(work.toMillis());
                    System.out.println("alice has " + balance(cache, "alice") + ", bob has " + balance(cache, "bob"));
                } finally {
                    both.unlock();
                }
            }
        }
    }

    private static void transfer(Cache cache, String from, String to, long amount) {
        MultiLock accounts = new MultiLock(cache, List.of(from, to)); // in whatever order
        accounts.lock();
        try {
            long left = balance(cache, from) - amount;
            accounts.runFenced(
                    () -> { // both or none, and only while both locks are held
                        cache.set(from, left);
                        cache.incr(to, amount);
                    });
        } finally {
            accounts.unlock();
        }
    }

    private static long balance(Cache cache, String account) {
        return Objects.requireNonNull(cache.get(account, Long.class), account);
    }
}
