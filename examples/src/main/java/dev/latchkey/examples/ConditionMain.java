package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Lock;
import java.nio.file.Path;
import java.util.concurrent.locks.Condition;

/** A place for one letter; run it with {@code take} in one terminal and with {@code put} in another. */
public final class ConditionMain {
    private ConditionMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, {@code put} or {@code take}, and how many letters
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        int letters = Integer.parseInt(args[2]);
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            Lock lock = new Lock(cache, "letter box");
            Condition filled = lock.newCondition("filled"); // the same in every process
            Condition emptied = lock.newCondition("emptied");
            for (int i = 1; i <= letters; i++) {
                lock.lock();
                try {
                    if (args[1].equals("put")) {
                        while (cache.containsKey("letter")) {
                            emptied.await();
                        }
                        cache.set("letter", "letter " + i);
                        filled.signal();
                    } else {
                        while (!cache.containsKey("letter")) {
                            filled.await();
                        }
                        System.out.println("took " + cache.pop("letter", String.class));
                        emptied.signal();
                    }
                } finally {
                    lock.unlock();
                }
            }
        }
    }
}
