package dev.latchkey.testing;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The child's side of {@link JavaProcess}: a limited life, and lines to and from the parent.
 *
 * <pre>{@code
 * public static void main(String[] args) throws Exception {
 *     Child.start();
 *     ...
 *     Child.say("HELD " + token);
 *     Child.hear();
 * }
 * }</pre>
 */
public final class Child {
    /** The exit code of a child that has outlived its limit; it dumps its threads before. */
    public static final int TIMED_OUT = 124;
    /** The exit code of a child whose input has ended, which means that its parent has died. */
    public static final int ORPHANED = 125;
    /** What {@link #ready()} says. */
    public static final String READY = "READY";
    /** What {@link #ready()} waits for. */
    public static final String GO = "GO";

    static final String LIFETIME_MILLIS = "latchkey.child.lifetimeMillis";
    private static final BlockingQueue<String> HEARD = new LinkedBlockingQueue<>();

    private Child() {}

    /** Must be the first call of a child's {@code main}, and be called once. */
    public static void start() {
        daemon("child-lifetime", Child::expire);
        daemon("child-input", Child::listen);
    }

    /**
     * Prints one line and flushes it. Lines of several threads never mix. If the child is killed, a line of
     * up to 4,096 bytes arrives whole or not at all.
     */
    public static synchronized void say(String line) {
        if (line.indexOf('\n') >= 0) {
            throw new IllegalArgumentException("must be one line: " + line);
        }
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }

    /** Waits for the next line of the parent. */
    public static String hear() throws InterruptedException {
        return HEARD.take();
    }

    /** The next line of the parent, or null if it has sent none that was not heard yet. */
    public static @Nullable String hearNow() {
        return HEARD.poll();
    }

    /** Waits for the starting gun, {@link Processes#gun}. */
    public static void ready() throws InterruptedException {
        say(READY);
        String line = hear();
        if (!line.equals(GO)) {
            throw new IllegalStateException("expected " + GO + ", heard " + line);
        }
    }

    /** Loads all classes that come from where this one comes from, a directory or a jar, before files cannot be opened any more. */
    public static void loadClasses(Class<?> one) throws ReflectiveOperationException, IOException, URISyntaxException {
        Path classes =
                Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
        if (Files.isDirectory(classes)) {
            loadClassesBelow(classes);
            return;
        }
        try (FileSystem jar = FileSystems.newFileSystem(classes)) {
            loadClassesBelow(jar.getPath("/"));
        }
    }

    private static void loadClassesBelow(Path root) throws ReflectiveOperationException, IOException {
        try (Stream<Path> all = Files.walk(root.resolve("dev"))) {
            for (Path file :
                    all.filter(each -> each.toString().endsWith(".class")).toList()) {
                String name = root.relativize(file).toString().replace('/', '.');
                Class.forName(name.substring(0, name.length() - ".class".length()));
            }
        }
    }

    /** How many descriptors of this process are of something in a directory. */
    public static long descriptorsBelow(Path directory) {
        File[] all = new File("/proc/self/fd").listFiles();
        return Arrays.stream(all == null ? new File[0] : all)
                .filter(each -> isBelow(each, directory))
                .count();
    }

    private static boolean isBelow(File descriptor, Path directory) {
        try {
            return descriptor.toPath().toRealPath().startsWith(directory);
        } catch (IOException e) {
            return false;
        }
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void expire() {
        try {
            outlive(TimeUnit.MILLISECONDS.toNanos(Long.getLong(LIFETIME_MILLIS, 120_000)));
            System.err.println("child has outlived its limit; its threads:");
            Thread.getAllStackTraces().forEach(Child::print);
        } finally {
            Runtime.getRuntime().halt(TIMED_OUT);
        }
    }

    /** Waits whatever happens: tests interrupt threads at random. */
    private static void outlive(long nanos) {
        long deadline = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = deadline - System.nanoTime()) {
            LockSupport.parkNanos(left);
            Thread.interrupted();
        }
    }

    private static void print(Thread thread, StackTraceElement[] stack) {
        StringBuilder text = new StringBuilder("\"" + thread.getName() + "\" " + thread.getState());
        for (StackTraceElement element : stack) {
            text.append("\n    at ").append(element);
        }
        System.err.println(text);
    }

    private static void listen() {
        try (var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            input.lines().forEach(HEARD::add);
        } catch (IOException e) {
            // Without its input a child cannot know that its parent lives.
        } finally {
            Runtime.getRuntime().halt(ORPHANED);
        }
    }
}
