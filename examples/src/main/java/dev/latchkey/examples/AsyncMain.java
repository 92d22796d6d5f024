package dev.latchkey.examples;

import dev.latchkey.cache.AsyncCache;
import dev.latchkey.cache.Cache;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;

/** Stores and counts without waiting for either. */
public final class AsyncMain {
    private AsyncMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.builder(Path.of(args[0])).asyncThreads(4).open()) {
            AsyncCache async = cache.async();
            CompletableFuture<?>[] stored = new CompletableFuture<?>[100];
            for (int i = 0; i < stored.length; i++) {
                stored[i] = async.set("page" + i, "text " + i);
            }
            String last = CompletableFuture.allOf(stored)
                    .thenCompose(done -> async.get("page99", String.class))
                    .join();
            System.out.println(cache.size() + " pages, the last one: " + last);
        }
    }
}
