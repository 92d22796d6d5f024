package dev.latchkey.stress.referee;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The referee process: hears {@link Verb requests} on a port of its own, answers each with {@code OK}, and prints a
 * line for each violation.
 *
 * <pre>
 * PORT 40123
 * CLASSPATH /build/classes
 * VIOLATION 123456789 OVERLAP w2 (connection 3) said ENTER a 5, while it was held by w1 (connection 2) ...
 * </pre>
 *
 * <p>It judges one request at a time, and answers after it has judged. So if one process was answered before another
 * did something, the referee hears of them in that order. It refuses to start where it could see a class of Latchkey.
 */
public final class Referee {
    /** The exit status after {@code END}. */
    static final int ENDED = 0;
    /** The exit status when a class of Latchkey is on the class path. */
    static final int SEES_LATCHKEY = 3;
    /** The exit status when the record cannot be written. */
    static final int NO_RECORD = 4;
    /** The exit status after its lifetime. */
    static final int TIMED_OUT = 124;
    /** The exit status when stdin has ended, which means that the parent has died. */
    static final int ORPHANED = 125;

    static final String CONTROLLER = "controller";
    static final String PORT = "PORT ";
    static final String CLASS_PATH = "CLASSPATH ";
    static final String OK = "OK";
    static final String BAD = "BAD ";

    /** How many violations are printed; the others are counted. */
    static final int PRINTED = 100;

    private static final String LATCHKEY = "dev.latchkey.cache.Cache";
    private static final int BACKLOG = 1024;
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

    private final Judge judge = new Judge();
    private final RecordWriter record;
    private long violations;
    private boolean closed;

    private Referee(Path record) throws IOException {
        this.record = new RecordWriter(record);
    }

    /**
     * Runs until {@code END}.
     *
     * @param args the file of the record, and the lifetime in milliseconds
     * @throws IOException if it cannot listen, or not open the record
     */
    public static void main(String[] args) throws IOException {
        String classPath = System.getProperty("java.class.path");
        if (seesLatchkey()) {
            System.err.println("the referee must not see Latchkey; its class path is " + classPath);
            System.exit(SEES_LATCHKEY);
        }
        Referee referee = new Referee(Path.of(args[0]));
        Duration lifetime = Duration.ofMillis(Long.parseLong(args[1]));
        Runtime.getRuntime().addShutdownHook(new Thread(referee::closeRecord, "record"));
        daemon("lifetime", () -> expire(lifetime));
        daemon("stdin", Referee::awaitOrphaned);
        try (var server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())) {
            OUT.println(PORT + server.getLocalPort());
            OUT.println(CLASS_PATH + classPath);
            for (int number = 1; ; number++) {
                Socket socket = server.accept();
                daemon("connection " + number, referee.new Connection(socket, number)::serve);
            }
        }
    }

    private static boolean seesLatchkey() {
        try {
            Class.forName(LATCHKEY, false, Referee.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    private static void expire(Duration lifetime) {
        long deadline = System.nanoTime() + lifetime.toNanos();
        for (long left = lifetime.toNanos(); left > 0; left = deadline - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
        System.err.println("the referee has outlived its limit of " + lifetime.toMillis() + " ms");
        System.exit(TIMED_OUT);
    }

    private static void awaitOrphaned() {
        try {
            while (System.in.read() >= 0) {
                // nothing is said there
            }
        } catch (IOException e) {
            // as good as its end
        }
        System.exit(ORPHANED);
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private synchronized void hear(String process, int connection, Request request) throws IOException {
        if (closed) {
            throw new IOException("the record is closed");
        }
        Event event = Event.of(System.nanoTime(), process, connection, request);
        try {
            record.add(event);
            if (request.verb() == Verb.END) {
                record.flush();
            }
        } catch (IOException e) {
            giveUp(e);
        }
        report(judge.hear(event));
    }

    private synchronized void ended(int connection) {
        report(judge.ended(System.nanoTime(), connection));
    }

    private synchronized void refuse(String text) {
        report(List.of(new Violation(System.nanoTime(), Violation.Kind.PROTOCOL, text)));
    }

    /** Prints before the answer is given, so that whoever has the answer can rely on it. */
    private void report(List<Violation> found) {
        if (closed) {
            return;
        }
        for (Violation violation : found) {
            if (++violations <= PRINTED) {
                OUT.println(violation.line());
            }
        }
    }

    /** Runs at every exit; the other threads go on meanwhile, and are not heard. */
    private synchronized void closeRecord() {
        closed = true;
        try {
            record.close(violations);
        } catch (IOException e) {
            giveUp(e);
        }
    }

    private static void giveUp(IOException e) {
        System.err.println("the referee cannot write its record: " + e);
        Runtime.getRuntime().halt(NO_RECORD);
    }

    /** One connection, served by a thread of its own. */
    private final class Connection {
        private final Socket socket;
        private final int number;
        private @Nullable String process;
        private boolean ends;

        Connection(Socket socket, int number) {
            this.socket = socket;
            this.number = number;
        }

        void serve() {
            try (var lines = new LineSocket(socket)) {
                for (String line = lines.read(); line != null; line = lines.read()) {
                    lines.write(answer(line));
                }
            } catch (IOException e) {
                // the other side was killed
            } finally {
                ended(number);
            }
            if (ends) {
                System.exit(ENDED);
            }
        }

        private String answer(String line) throws IOException {
            try {
                Request request = Request.parse(line);
                hear(greeted(request), number, request);
                ends |= request.verb() == Verb.END;
                return OK;
            } catch (IllegalArgumentException e) {
                String said = line.replaceAll("\\p{Cntrl}", "?");
                refuse((process == null ? "nobody" : process) + " (connection " + number + ") said '" + said + "': "
                        + e.getMessage());
                return BAD + e.getMessage();
            }
        }

        /** Returns the process that says the request, if it may. */
        private String greeted(Request request) {
            if ((process == null) != (request.verb() == Verb.HELLO)) {
                throw new IllegalArgumentException("HELLO must be said first and once");
            }
            if (process == null) {
                process = request.place();
            }
            if (request.verb() == Verb.END && !process.equals(CONTROLLER)) {
                throw new IllegalArgumentException("only the " + CONTROLLER + " may say END");
            }
            return process;
        }
    }
}
