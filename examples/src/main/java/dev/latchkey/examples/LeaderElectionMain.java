package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.LeaderElection;
import java.nio.file.Path;
import java.time.Duration;

/** Does what only one may do, while others stand by; run it in two terminals, and kill the one that leads. */
public final class LeaderElectionMain {
    private LeaderElectionMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory, and perhaps for how many seconds to lead
     * @throws InterruptedException if the thread is interrupted while it waits to be elected
     */
    public static void main(String[] args) throws InterruptedException {
        Duration term = Duration.ofSeconds(args.length > 1 ? Long.parseLong(args[1]) : 0);
        try (Cache cache = Cache.open(Path.of(args[0]));
                LeaderElection election = new LeaderElection(cache, "scheduler")) {
            election.leader().ifPresent(leader -> System.out.println("standing by for " + leader));
            String result = election.lead(() -> {
                long jobs = election.runFenced(() -> cache.incr("jobs")); // written only by the one that leads
                System.out.println("leading, jobs: " + jobs);
                Thread.sleep(term.toMillis()); // would be interrupted if the leadership were lost
                return "resigned after job " + jobs;
            });
            System.out.println(result);
        }
    }
}
