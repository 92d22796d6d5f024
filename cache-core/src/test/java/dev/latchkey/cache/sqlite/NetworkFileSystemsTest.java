package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheBuilder;
import dev.latchkey.cache.CacheException;
import dev.latchkey.testing.Child;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.ReplacedClass;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Directories that lie on another host are refused. */
class NetworkFileSystemsTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @RegisterExtension
    final Processes processes = new Processes();

    @ParameterizedTest
    @ValueSource(
            strings = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "lustre", "ceph", "drvfs", "NFS4"})
    void whatLiesOnAnotherHostIsOne(String type) {
        assertTrue(NetworkFileSystems.isOne(type));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuseblk", "apfs", "fuse.fuse-overlayfs", ""})
    void whatLiesOnThisHostIsNone(String type) {
        assertFalse(NetworkFileSystems.isOne(type));
    }

    @Test
    void thisMachineTellsTheTypeOfItsFileSystems() throws IOException {
        assertFalse(FileSystemType.of(directory.path()).isBlank());
    }

    /** Opens a directory in every way on a machine where everything seems to lie on NFS. */
    static final class Opener {
        public static void main(String[] args) {
            Child.start();
            Path path = Path.of(args[0]);
            Child.say("PLAIN " + tried(Cache.builder(path)));
            Child.say("ALLOWED " + tried(Cache.builder(path).allowNetworkFileSystem(true)));
            Child.say("READING " + tried(Cache.builder(path).readOnly(true)));
        }

        private static String tried(CacheBuilder builder) {
            try (Cache cache = builder.open()) {
                return "open " + cache.size();
            } catch (CacheException e) {
                return String.valueOf(e.getMessage());
            }
        }
    }

    private static final String NFS = """
            package dev.latchkey.cache.sqlite;

            final class FileSystemType {
                static String of(java.nio.file.Path path) {
                    return "nfs4";
                }
            }
            """;

    @Test
    @Tag("process")
    void aDirectoryOnNfsIsRefusedWithTheReasonUnlessItIsAllowed() throws IOException {
        Path path = directory.resolve("cache");
        Path replaced = ReplacedClass.compile(directory.resolve("replaced"), NFS);
        JavaProcess opener =
                processes.start(JavaCommand.of(Opener.class, path.toString()).inFront(replaced));
        String message = opener.await("PLAIN", LONG);
        assertTrue(message.contains("nfs4") && message.contains(path.toString()), message);
        assertEquals("ALLOWED open 0", opener.await("ALLOWED", LONG));
        assertTrue(opener.await("READING", LONG).contains("nfs4"));
        assertEquals(0, opener.exitCode(LONG));
    }
}
