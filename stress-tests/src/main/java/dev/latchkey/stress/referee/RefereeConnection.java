package dev.latchkey.stress.referee;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;

/**
 * Tells the referee what a process holds. Each call returns when the referee has judged it.
 *
 * <pre>{@code
 * lock.acquire();
 * referee.enter("job", lock.token());
 * ...
 * referee.exit("job", lock.token());
 * lock.release();
 * }</pre>
 *
 * <p>A hold belongs to the connection that entered. A connection is used by one thread at a time. An interrupt changes
 * nothing: a call waits for its answer, and the thread stays interrupted (threads of the platform; a virtual thread
 * would lose the connection). All calls throw {@link IllegalStateException} if the referee refuses the request or the
 * connection is broken, and {@link IllegalArgumentException} if a name is empty or has spaces.
 */
public final class RefereeConnection implements AutoCloseable {
    /** The name of the process that says {@link #end()}. */
    public static final String CONTROLLER = Referee.CONTROLLER;

    private final String process;
    private final LineSocket lines;

    /**
     * Connects to the referee.
     *
     * @param port where it listens
     * @param process the name of this process, which no other process of the run may have
     */
    public RefereeConnection(int port, String process) {
        this.process = process;
        try {
            this.lines = new LineSocket(new Socket(InetAddress.getLoopbackAddress(), port));
        } catch (IOException e) {
            throw new IllegalStateException(process + " cannot reach the referee at port " + port, e);
        }
        say(Verb.HELLO, process, 0);
    }

    /** Says that the place was acquired. */
    public void enter(String place, long token) {
        say(Verb.ENTER, place, token);
    }

    /** Says that the place was acquired for a time. */
    public void lease(String place, long token) {
        say(Verb.LEASE, place, token);
    }

    /** Says that the place is about to be released. */
    public void exit(String place, long token) {
        say(Verb.EXIT, place, token);
    }

    /** Says that the held place was finished for ever; must come after it was, and ends the hold. */
    public void gone(String place, long token) {
        say(Verb.GONE, place, token);
    }

    /** Says that a value was received which nobody may receive again. */
    public void once(String place, long value) {
        say(Verb.ONCE, place, value);
    }

    /** Says that the place is about to be taken by force from the holder with that token. */
    public void revoke(String place, long token) {
        say(Verb.REVOKE, place, token);
    }

    /** Says that a process is about to be killed. Its name stays condemned. */
    public void condemn(String condemned) {
        say(Verb.CONDEMN, condemned, 0);
    }

    /** Says that all has been said: the referee ends when this connection, of the controller, is closed. */
    public void end() {
        say(Verb.END, "", 0);
    }

    /** Closes the connection, which must hold nothing. */
    @Override
    public void close() {
        try {
            lines.close();
        } catch (IOException e) {
            throw broken(e);
        }
    }

    private void say(Verb verb, String place, long number) {
        String request = new Request(verb, verb == Verb.END ? "" : Request.word(place), number).line();
        String answer;
        try {
            lines.write(request);
            answer = lines.read();
        } catch (IOException e) {
            throw broken(e);
        }
        if (answer == null) {
            throw broken(new IOException("the referee closed it"));
        }
        if (!answer.equals(Referee.OK)) {
            throw new IllegalStateException("the referee refused '" + request + "' of " + process + ": " + answer);
        }
    }

    private IllegalStateException broken(IOException cause) {
        return new IllegalStateException("the connection of " + process + " to the referee is broken", cause);
    }
}
