package dev.latchkey.stress.referee;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.referee.Violation.Kind;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class RefereeProcessTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Duration LIFETIME = Duration.ofMinutes(2);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    private final List<RefereeProcess> started = new ArrayList<>();

    private Path file() {
        return directory.resolve("record");
    }

    private RefereeProcess start(Duration lifetime) {
        RefereeProcess referee = RefereeProcess.start(file(), lifetime);
        started.add(referee);
        return referee;
    }

    private static List<Kind> kinds(RefereeProcess referee) {
        return referee.violations().stream().map(Violation::kind).toList();
    }

    private static boolean isWhole(Path record) {
        try {
            RefereeRecord.read(record);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @AfterEach
    void close() {
        started.forEach(RefereeProcess::close);
    }

    @Test
    void anOverlapIsReportedAtOnceAndEverythingIsRecorded() throws IOException {
        RefereeProcess referee = start(LIFETIME);
        try (var w1 = referee.connect("w1");
                var w2 = referee.connect("w2")) {
            w1.enter("lock", 1);
            w2.enter("lock", 2);
            await().atMost(SOON).until(() -> !referee.violations().isEmpty());
            w1.exit("lock", 1);
            w2.gone("lock", 2);
            w2.once("id", -5);
            w2.revoke("lock", 1);
            w2.condemn("w3");
        }
        RefereeRecord record = RefereeRecord.read(referee.end(SOON));

        assertEquals(List.of(Kind.OVERLAP), kinds(referee));
        assertEquals(1, record.violations());
        assertEquals(
                List.of(
                        "w1 1 HELLO w1",
                        "w2 2 HELLO w2",
                        "w1 1 ENTER lock 1",
                        "w2 2 ENTER lock 2",
                        "w1 1 EXIT lock 1",
                        "w2 2 GONE lock 2",
                        "w2 2 ONCE id -5",
                        "w2 2 REVOKE lock 1",
                        "w2 2 CONDEMN w3",
                        "controller 3 HELLO controller",
                        "controller 3 END"),
                record.events().stream().map(RefereeProcessTest::said).toList());
        assertEquals(
                record.events().stream().map(Event::nanos).sorted().toList(),
                record.events().stream().map(Event::nanos).toList());
    }

    @Test
    void whatWasRecordedIsInTheFileWhenTheEndIsAnswered() throws IOException {
        RefereeProcess referee = start(LIFETIME);
        try (var controller = referee.connect(RefereeConnection.CONTROLLER)) {
            controller.end();
            assertTrue(Files.readString(file()).endsWith(" controller 1 END\n"));
        }
        await().atMost(SOON).until(() -> isWhole(file()));
    }

    private static String said(Event event) {
        return event.line().substring(event.line().indexOf(' ') + 1);
    }

    @Test
    void whatALockOrdersIsHeardInThatOrderThoughThreadsAreInterrupted() throws Exception {
        RefereeProcess referee = start(LIFETIME);
        var lock = new ReentrantLock(true);
        long[] token = {0};
        List<Thread> workers = new ArrayList<>();
        List<Throwable> failures = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Thread worker = new Thread(() -> work(referee, lock, token), "w" + i);
            worker.setUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
            workers.add(worker);
        }
        workers.forEach(Thread::start);
        while (workers.stream().anyMatch(Thread::isAlive)) {
            workers.forEach(Thread::interrupt);
            Thread.onSpinWait();
        }
        RefereeRecord record = RefereeRecord.read(referee.end(SOON));

        assertEquals(List.of(), failures);
        assertEquals(List.of(), referee.violations());
        assertEquals(3 + 2 * 900 + 2, record.events().size());
    }

    private static void work(RefereeProcess referee, ReentrantLock lock, long[] token) {
        try (RefereeConnection connection =
                referee.connect(Thread.currentThread().getName())) {
            for (int i = 0; i < 300; i++) {
                lock.lock();
                connection.enter("lock", ++token[0]);
                connection.exit("lock", token[0]);
                lock.unlock();
            }
        }
    }

    @Test
    void anInterruptDuringACallIsKeptAndTheAnswerIsAwaited() throws Exception {
        ExecutorService other = Executors.newSingleThreadExecutor();
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var caller = new CompletableFuture<Thread>();
            Future<Boolean> interrupted = other.submit(() -> {
                try (var connection = new RefereeConnection(server.getLocalPort(), "w1")) {
                    caller.complete(Thread.currentThread());
                    connection.enter("lock", 1);
                    boolean kept = Thread.currentThread().isInterrupted();
                    connection.exit("lock", 1);
                    return kept && Thread.currentThread().isInterrupted();
                }
            });
            try (var lines = new LineSocket(server.accept())) {
                assertEquals("HELLO w1", lines.read());
                lines.write("OK");
                assertEquals("ENTER lock 1", lines.read());
                caller.get().interrupt();
                lines.write("OK");
                assertEquals("EXIT lock 1", lines.read());
                lines.write("OK");
            }
            assertTrue(interrupted.get(30, TimeUnit.SECONDS));
        } finally {
            other.shutdownNow();
        }
    }

    @Test
    void aKilledClientThatWasCondemnedIsNoViolation() throws IOException {
        RefereeProcess referee = start(LIFETIME);
        JavaProcess client = processes.start(HoldingClient.class, Integer.toString(referee.port()), "w1");
        client.await("HOLDS", SOON);
        try (var controller = referee.connect(RefereeConnection.CONTROLLER);
                var w2 = referee.connect("w2")) {
            controller.condemn("w1");
            client.kill();
            w2.enter("lock", 2);
            w2.exit("lock", 2);
        }
        assertEquals(0, RefereeRecord.read(referee.end(SOON)).violations());
        assertEquals(List.of(), referee.violations());
    }

    @Test
    void aKilledClientThatWasNotCondemnedHasVanished() {
        RefereeProcess referee = start(LIFETIME);
        JavaProcess client = processes.start(HoldingClient.class, Integer.toString(referee.port()), "w1");
        client.await("HOLDS", SOON);
        client.kill();
        await().atMost(SOON).until(() -> !referee.violations().isEmpty());
        referee.end(SOON);
        assertEquals(List.of(Kind.VANISHED), kinds(referee));
        String text = referee.violations().get(0).text();
        assertTrue(text.startsWith("ended while holding lock: w1 (connection 1) with token 1 since "), text);
    }

    @Test
    void theClassPathOfTheRefereeIsItsOwnClasses() {
        RefereeProcess referee = start(LIFETIME);
        Path classes = Path.of(referee.classPath());
        assertTrue(Files.exists(classes.resolve("dev/latchkey/stress/referee/Referee.class")), classes.toString());
        assertFalse(Files.exists(classes.resolve("dev/latchkey/cache")), classes.toString());
    }

    @Test
    void aRefereeThatSeesLatchkeyRefusesToStart() {
        String message = assertThrows(
                        IllegalStateException.class,
                        () -> RefereeProcess.start(file(), LIFETIME, System.getProperty("java.class.path")))
                .getMessage();
        assertEquals("the referee did not start; its exit status is " + Referee.SEES_LATCHKEY, message);
    }

    @Test
    void whatIsNoRequestIsRefusedAndAViolation() throws IOException {
        RefereeProcess referee = start(LIFETIME);
        List<String> tooEarly = List.of("ENTER lock 1", "END", "HELLO", "HELLO two words", "HELLO a\u0007b", "HELLO ");
        List<String> wrong = List.of(
                "HELLO w1",
                "END",
                "END lock",
                "ENTER lock",
                "ENTER lock one",
                "ENTER  1",
                "ENTER lock 1 2",
                "ENTER lock 1 ",
                "enter lock 1",
                "TAKE lock 1",
                "TAKE\rlock",
                "");
        try (var lines = new LineSocket(new Socket(InetAddress.getLoopbackAddress(), referee.port()))) {
            for (String line : tooEarly) {
                assertTrue(answer(lines, line).startsWith("BAD "), line);
            }
            assertEquals("OK", answer(lines, "HELLO w1"));
            for (String line : wrong) {
                assertTrue(answer(lines, line).startsWith("BAD "), line);
            }
            assertEquals("OK", answer(lines, "ONCE id 1"));
        }
        RefereeRecord record = RefereeRecord.read(referee.end(SOON));

        assertEquals(Collections.nCopies(tooEarly.size() + wrong.size(), Kind.PROTOCOL), kinds(referee));
        assertEquals(
                List.of(Verb.HELLO, Verb.ONCE, Verb.HELLO, Verb.END),
                record.events().stream().map(Event::verb).toList());
    }

    private static String answer(LineSocket lines, String request) throws IOException {
        lines.write(request);
        return lines.read();
    }

    @Test
    void aRefusedCallFails() {
        RefereeProcess referee = start(LIFETIME);
        try (var w1 = referee.connect("w1")) {
            String message = assertThrows(IllegalStateException.class, w1::end).getMessage();
            assertTrue(message.startsWith("the referee refused 'END' of w1: BAD "), message);
            assertThrows(IllegalArgumentException.class, () -> w1.enter("two words", 1));
            w1.enter("lock", 1);
            w1.exit("lock", 1);
        }
    }

    @Test
    void aLineThatWasCutOffIsNotHeard() throws IOException {
        RefereeProcess referee = start(LIFETIME);
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), referee.port())) {
            socket.getOutputStream().write("HELLO w1\nENTER lock 1".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(
                List.of(),
                RefereeRecord.read(referee.end(SOON)).events().stream()
                        .filter(event -> event.verb() == Verb.ENTER)
                        .toList());
        assertEquals(List.of(), referee.violations());
    }

    @Test
    void afterOneHundredViolationsTheyAreOnlyCounted() throws IOException {
        RefereeProcess referee = start(LIFETIME);
        try (var w1 = referee.connect("w1")) {
            for (int i = 0; i <= 130; i++) {
                w1.once("id", 7);
            }
        }
        assertEquals(130, RefereeRecord.read(referee.end(SOON)).violations());
        assertEquals(Referee.PRINTED, referee.violations().size());
    }

    @Test
    void theRefereeEndsWithTheProcessThatStartedIt() {
        JavaProcess starter = processes.start(RefereeStarter.class, file().toString());
        starter.await("STARTED", SOON);
        assertFalse(isWhole(file()));
        starter.kill();
        await().atMost(SOON).until(() -> isWhole(file()));
    }

    @Test
    void theRefereeEndsAfterItsLifetime() {
        RefereeProcess referee = start(Duration.ofSeconds(5));
        assertFalse(isWhole(file()));
        await().atMost(SOON).until(() -> isWhole(file()));
        String message = assertThrows(IllegalStateException.class, () -> referee.end(SOON))
                .getMessage();
        assertTrue(message.startsWith("controller cannot reach the referee") || message.contains("broken"), message);
    }

    @Test
    void aRecordThatWasCutOffIsRefused() throws IOException {
        Files.writeString(file(), "1 w1 1 HELLO w1\n2 w1 1 ENTER lock 5\nEVENTS 1 VIOLATIONS 0\n");
        assertThrows(IOException.class, () -> RefereeRecord.read(file()));
        Files.writeString(file(), "1 w1 1 HELLO w1\n");
        assertThrows(IOException.class, () -> RefereeRecord.read(file()));
        Files.writeString(file(), "");
        assertThrows(IOException.class, () -> RefereeRecord.read(file()));
        Files.writeString(file(), "1 w1 1 HELLO w1\nEVENTS 1 VIOLATIONS 2\n");
        assertEquals(
                new RefereeRecord(List.of(new Event(1, "w1", 1, Verb.HELLO, "w1", 0)), 2), RefereeRecord.read(file()));
    }
}
