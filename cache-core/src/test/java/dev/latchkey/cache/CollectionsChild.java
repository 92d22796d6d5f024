package dev.latchkey.cache;

import dev.latchkey.testing.Child;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** A process that uses the deque {@code d} and an index as it is told, line by line. */
final class CollectionsChild {
    private CollectionsChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        Cache cache = Cache.open(Path.of(arguments[0]));
        Deque<String> deque = new Deque<>(cache, "d", String.class);
        Child.say("OPEN");
        while (true) {
            String[] command = Child.hear().split(" ", -1);
            int number = command.length > 1 ? Integer.parseInt(command[1]) : 0;
            switch (command[0]) {
                case "take" -> take(deque, number);
                case "takers" -> takers(deque, number);
                case "serve" -> serve(deque);
                case "put" -> put(deque, command[2], number);
                case "compute" -> compute(Path.of(arguments[1]), number);
                case "crash" -> crash(cache, deque);
                default -> Child.say("UNKNOWN " + command[0]);
            }
        }
    }

    private static void take(Deque<String> deque, int times) throws InterruptedException {
        for (int i = 0; i < times; i++) {
            Child.say("TAKING");
            String item = deque.take();
            Child.say("TOOK " + System.nanoTime() + " " + item);
        }
    }

    /** So many threads wait for an item each. */
    private static void takers(Deque<String> deque, int number) throws InterruptedException {
        CountDownLatch started = new CountDownLatch(number);
        for (int i = 0; i < number; i++) {
            Thread thread = new Thread(() -> {
                started.countDown();
                try {
                    Child.say("GOT " + deque.take());
                } catch (InterruptedException e) {
                    Child.say("INTERRUPTED");
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        started.await();
        Child.say("WAITING");
    }

    /** Takes until it is killed, with several threads; what it has taken it says, whole or not at all. */
    private static void serve(Deque<String> deque) {
        for (int i = 0; i < 3; i++) {
            Thread thread = new Thread(() -> {
                try {
                    while (true) {
                        Child.say("TOOK " + deque.take());
                    }
                } catch (InterruptedException e) {
                    Child.say("INTERRUPTED");
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        Child.say("SERVING");
    }

    private static void put(Deque<String> deque, String item, int times) throws InterruptedException {
        for (int i = 0; i < times; i++) {
            deque.put(item + i);
        }
        Child.say("PUT");
    }

    private static void compute(Path path, int times) throws InterruptedException {
        try (Index<String, Integer> index = Index.open(path, String.class, Integer.class)) {
            Child.ready();
            for (int i = 0; i < times; i++) {
                index.compute("computed", (key, old) -> old == null ? 1 : old + 1);
                index.merge("merged", 1, Integer::sum);
                index.putIfAbsent("only " + i, 1);
                boolean replaced;
                do {
                    Integer old = index.computeIfAbsent("replaced", key -> 0);
                    replaced = index.replace("replaced", old, old + 1);
                } while (!replaced);
            }
            Child.say("COMPUTED");
        }
    }

    /** Dies in the middle of a transaction that has changed all there is. */
    private static void crash(Cache cache, Deque<String> deque) {
        cache.transact(() -> {
            deque.add("x".repeat(40_000));
            deque.rotate(2);
            deque.reverse();
            String unused = deque.poll();
            Child.say("INSIDE");
            while (true) {
                Thread.sleep(1_000);
            }
        });
    }
}
