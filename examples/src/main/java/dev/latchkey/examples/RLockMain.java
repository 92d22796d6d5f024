package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.RLock;
import java.nio.file.Path;

/** A lock that whoever holds it may acquire again: a step that locks is used alone and as a part of a larger one. */
public final class RLockMain {
    private RLockMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            RLock lock = new RLock(cache, "account");
            lock.lock();
            try {
                deposit(cache, lock, 70);
                deposit(cache, lock, 30);
                System.out.println("balance: " + cache.get("balance", Integer.class) + ", held " + lock.getHoldCount()
                        + " time, locked: " + lock.isLocked());
            } finally {
                lock.unlock();
            }
            System.out.println("locked: " + lock.isLocked());
        }
    }

    private static void deposit(Cache cache, RLock lock, int amount) {
        lock.lock();
        try {
            int balance = cache.getOrDefault("balance", Integer.class, 0);
            cache.set("balance", balance + amount);
        } finally {
            lock.unlock();
        }
    }
}
