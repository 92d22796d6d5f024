package dev.latchkey.examples;

import dev.latchkey.cache.Bound;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Deque;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A deque that processes share: its ends, its bounds, and waiting. With {@code put TEXT} it wakes one that waits. */
public final class DequeMain {
    private DequeMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory; then nothing, {@code take SECONDS}, or {@code put TEXT}
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            Deque<String> messages = new Deque<>(cache, "messages", String.class);
            if (args.length > 1 && args[1].equals("take")) {
                System.out.println("waiting");
                System.out.println("took " + messages.poll(Long.parseLong(args[2]), TimeUnit.SECONDS));
            } else if (args.length > 1) {
                messages.put(args[2]);
            } else {
                showEnds(cache);
                showBounds(cache);
            }
        }
    }

    private static void showEnds(Cache cache) {
        Deque<Integer> numbers = new Deque<>(cache, "numbers", Integer.class);
        numbers.clear();
        numbers.addAll(List.of(1, 2, 3, 4));
        numbers.addFirst(0);
        numbers.rotate(2); // one step, whatever other processes do meanwhile
        System.out.println("rotated: " + numbers + ", second: " + numbers.get(1));
        System.out.println("first: " + numbers.pollFirst() + ", last: " + numbers.pollLast());
        List<Integer> rest = new ArrayList<>();
        numbers.drainTo(rest);
        System.out.println("rest: " + rest);
    }

    private static void showBounds(Cache cache) {
        Deque<String> jobs =
                Deque.builder(cache, "jobs", String.class).capacity(2).build();
        jobs.clear();
        System.out.println("offered: " + jobs.offer("a") + ", " + jobs.offer("b") + ", " + jobs.offer("c"));
        Deque<String> recent = Deque.builder(cache, "recent", String.class)
                .bound(Bound.maxlen(2)) // forgets the oldest
                .build();
        recent.extend(List.of("monday", "tuesday", "wednesday"));
        System.out.println("recent: " + recent);
    }
}
