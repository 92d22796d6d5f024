package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import java.nio.file.Path;

/** Groups entries by a tag, to find and remove them together. */
public final class TagsMain {
    private TagsMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        // without an index each look for a tag reads every entry
        try (Cache cache = Cache.builder(Path.of(args[0])).tagIndex(true).open()) {
            EntryOptions ofAlice = EntryOptions.none().tag("alice");
            EntryOptions ofBob = EntryOptions.none().tag("bob");
            cache.set("/home", "<h1>Hello Alice</h1>", ofAlice);
            cache.set("/cart", "<h1>3 things</h1>", ofAlice);
            cache.set("/mail", "<h1>no mail</h1>", ofBob);

            System.out.println("alice has " + cache.keysByTag("alice").toList());
            System.out.println("tag of /mail: "
                    + cache.entry("/mail", String.class).orElseThrow().tag().orElseThrow());

            System.out.println("removed: " + cache.evict("alice"));
            System.out.println("left: " + cache.keys().toList());
        }
    }
}
