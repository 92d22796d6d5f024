package dev.latchkey.cache.sqlite;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Random;

/** A file that takes up space and is otherwise of no use. Streams, not channels, which an interrupt would close. */
record SpareFile(Path path) {
    private static final int CHUNK = 1 << 16;

    /** 0 if there is no such file. */
    long length() {
        try {
            BasicFileAttributes found =
                    Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return found.isRegularFile() ? found.size() : 0;
        } catch (IOException e) {
            return 0;
        }
    }

    /** Of no length there is no file. If there is no space for more, it stays as long as it was. */
    void resize(long length) throws IOException {
        long before = length();
        if (length == 0) {
            Files.deleteIfExists(path);
        } else if (before == 0) {
            create(length);
        } else if (before < length) {
            extend(before, length);
        } else if (before > length) {
            cut(length);
        }
    }

    private void create(long length) throws IOException {
        Path fresh = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        try {
            Files.createFile(fresh, Directory.permissions("rw-------"));
            try (FileOutputStream out = new FileOutputStream(fresh.toFile())) {
                write(out, length);
            }
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.deleteIfExists(fresh);
            throw e;
        }
    }

    private void extend(long before, long length) throws IOException {
        try (FileOutputStream out = new FileOutputStream(path.toFile(), true)) {
            write(out, length - before);
        } catch (IOException e) {
            cut(before);
            throw e;
        }
    }

    private void cut(long length) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(length);
        }
    }

    /** Noise: file systems that compress, or leave out zeros, must set the space aside too. */
    private static void write(FileOutputStream out, long length) throws IOException {
        Random random = new Random();
        byte[] noise = new byte[CHUNK];
        for (long left = length; left > 0; left -= CHUNK) {
            random.nextBytes(noise);
            out.write(noise, 0, (int) Math.min(CHUNK, left));
        }
    }
}
