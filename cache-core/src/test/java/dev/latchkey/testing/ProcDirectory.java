package dev.latchkey.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.Stream;

/** {@code /proc/PID} or {@code /proc/PID/task/TID}: what Linux tells about a process or one thread of it. */
record ProcDirectory(Path path) {

    static ProcDirectory of(long pid) {
        return new ProcDirectory(Path.of("/proc", Long.toString(pid)));
    }

    /** How many bytes could be given to programs without swapping; 0 if the kernel does not say. */
    static long availableMemory() {
        try {
            return 1024 * new ProcDirectory(Path.of("/proc")).number("meminfo", "MemAvailable");
        } catch (UncheckedIOException | NoSuchElementException e) {
            return 0;
        }
    }

    /** The threads of a process. */
    List<ProcDirectory> threads() {
        try (Stream<Path> tasks = Files.list(path.resolve("task"))) {
            return tasks.map(ProcDirectory::new).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The fields of {@code stat} from the third on, the state; the name before it may contain anything. */
    List<String> stat() {
        String line = read("stat");
        return List.of(line.substring(line.lastIndexOf(')') + 2).strip().split(" "));
    }

    /** The number in the line {@code key: number} of a file, which may be one of kB. */
    long number(String file, String key) {
        String line = read(file)
                .lines()
                .filter(text -> text.startsWith(key + ":"))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.substring(key.length() + 1).replace("kB", "").strip());
    }

    /** Whether all threads are stopped; the state of a process alone is that of its first thread. */
    boolean isStopped() {
        try {
            return threads().stream().allMatch(thread -> thread.stat().get(0).equals("T"));
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    private String read(String file) {
        try {
            return Files.readString(path.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
