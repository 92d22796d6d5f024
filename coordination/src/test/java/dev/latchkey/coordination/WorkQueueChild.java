package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.Child;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** A process that puts, claims and gives back items of the queue {@code q} as it is told, line by line; {@code @} for beside. */
final class WorkQueueChild {
    private WorkQueueChild() {}

    /** The thread that does it is one of which {@link Delay} can tell for how long it had no processor. */
    public static void main(String[] arguments) throws Exception {
        Child.start();
        Thread worker = new Thread(() -> work(Path.of(arguments[0])), "w");
        worker.start();
        worker.join();
    }

    private static void work(Path directory) {
        try (Cache cache = Cache.open(directory)) {
            WorkQueue<String> queue = new WorkQueue<>(cache, "q", String.class);
            Deque<Claim<String>> claims = new ArrayDeque<>();
            Child.say("OPEN");
            while (true) {
                String line = Child.hear();
                if (line.startsWith("@")) {
                    Thread thread = new Thread(() -> run(cache, queue, claims, line.substring(1)));
                    thread.setDaemon(true);
                    thread.start();
                } else {
                    run(cache, queue, claims, line);
                }
            }
        } catch (InterruptedException e) {
            Child.say("FAILED " + e);
        }
    }

    private static void run(Cache cache, WorkQueue<String> queue, Deque<Claim<String>> claims, String line) {
        String[] command = line.split(" ", -1);
        try {
            Child.say(
                    switch (command[0]) {
                        case "put" -> put(queue, command[1], Integer.parseInt(command[2]));
                        case "claim" -> claim(queue, claims, Duration.ofMillis(Long.parseLong(command[1])));
                        case "batch" -> batch(queue, claims, Integer.parseInt(command[1]));
                        case "ack" -> ack(claims);
                        case "nack" -> nack(claims);
                        case "serve" -> serve(queue, command[1]);
                        case "cycles" -> cycles(queue, Integer.parseInt(command[1]));
                        case "residue" -> residue();
                        case "close" -> close(cache);
                        default -> "UNKNOWN " + command[0];
                    });
        } catch (InterruptedException e) {
            Child.say("INTERRUPTED " + command[0]);
        } catch (Throwable t) {
            Child.say("FAILED " + command[0] + " " + t);
        }
    }

    private static String put(WorkQueue<String> queue, String item, int priority) {
        long start = System.nanoTime();
        queue.put(item, PutOptions.none().priority(priority));
        return "PUT " + start;
    }

    private static String claim(WorkQueue<String> queue, Deque<Claim<String>> claims, Duration wait)
            throws InterruptedException {
        Optional<Claim<String>> claim = queue.claim(wait);
        long now = System.nanoTime();
        claim.ifPresent(claims::add);
        return "CLAIMED " + claim.map(one -> one.value() + " " + one.attempt()).orElse("- 0") + " " + now;
    }

    private static String batch(WorkQueue<String> queue, Deque<Claim<String>> claims, int max)
            throws InterruptedException {
        StringBuilder answer = new StringBuilder("CLAIMED");
        for (Claim<String> claim : queue.claimBatch(max, Duration.ofSeconds(10))) {
            claims.add(claim);
            answer.append(' ').append(claim.value()).append(':').append(claim.attempt());
        }
        return answer.toString();
    }

    private static String ack(Deque<Claim<String>> claims) {
        claims.remove().ack();
        return "ACKNOWLEDGED";
    }

    private static String nack(Deque<Claim<String>> claims) {
        claims.remove().nack();
        return "GIVEN BACK";
    }

    /** Works on all there is, without a pause, until it gets the item that it is told of; says when it is under way. */
    private static String serve(WorkQueue<String> queue, String awaited) throws InterruptedException {
        for (int served = 0; true; served++) {
            if (served == 10) {
                Child.say("SERVING");
            }
            try (Claim<String> claim = queue.claim(Duration.ofSeconds(20)).orElseThrow()) {
                long now = System.nanoTime();
                String value = claim.value();
                claim.ack();
                if (value.equals(awaited)) {
                    return "SERVED " + now + " " + claim.attempt();
                }
                queue.put(value); // the backlog never ends
            }
        }
    }

    /** Whatever one can do with a queue, on four threads, until it is done or killed. */
    private static String cycles(WorkQueue<String> queue, int rounds) throws InterruptedException {
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                for (int round = 0; round < rounds; round++) {
                    cycle(queue, ThreadLocalRandom.current().nextInt(8));
                }
            });
            threads[i].start();
        }
        boolean alive = true;
        while (alive) {
            alive = false;
            for (Thread thread : threads) {
                thread.join(1 + ThreadLocalRandom.current().nextInt(5));
                if (thread.isAlive()) {
                    alive = true;
                    if (ThreadLocalRandom.current().nextInt(4) == 0) {
                        thread.interrupt();
                    }
                }
            }
        }
        return "CYCLED";
    }

    private static void cycle(WorkQueue<String> queue, int what) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        Duration patience = Duration.ofMillis(random.nextInt(20));
        try {
            if (what < 2) {
                PutOptions options =
                        PutOptions.none().priority(random.nextInt(3)).delay(patience);
                queue.put("item", what == 0 ? options : options.dedupKey("key" + random.nextInt(3)));
                return;
            }
            for (Iterator<Claim<String>> claims =
                            queue.claimBatch(1 + random.nextInt(3), patience).iterator();
                    claims.hasNext(); ) {
                try (Claim<String> claim = claims.next()) {
                    TimeUnit.MICROSECONDS.sleep(random.nextInt(2000));
                    switch (what) {
                        case 2 -> claim.nack(patience, "not now");
                        case 3 -> claim.deadLetter("never");
                        case 4 -> {} // closed
                        default -> claim.ack();
                    }
                } finally {
                    claims.forEachRemaining(Claim::close);
                }
            }
        } catch (InterruptedException e) {
            // one of the ways for it to end
        }
    }

    private static String residue() {
        String[] descriptors = new File("/proc/self/fd").list();
        return "RESIDUE " + Thread.activeCount() + " " + (descriptors == null ? 0 : descriptors.length);
    }

    private static String close(Cache cache) {
        cache.close();
        return "CLOSED";
    }
}
