package dev.latchkey.coordination;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Requirements;
import dev.latchkey.testing.Stalls;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A process with so much memory that the kernel takes long to take it down. Dying is not being dead: what it held is not granted
 * before the kernel has unlocked the byte of its session, which {@code /proc/locks} shows.
 */
@Timeout(120)
class LargeHeapProcessTest extends ProcessFixture {
    private static final int KILLS = 2;
    private static final long HEAP = 4L << 30;
    private static final long NEEDED = 6L << 30;
    private static final Duration UNTIL_TOUCHED = Duration.ofSeconds(60);
    private static final long MOST_MICROS = TimeUnit.MILLISECONDS.toMicros(50);

    private JavaCommand command() {
        return JavaCommand.of(HolderChild.class, cachePath().toString());
    }

    /** Touches all of its heap when it starts. */
    private JavaProcess large() {
        JavaProcess large = processes.start(command().options("-Xms" + HEAP, "-Xmx" + HEAP, "-XX:+AlwaysPreTouch"));
        large.await("OPEN", UNTIL_TOUCHED);
        assertTrue(large.residentBytes() >= HEAP, large + " has touched only " + large.residentBytes());
        return large;
    }

    /** Has a child come to wait, as the one that then makes the line so long. */
    private static void await(Cache cache, JavaProcess child, Holdable what, int length) {
        child.send("@w acquire " + what + " " + what);
        CacheFixture.awaitLine(cache, what.kind(), what.name(), length);
    }

    @Test
    void whatAProcessWithALargeHeapHeldIsGrantedWhenTheKernelHasTakenItDownAndNotBefore() throws Exception {
        Requirements.memory(NEEDED);
        try (Cache cache = Cache.open(cachePath());
                Stalls stalls = new Stalls()) {
            JavaProcess locker = opened(command());
            JavaProcess second = opened(command());
            JavaProcess permitted = opened(command());
            killUnmeasured(cache, locker, second, permitted);
            for (int i = 0; i < KILLS; i++) {
                JavaProcess victim = large();
                String held = ask(victim, "acquire LOCK LOCK", "ACQUIRED");
                ask(victim, "acquire PERMITS PERMITS", "ACQUIRED");
                Path stamps = directory.resolve("stamps" + i);
                ask(victim, "stamp " + stamps, "STAMPING");
                await(cache, locker, Holdable.LOCK, 1);
                await(cache, second, Holdable.LOCK, 2);
                await(cache, permitted, Holdable.PERMITS, 1);
                Delay ofLock = new Delay(stalls, locker);
                Delay ofPermits = new Delay(stalls, permitted);
                CompletableFuture<Long> unlocked = seenLast(victim);

                Death death = kill(victim);
                String lock = locker.await("ACQUIRED", SOON);
                String permits = permitted.await("ACQUIRED", SOON);

                long locked = unlocked.get(SOON.toSeconds(), TimeUnit.SECONDS);
                // either may wait for the transaction of the other
                long measuredLock = Delay.micros(instant(lock) - death.gone());
                long measuredPermits = Delay.micros(instant(permits) - death.gone());
                long delays = measuredLock
                        - ofLock.microsBetween(death.gone(), instant(lock))
                        + measuredPermits
                        - ofPermits.microsBetween(death.gone(), instant(permits));
                long lateLock = measuredLock - delays;
                long latePermits = measuredPermits - delays;
                System.out.printf(
                        "measured: killed with %d MiB of memory: taken down in %d microseconds, its byte last seen locked after"
                                + " %d; from its death to the grant, the machine's delays taken out: lock %d, permits %d; with them %d, %d%n",
                        HEAP >> 20,
                        Delay.micros(death.gone() - death.signalled()),
                        Delay.micros(locked - death.signalled()),
                        lateLock,
                        latePermits,
                        measuredLock,
                        measuredPermits);
                for (String granted : List.of(lock, permits)) {
                    assertTrue(instant(granted) - locked > 0, "its session lived at the time of " + granted);
                    assertTrue(instant(granted) - lastStamp(stamps) > 0, "it still ran at the time of " + granted);
                }
                assertTrue(token(lock) > token(held), held + ", then " + lock);
                assertTrue(lateLock <= MOST_MICROS, "lock late by " + lateLock + " microseconds");
                assertTrue(latePermits <= MOST_MICROS, "permits late by " + latePermits + " microseconds");
                theNextHasItAlone(locker, second, permitted);
            }
            CacheFixture.awaitNoResidue(cache, Kind.LOCK, "LOCK");
            CacheFixture.awaitNoResidue(cache, Kind.SEMAPHORE, "PERMITS");
        }
    }

    /** What is measured later is waiting, not loading classes. */
    private void killUnmeasured(Cache cache, JavaProcess locker, JavaProcess second, JavaProcess permitted) {
        JavaProcess victim = opened(command());
        ask(victim, "acquire LOCK LOCK", "ACQUIRED");
        ask(victim, "acquire PERMITS PERMITS", "ACQUIRED");
        await(cache, locker, Holdable.LOCK, 1);
        await(cache, second, Holdable.LOCK, 2);
        await(cache, permitted, Holdable.PERMITS, 1);
        victim.kill();
        locker.await("ACQUIRED", SOON);
        permitted.await("ACQUIRED", SOON);
        theNextHasItAlone(locker, second, permitted);
    }

    /** Each of them was granted once: what one has, the others have not. */
    private static void theNextHasItAlone(JavaProcess locker, JavaProcess second, JavaProcess permitted) {
        assertEquals("REFUSED", ask(permitted, "try LOCK LOCK 0", ""));
        assertEquals("REFUSED", ask(locker, "try PERMITS PERMITS 0", ""));
        long asked = System.nanoTime();
        ask(locker, "@w release LOCK LOCK", "RELEASED");
        assertTrue(instant(second.await("ACQUIRED", SOON)) - asked > 0, "there were two holders");
        ask(second, "@w release LOCK LOCK", "RELEASED");
        ask(permitted, "@w release PERMITS PERMITS", "RELEASED");
    }

    /** When a look began that still found the byte of its session locked by it. */
    private CompletableFuture<Long> seenLast(JavaProcess process) {
        KernelLocks locks = KernelLocks.ofSession(process, cachePath());
        assertTrue(locks.any(), "the kernel shows no lock of " + process);
        return CompletableFuture.supplyAsync(() -> {
            long last = 0;
            long now = System.nanoTime();
            while (locks.any()) {
                last = now;
                now = System.nanoTime();
            }
            return last;
        });
    }

    private static long lastStamp(Path stamps) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(stamps))
                .order(ByteOrder.nativeOrder())
                .getLong();
    }
}
