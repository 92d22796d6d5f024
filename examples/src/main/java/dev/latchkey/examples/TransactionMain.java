package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import java.nio.file.Path;

/** Several calls in one transaction: all of them or none, also for other processes, and for values in files. */
public final class TransactionMain {
    private static final int LINES = 10_000; // so that the statement is in a file

    private TransactionMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            cache.set("alice", 100);
            cache.set("bob", 0);
            System.out.println("alice has " + transfer(cache, 70));
            try {
                transfer(cache, 71);
            } catch (IllegalStateException e) {
                System.out.println(e.getMessage());
            }
            System.out.println("alice has " + cache.get("alice", int.class));
            System.out.println("bob has " + cache.get("bob", int.class));
            System.out.println("statement: "
                    + cache.getOrDefault("statement", String.class, "")
                            .lines()
                            .findFirst()
                            .orElse("none"));
        }
    }

    private static long transfer(Cache cache, long amount) {
        return cache.transact(() -> {
            cache.incr("bob", amount);
            cache.set("statement", ("sent " + amount + "\n").repeat(LINES));
            long left = cache.decr("alice", amount);
            if (left < 0) {
                throw new IllegalStateException("alice is short of " + -left); // undoes all three
            }
            return left;
        });
    }
}
