package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.common.base.Throwables;
import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.TestDirectory;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A process that may not open another file. */
@Tag("process")
@Tag("everyJdk")
class DescriptorsTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final int ENOUGH_TO_OPEN = 30;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    /** Uses up all descriptors and gives them back one after the other. */
    private static final class Hoard implements AutoCloseable {
        private final Deque<FileInputStream> held = new ArrayDeque<>();

        void takeAll() {
            try {
                while (true) {
                    held.push(new FileInputStream("/dev/null"));
                }
            } catch (IOException e) {
                // that was the last
            }
        }

        boolean giveOne() throws IOException {
            FileInputStream one = held.poll();
            if (one != null) {
                one.close();
            }
            return one != null;
        }

        @Override
        public void close() throws IOException {
            while (giveOne()) {
                // another one
            }
        }
    }

    private static void complain(Throwable t) {
        Child.say("FAILED " + Throwables.getStackTraceAsString(t).replace('\n', ' '));
    }

    /** Opens with ever more descriptors left, until it succeeds. */
    static final class Opener {
        public static void main(String[] args) throws Exception {
            Child.start();
            Child.loadClasses(Cache.class);
            Path path = Path.of(args[0]);
            use(path);
            long before = Child.descriptorsBelow(path);
            int failures = 0;
            try (Hoard hoard = new Hoard()) {
                hoard.takeAll();
                for (boolean opened = false; !opened; hoard.giveOne()) {
                    try {
                        use(path);
                        opened = true;
                    } catch (CacheException e) {
                        failures++;
                    } catch (Throwable t) {
                        complain(t);
                        return;
                    }
                }
            }
            use(path);
            Child.say("FAILURES " + (failures > 0 && failures < ENOUGH_TO_OPEN) + " LEAKED "
                    + (Child.descriptorsBelow(path) - before));
        }

        private static void use(Path path) {
            try (Cache cache = Cache.open(path)) {
                cache.incr("n");
                cache.set("large", new byte[40_000]);
                if (cache.get("large", byte[].class).length != 40_000) {
                    throw new AssertionError("the value is lost");
                }
            }
        }
    }

    @Test
    void whoeverCannotOpenGetsATypedErrorAndCanOpenLater() {
        JavaProcess opener = processes.start(
                JavaCommand.of(Opener.class, directory.path().toString()).descriptors(100));
        assertEquals("FAILURES true LEAKED 0", opener.await("FA", LONG));
    }

    /** Writes and reads while there is no descriptor left. */
    static final class User {
        public static void main(String[] args) throws Exception {
            Child.start();
            Child.loadClasses(Cache.class);
            Path path = Path.of(args[0]);
            try (Cache cache = Cache.open(path);
                    Hoard hoard = new Hoard()) {
                cache.set("large", new byte[40_000]);
                cache.get("large");
                openBothReaders(cache);
                long before = settledDescriptors(path);
                hoard.takeAll();
                int refused = 0;
                for (int i = 0; i < 20; i++) {
                    int n = i;
                    refused += isRefused(() -> cache.set("other" + n, new byte[40_000])) ? 1 : 0;
                    refused += isRefused(() -> requireLarge(cache)) ? 1 : 0;
                    cache.incr("n"); // needs no file
                }
                hoard.close();
                requireLarge(cache);
                cache.set("other", new byte[40_000]);
                Child.say("REFUSED " + refused + " COUNTED " + cache.get("n") + " LEAKED "
                        + (settledDescriptors(path) - before));
            } catch (Throwable t) {
                complain(t);
            }
        }

        /** One that reads while another does needs the second connection. */
        private static void openBothReaders(Cache cache) {
            Readers readers = Damage.engine(cache).readers();
            Deadline deadline = Deadline.after(LONG);
            boolean unused = readers.read(first -> readers.read(second -> true, deadline), deadline);
        }

        /** What the looks of every second keep open is open when they have changed nothing for a while. */
        private static long settledDescriptors(Path path) throws InterruptedException {
            Path spare = path.resolve("cache.db-latchkey/spare");
            long count = Child.descriptorsBelow(path);
            long since = System.nanoTime();
            while (!Files.exists(spare) || System.nanoTime() - since < TimeUnit.MILLISECONDS.toNanos(2_500)) {
                Thread.sleep(50);
                long now = Child.descriptorsBelow(path);
                if (now != count) {
                    count = now;
                    since = System.nanoTime();
                }
            }
            return count;
        }

        /** What is there must never look absent. */
        private static void requireLarge(Cache cache) {
            byte[] value = cache.get("large", byte[].class);
            if (value == null || value.length != 40_000) {
                throw new AssertionError("the value looks absent");
            }
        }

        private static boolean isRefused(Runnable operation) {
            try {
                operation.run();
                return false;
            } catch (CacheException e) {
                return true;
            }
        }
    }

    @Test
    void largeValuesAreRefusedWithATypedErrorWhileNoFileCanBeOpened() {
        JavaProcess user = processes.start(
                JavaCommand.of(User.class, directory.path().toString()).descriptors(100));
        assertEquals("REFUSED 40 COUNTED 20 LEAKED 0", user.await("", LONG));
    }
}
