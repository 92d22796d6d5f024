package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Child;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A process that asks for memoized results: {@code ask KEY THREADS MILLIS START} has so many threads ask for a key at an instant of
 * {@code System.nanoTime}, which is one clock for all processes of a host. A computation is counted in the cache, says so,
 * takes so many milliseconds, and results in the pid of its process.
 */
final class MemoizeChild {
    private MemoizeChild() {}

    public static void main(String[] arguments) throws Exception {
        Child.start();
        Cache cache = Cache.open(Path.of(arguments[0]));
        ExecutorService threads = Executors.newCachedThreadPool();
        Child.say("OPEN");
        while (true) {
            String[] command = Child.hear().split(" ", -1);
            Child.say(ask(cache, threads, command[1], Integer.parseInt(command[2]), command[3], command[4]));
        }
    }

    private static String ask(Cache cache, ExecutorService threads, String key, int number, String millis, String start)
            throws Exception {
        long cost = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(millis));
        Function<String, @Nullable Long> function = MemoizeStampede.builder(cache, "pid")
                .build()
                .wrap(Long.class, argument -> compute(cache, argument, cost));
        List<Future<@Nullable Long>> asking = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            asking.add(threads.submit(() -> {
                long left = Long.parseLong(start) - System.nanoTime();
                while (left > 0) {
                    LockSupport.parkNanos(left);
                    left = Long.parseLong(start) - System.nanoTime();
                }
                return function.apply(key);
            }));
        }
        Set<Long> results = new TreeSet<>();
        for (Future<@Nullable Long> each : asking) {
            results.add(each.get());
        }
        return "ASKED " + System.nanoTime() + " " + results;
    }

    private static long compute(Cache cache, String argument, long cost) {
        cache.incr("computed " + argument);
        Child.say("COMPUTING " + argument);
        long end = System.nanoTime() + cost;
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
        return ProcessHandle.current().pid();
    }
}
