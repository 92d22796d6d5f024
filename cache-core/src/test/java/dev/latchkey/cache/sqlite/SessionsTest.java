package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Session;
import dev.latchkey.cache.spi.SessionInfo;
import dev.latchkey.cache.spi.SessionLostException;
import dev.latchkey.cache.spi.Sessions;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SessionsTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private Path path;
    private Cache cache;
    private Engine engine;
    private Sessions sessions;

    @BeforeEach
    void open() {
        path = directory.resolve("cache");
        cache = Cache.open(path);
        engine = (Engine) cache.unwrap(CoordinationEngine.class);
        sessions = engine.sessions();
    }

    @AfterEach
    void close() {
        cache.close();
    }

    private Session self() {
        return sessions.self(Deadline.after(LONG));
    }

    private void bury(Session session) {
        Rows.change(path, "UPDATE LatchkeySession SET dead = 1 WHERE id = " + session.id());
    }

    private void requireAlive(long session) {
        engine.states()
                .write(
                        tx -> {
                            tx.requireAlive(session);
                            return true;
                        },
                        Deadline.after(LONG));
    }

    /** Opens a session, says its number, and answers questions about others. */
    static final class Holder {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Cache cache = Cache.open(Path.of(args[0]));
            Sessions sessions = cache.unwrap(CoordinationEngine.class).sessions();
            Child.say("SESSION " + sessions.self(Deadline.after(LONG)).id());
            while (true) {
                String line = Child.hear();
                if (line.equals("close")) {
                    cache.close();
                    Child.say("CLOSED");
                } else {
                    Child.say("DEAD " + sessions.isDead(Long.parseLong(line)));
                }
            }
        }
    }

    private JavaProcess start() {
        return processes.start(Holder.class, path.toString());
    }

    private static long sessionOf(JavaProcess child) {
        return Long.parseLong(child.await("SESSION ", LONG).substring("SESSION ".length()));
    }

    private static boolean isDead(JavaProcess prober, long session) {
        prober.send(Long.toString(session));
        return Boolean.parseBoolean(prober.await("DEAD ", LONG).substring("DEAD ".length()));
    }

    @Test
    void aSessionIsOneForAllAndDescribesItself() {
        Session session = self();
        assertEquals(session, self());
        assertFalse(sessions.isDead(session.id()));
        SessionInfo info = sessions.describe(session.id(), Deadline.after(LONG)).orElseThrow();
        assertTrue(
                info.toString().contains(Long.toString(ProcessHandle.current().pid())), info.toString());
        requireAlive(session.id());
    }

    @Test
    void threadsThatAskAtOnceGetOneSession() throws Exception {
        var threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<Session>> all = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                all.add(threads.submit(this::self));
            }
            Session first = all.get(0).get();
            for (Future<Session> each : all) {
                assertEquals(first, each.get());
            }
        } finally {
            threads.shutdownNow();
        }
        // who was slower deletes its row, or leaves it to the sweep
        Awaitility.await()
                .atMost(Duration.ofSeconds(15))
                .until(() -> Rows.of(path, "SELECT id FROM LatchkeySession").size() == 1);
    }

    @Test
    void aBuriedSessionIsRefusedToldOfAndFollowedByANewOne() {
        List<Session> lost = new CopyOnWriteArrayList<>();
        sessions.onLost(lost::add);
        Session first = self();
        bury(first);
        assertThrows(SessionLostException.class, () -> requireAlive(first.id()));
        Awaitility.await().atMost(Duration.ofMillis(2500)).until(() -> lost.equals(List.of(first)));
        assertTrue(first.isLost());
        assertTrue(sessions.isDead(first.id()), "a lost session of this process is dead to this process too");
        Session second = self();
        assertNotEquals(first.id(), second.id());
        requireAlive(second.id());
        assertThrows(SessionLostException.class, () -> requireAlive(first.id()));
        assertTrue(sessions.isDead(first.id()));
        assertEquals(1, lost.size());
    }

    /** Once the first exception of a listener ended the house-keeping for good. */
    @Test
    void aListenerThatFailsHindersNeitherTheOthersNorTheNextLook() {
        List<Throwable> uncaught = new CopyOnWriteArrayList<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> uncaught.add(e));
        try {
            List<Session> lost = new CopyOnWriteArrayList<>();
            sessions.onLost(session -> {
                throw new IllegalStateException("a listener's bug");
            });
            sessions.onLost(lost::add);
            Session first = self();
            bury(first);
            Awaitility.await().dontCatchUncaughtExceptions().atMost(LONG).until(() -> lost.size() == 1);
            Session second = self();
            bury(second);
            Awaitility.await()
                    .dontCatchUncaughtExceptions()
                    .atMost(LONG)
                    .until(() -> lost.equals(List.of(first, second)));
            assertEquals(2, uncaught.size());
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    /** Once the thread waited for its own end. */
    @Test
    void aListenerMayCloseTheCache() throws InterruptedException {
        CountDownLatch closed = new CountDownLatch(1);
        sessions.onLost(session -> {
            cache.close();
            closed.countDown();
        });
        bury(self());
        assertTrue(closed.await(10, TimeUnit.SECONDS), "close hangs");
        try (Cache again = Cache.open(path)) {
            assertEquals(1, again.incr("a"));
        }
    }

    /** Once the look of every second did not find the row, which only this thread saw, and took the session for lost. */
    @Test
    void aSessionThatBeginsInALongTransactionIsNotLost() {
        Session session = cache.transact(() -> {
            Session begun = self();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(10))
                    .during(Duration.ofMillis(2200))
                    .until(() -> !begun.isLost());
            return begun;
        });
        assertFalse(session.isLost());
        requireAlive(session.id());
    }

    @Test
    void aSessionThatBeginsInATransactionThatIsRolledBackIsLost() {
        List<Session> begun = new ArrayList<>();
        Runnable body = () -> {
            begun.add(self());
            throw new IllegalStateException("no");
        };
        assertThrows(IllegalStateException.class, () -> cache.transact(body));
        assertTrue(begun.get(0).isLost());
        requireAlive(self().id());
    }

    @Test
    void theRowsOfTheDeadAreSweptByWhoeverHasASession() {
        Rows.change(path, "INSERT INTO LatchkeySession (id) VALUES (" + (LockFile.FIRST_SESSION + 17) + ")");
        self(); // whose first look sweeps
        Awaitility.await()
                .atMost(Duration.ofSeconds(4))
                .until(() -> Rows.of(path, "SELECT id FROM LatchkeySession").size() == 1);
    }

    @Test
    @Tag("process")
    void aLiveProcessAndAStoppedOneAreNotDeadAndAKilledOneIsForGood() {
        self();
        JavaProcess holder = start();
        JavaProcess prober = start();
        long session = sessionOf(holder);
        sessionOf(prober);
        assertFalse(sessions.isDead(session));
        assertFalse(isDead(prober, session));
        holder.stop();
        Awaitility.await().during(Duration.ofMillis(1500)).atMost(LONG).until(() -> !sessions.isDead(session));
        assertFalse(isDead(prober, session));
        holder.cont();
        assertFalse(sessions.isDead(session));
        holder.kill();
        assertTrue(sessions.isDead(session));
        assertTrue(isDead(prober, session));
        assertTrue(sessions.isDead(session), "death is final");
    }

    @Test
    @Tag("process")
    void twoProbersAtOnceDoNotTakeEachOtherForTheOwner() throws Exception {
        self();
        JavaProcess holder = start();
        JavaProcess prober = start();
        long session = sessionOf(holder);
        sessionOf(prober);
        var threads = Executors.newFixedThreadPool(2);
        try {
            for (int round = 0; round < 200; round++) {
                Future<Boolean> there = threads.submit(() -> isDead(prober, session));
                assertFalse(sessions.isDead(session));
                assertFalse(there.get());
            }
            holder.kill();
            for (int round = 0; round < 200; round++) {
                // bytes that nobody ever had, so that no answer is remembered
                long free = LockFile.FIRST_SESSION + 1_000_000 + round;
                Future<Boolean> there = threads.submit(() -> isDead(prober, free));
                assertTrue(sessions.isDead(free));
                assertTrue(there.get());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    @Tag("process")
    void aClosedSessionIsDeadToOthersAndItsRowIsGone() {
        JavaProcess holder = start();
        long session = sessionOf(holder);
        holder.send("close");
        holder.await("CLOSED", LONG);
        assertTrue(sessions.isDead(session));
        assertTrue(sessions.describe(session, Deadline.after(LONG)).isEmpty());
    }
}
