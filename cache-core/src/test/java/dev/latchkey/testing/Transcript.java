package dev.latchkey.testing;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The last lines that a child has printed, and those of its stdout that nobody has waited for yet. */
final class Transcript {
    static final String STDERR = "stderr: ";
    static final int LIMIT = 10_000;

    private final Deque<String> lines = new ArrayDeque<>();
    private final Deque<String> unread = new ArrayDeque<>();
    private long dropped;
    private int openStreams = 2;

    synchronized void said(String line) {
        unread.add(line);
        if (unread.size() > LIMIT) {
            unread.remove();
        }
        keep(line);
    }

    synchronized void complained(String line) {
        keep(STDERR + line);
    }

    private void keep(String line) {
        lines.add(line);
        if (lines.size() > LIMIT) {
            lines.remove();
            dropped++;
        }
        notifyAll();
    }

    synchronized void ended() {
        openStreams--;
        notifyAll();
    }

    /** The next unread line with this prefix; null at the end of the output, of the time or by interrupt. */
    synchronized @Nullable String next(String prefix, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        String line = poll(prefix);
        while (line == null && pause(deadline)) {
            line = poll(prefix);
        }
        return line;
    }

    private @Nullable String poll(String prefix) {
        String line = unread.poll();
        while (line != null && !line.startsWith(prefix)) {
            line = unread.poll();
        }
        return line;
    }

    /** Waits until some line of the output, read or not, starts with {@code prefix}. */
    synchronized boolean shows(String prefix, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (lines.stream().noneMatch(line -> line.startsWith(prefix))) {
            if (!pause(deadline)) {
                return false;
            }
        }
        return true;
    }

    synchronized boolean ends(Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (pause(deadline)) {
            // Something has changed; look again.
        }
        return openStreams == 0;
    }

    private boolean pause(long deadline) {
        long left = deadline - System.nanoTime();
        if (openStreams == 0 || left <= 0) {
            return false;
        }
        try {
            TimeUnit.NANOSECONDS.timedWait(this, left);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    synchronized List<String> lines() {
        return List.copyOf(lines);
    }

    @Override
    public synchronized String toString() {
        String start = dropped == 0 ? "" : "(" + dropped + " earlier lines dropped)\n";
        return lines.isEmpty() ? "(nothing)" : start + String.join("\n", lines);
    }
}
