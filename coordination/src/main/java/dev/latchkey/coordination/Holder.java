package dev.latchkey.coordination;

import java.time.Duration;
import java.time.Instant;

/**
 * Who holds something, in words.
 *
 * @param session the session it is held by
 * @param pid the process, in its own PID name space
 * @param host the host name
 * @param label what the process calls itself
 * @param thread the thread that took it
 * @param token the fencing token of the grant
 * @param since when it was granted, by the wall clock
 */
public record Holder(long session, long pid, String host, String label, String thread, long token, Instant since) {
    @Override
    public String toString() {
        long seconds = Math.max(0, Duration.between(since, Instant.now()).toSeconds());
        return "pid " + pid + " thread '" + thread + "' token " + token + " since " + seconds + " s";
    }
}
