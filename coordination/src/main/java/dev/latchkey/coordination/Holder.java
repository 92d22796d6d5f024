package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Hold;
import dev.latchkey.cache.spi.SessionInfo;
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
 * @param permits how many permits of a semaphore it takes; 1 for a lock
 */
public record Holder(
        long session, long pid, String host, String label, String thread, long token, Instant since, int permits) {
    static Holder of(Hold hold, SessionInfo session, Kind kind) {
        return new Holder(
                hold.session(),
                session.pid(),
                session.host(),
                session.label(),
                hold.owner(),
                hold.token(),
                Instant.ofEpochMilli(hold.sinceMillis()),
                kind == Kind.SEMAPHORE ? Math.toIntExact(hold.units()) : 1);
    }

    @Override
    public String toString() {
        long seconds = Math.max(0, Duration.between(since, Instant.now()).toSeconds());
        return "pid " + pid + " thread '" + thread + "' token " + token + " since " + seconds + " s"
                + (permits == 1 ? "" : " with " + permits + " permits");
    }
}
