package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Claim;
import dev.latchkey.coordination.DeadLetter;
import dev.latchkey.coordination.PutOptions;
import dev.latchkey.coordination.WorkQueue;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Priorities, keys, delays, batches, and what becomes of an item that fails again and again. */
public final class WorkQueueOptionsMain {
    private static final Duration SOON = Duration.ofSeconds(10);

    private WorkQueueOptionsMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            WorkQueue<String> mails = WorkQueue.withMaxAttempts(cache, "mails", String.class, 2);

            // the same thing is to be done once, however often it is asked for while it waits
            PutOptions weekly = PutOptions.none().dedupKey("weekly report");
            System.out.println("report: " + mails.put("report to bob", weekly));
            System.out.println("report again: " + mails.put("report to bob", weekly));

            mails.put("password to alice", PutOptions.none().priority(10));
            mails.put("reminder to bob", PutOptions.none().delay(Duration.ofSeconds(5)));
            System.out.println("ready: " + mails.size() + ", delayed: " + mails.delayed());

            List<Claim<String>> batch = mails.claimBatch(10, Duration.ZERO);
            for (Claim<String> claim : batch) {
                System.out.println("sent " + claim.value());
            }
            cache.transact(() -> batch.forEach(Claim::ack)); // all of them in one commit

            // comes when its time has come; the server is down, so it is tried again a little later
            try (Claim<String> reminder = mails.claim(SOON).orElseThrow()) {
                reminder.nack(Duration.ofMillis(100), "server is down");
            }
            try (Claim<String> reminder = mails.claim(SOON).orElseThrow()) {
                System.out.println("attempt " + reminder.attempt() + " at " + reminder.value());
            } // without ack: it is given back, and that was its last attempt

            for (DeadLetter<String> letter : mails.deadLetters()) {
                System.out.println("given up: " + letter.value() + ", " + letter.reason());
            }
            System.out.println("redriven: " + mails.redrive());
            try (Claim<String> reminder = mails.claim(SOON).orElseThrow()) {
                System.out.println("sent " + reminder.value());
                reminder.ack();
            }
        }
    }
}
