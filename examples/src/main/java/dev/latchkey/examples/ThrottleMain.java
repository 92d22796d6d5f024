package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Reservation;
import dev.latchkey.coordination.Throttle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Function;

/** Calls something no more often than it likes, from all processes together; run it in two terminals at once. */
public final class ThrottleMain {
    private ThrottleMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            // 20 per second, evenly spaced: the burst is 1
            Throttle api = Throttle.builder(cache, "api", 20, Duration.ofSeconds(1))
                    .burst(1)
                    .build();

            api.acquire();
            long start = System.nanoTime();
            Function<String, String> fetch = api.wrap(ThrottleMain::fetch); // each call acquires first
            for (String page : new String[] {"a", "b", "c", "d"}) {
                System.out.println(fetch.apply(page));
            }
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            System.out.println("four pages took at least 150 ms: " + (took.toMillis() >= 150));

            // one that may come at once three times an hour, and that nobody wants to wait for
            Throttle mail = new Throttle(cache, "mail", 3, Duration.ofHours(1));
            int sent = 0;
            while (mail.tryAcquire()) {
                sent++;
            }
            System.out.println("mails sent: " + sent);
            System.out.println("the next one in more than a minute: "
                    + (mail.probe().retryAfter().toMinutes() >= 1)); // a new process does not change that

            // or one's place in time, without a thread that waits for it
            Reservation reservation = mail.reserve(1);
            System.out.println("reserved: " + !reservation.delay().isZero());
            System.out.println("given back: " + reservation.cancel());
        }
    }

    private static String fetch(String page) {
        return "fetched " + page;
    }
}
