package dev.latchkey.examples;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/** Progress for people: one line that changes in a terminal, elsewhere two lines a second. */
final class Display {
    private static final long TERMINAL_NANOS = 50_000_000;
    private static final long PLAIN_NANOS = 500_000_000;

    private final boolean terminal;
    private final int width;
    private long shownAt = System.nanoTime();

    Display() {
        this.terminal = isTerminal();
        this.width = terminal ? terminalWidth() : Integer.MAX_VALUE;
    }

    /** Prints a line that stays. */
    void say(String line) {
        clear();
        System.out.println(line);
    }

    /** Shows how far it is, if it is time to. */
    void progress(Supplier<String> status) {
        long now = System.nanoTime();
        if (now - shownAt < (terminal ? TERMINAL_NANOS : PLAIN_NANOS)) {
            return;
        }
        shownAt = now;
        String text = status.get();
        if (terminal) {
            clear();
            System.out.print(text.substring(0, Math.min(text.length(), width - 1)));
            System.out.flush();
        } else {
            System.out.println(text);
        }
    }

    private void clear() {
        if (terminal) {
            System.out.print("\r" + " ".repeat(width - 1) + "\r");
        }
    }

    /** A bar of 20 characters. */
    static String bar(long done, long total) {
        int full = (int) Math.min(20, 20 * done / total);
        return "[" + "#".repeat(full) + "-".repeat(20 - full) + "] " + done + "/" + total;
    }

    /** Since JDK 22, {@code System.console()} no longer tells. */
    private static boolean isTerminal() {
        if (System.getenv().getOrDefault("TERM", "dumb").equals("dumb")) {
            return false;
        }
        try {
            return new ProcessBuilder("test", "-t", "1").inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static int terminalWidth() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .start();
            String size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            return Math.max(2, Integer.parseInt(size.strip().split(" ", 2)[1]));
        } catch (IOException | RuntimeException e) {
            return 80;
        }
    }
}
