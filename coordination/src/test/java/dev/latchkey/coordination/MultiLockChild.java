package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Child;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A process that takes pairs of names, or one that looks at all who do, until its parent says STOP. A thread that takes a pair is
 * called by the pair, so that whoever sees what it holds can tell whether that is all of it.
 */
final class MultiLockChild {
    static final List<String> NAMES = List.of("a", "b", "c", "d", "e", "f");
    static final int THREADS = 2;

    private static volatile boolean stopped;

    private MultiLockChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        Cache cache = Cache.open(Path.of(arguments[0]));
        boolean looks = arguments[1].equals("look");
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < (looks ? 1 : THREADS); i++) {
            int number = i;
            threads.add(new Thread(() -> run(cache, looks ? null : Path.of(arguments[1] + "-" + number), number)));
        }
        Child.say("OPEN");
        threads.forEach(Thread::start);
        while (!Child.hear().equals("STOP")) {}
        stopped = true;
        for (Thread thread : threads) {
            thread.join();
        }
        Child.say("STOPPED");
        cache.close();
        Runtime.getRuntime().halt(0);
    }

    private static void run(Cache cache, @Nullable Path log, int number) {
        try {
            if (log == null) {
                look(Inspector.of(cache));
            } else {
                takePairs(cache, log, number);
            }
        } catch (Throwable t) {
            Child.say("FAILED " + t);
        }
    }

    private static void takePairs(Cache cache, Path log, int number) throws IOException {
        Random random = new Random(ProcessHandle.current().pid() * THREADS + number);
        try (OutputStream out = Files.newOutputStream(log)) { // what was written is there after a kill
            while (!stopped) {
                takePair(cache, out, random, number);
            }
        }
    }

    private static void takePair(Cache cache, OutputStream log, Random random, int number) throws IOException {
        List<String> pair = new ArrayList<>(NAMES);
        Collections.shuffle(pair, random);
        String first = pair.get(0);
        String second = pair.get(1);
        Thread.currentThread().setName(first + " " + second + " " + number);
        MultiLock lock = new MultiLock(cache, List.of(first, second));
        lock.lock();
        long from = System.nanoTime();
        long firstToken = lock.fencingToken(first);
        long secondToken = lock.fencingToken(second);
        write(log, "IN " + first + " " + second + " " + from + " " + firstToken + " " + secondToken);
        write(log, "OUT " + System.nanoTime()); // before it is released
        lock.unlock();
    }

    private static void write(OutputStream log, String line) throws IOException {
        log.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static void look(Inspector inspector) {
        long looks = 0;
        long pairs = 0;
        long halves = 0;
        while (!stopped) {
            List<Inspector.HeldLock> locks = inspector.locks();
            Map<String, TreeSet<String>> held = new HashMap<>();
            for (Inspector.HeldLock lock : locks) {
                String who = lock.holder().session() + " " + lock.holder().thread();
                held.computeIfAbsent(who, missing -> new TreeSet<>()).add(lock.name());
            }
            for (Map.Entry<String, TreeSet<String>> one : held.entrySet()) {
                String[] words = one.getKey().split(" ", -1);
                if (one.getValue().equals(new TreeSet<>(List.of(words[1], words[2])))) {
                    pairs++;
                } else {
                    halves++;
                    Child.say("HALF " + one.getKey() + " holds " + one.getValue());
                }
            }
            looks++;
        }
        Child.say("LOOKED " + looks + " " + pairs + " " + halves);
    }
}
