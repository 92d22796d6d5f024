package dev.latchkey.testing;

import java.nio.file.Path;

/**
 * A point in the production code at which a child kills or stops itself. The production class is empty; the
 * child gets another one.
 *
 * <pre>{@code
 * JavaCommand command = JavaCommand.of(Writer.class, directory.path().toString());
 * JavaProcess writer = processes.start(Failpoint.kill("before-commit", 3).in(command, directory.path()));
 * }</pre>
 *
 * @param point the name with which the production code calls {@code reached}
 * @param count at which call, from 1
 * @param signal what the child does to itself
 */
public record Failpoint(String point, int count, int signal) {
    private static final int SIGKILL = 9;
    private static final int SIGSTOP = 19;

    /**
     * {@code raise} directs the signal to the calling thread, which therefore cannot pass the point. With
     * {@code kill}, SIGSTOP may go to another thread first, and this one ran on for several steps.
     */
    private static final String SOURCE = """
            package dev.latchkey.cache.spi;

            import com.sun.jna.Function;
            import com.sun.jna.NativeLibrary;
            import java.util.concurrent.atomic.AtomicInteger;

            public final class Failpoint {
                private static final Function RAISE = NativeLibrary.getProcess().getFunction("raise");
                private static final String POINT = System.getProperty("latchkey.failpoint");
                private static final int COUNT = Integer.getInteger("latchkey.failpoint.count");
                private static final int SIGNAL = Integer.getInteger("latchkey.failpoint.signal");
                private static final AtomicInteger REACHED = new AtomicInteger();

                public static void reached(String point) {
                    if (point.equals(POINT) && REACHED.incrementAndGet() == COUNT) {
                        RAISE.invokeInt(new Object[] {SIGNAL});
                    }
                }
            }
            """;

    /** SIGKILL when the point is reached the {@code count}-th time. */
    public static Failpoint kill(String point, int count) {
        return new Failpoint(point, count, SIGKILL);
    }

    /** SIGSTOP when the point is reached the {@code count}-th time; see {@link JavaProcess#awaitStopped}. */
    public static Failpoint stop(String point, int count) {
        return new Failpoint(point, count, SIGSTOP);
    }

    /** Builds this point into a child; the class is compiled into a new directory below {@code parent}. */
    public JavaCommand in(JavaCommand command, Path parent) {
        return command.inFront(ReplacedClass.compile(parent, SOURCE))
                .options(
                        "-Dlatchkey.failpoint=" + point,
                        "-Dlatchkey.failpoint.count=" + count,
                        "-Dlatchkey.failpoint.signal=" + signal);
    }
}
