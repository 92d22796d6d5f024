package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.EntryTooLargeException;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/*
 * A value is written into cache.db-latchkey, where Python's check(fix=True) deletes nothing, and gets its final name
 * inside the transaction that writes the row which names it: whoever holds the write lock, as that check does, never sees a
 * file with a final name whose row is not committed yet, unless its process has died. A file goes only after the row that
 * named it is gone. There is no folder of its own for them: that check complains of empty folders and deletes them.
 *
 * Streams, not channels: an interrupt must not close a file half-way.
 */
/** The files that hold large values: {@code xx/yy/<28 hex>.val}. */
final class ValueFiles {
    static final Pattern NAME = Pattern.compile("[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\\.val");
    static final String INCOMING = "incoming-";
    private static final long LARGEST_ARRAY = Integer.MAX_VALUE - 8;
    /** The setting sqlite_synchronous that lets commits survive a loss of power. */
    private static final long FULL = 2;

    private static final int BUFFER = 1 << 16;

    private final Path root;
    private final Path own;
    private final SecureRandom random = new SecureRandom();

    ValueFiles(Path root, Path own) {
        this.root = root;
        this.own = own;
    }

    /** A value that waits for its transaction. */
    record Written(String name, long size) {}

    /** Writes a value for a transaction to come; what survives a loss of power is for the settings to say. */
    Written write(byte[] content, Settings settings) {
        return write(new ByteArrayInputStream(content), settings);
    }

    /** Writes what a stream holds, unless that is more than a value may have. */
    Written write(InputStream content, Settings settings) {
        String name = newName();
        Path file = incomingOf(name);
        try (FileOutputStream out = create(file)) {
            long size = copy(content, out, settings.valueLimit());
            if (settings.synchronous() >= FULL) {
                out.getFD().sync();
            }
            return new Written(name, size);
        } catch (IOException e) {
            remove(name);
            throw failed(file, e);
        } catch (Throwable t) {
            remove(name);
            throw t;
        }
    }

    private String newName() {
        byte[] bytes = new byte[16];
        random.nextBytes(bytes);
        String hex = HexFormat.of().formatHex(bytes);
        return hex.substring(0, 2) + "/" + hex.substring(2, 4) + "/" + hex.substring(4) + ".val";
    }

    private Path incomingOf(String name) {
        return own.resolve(INCOMING + name.replace("/", ""));
    }

    private FileOutputStream create(Path file) throws IOException {
        Files.createFile(file, Directory.permissions("rw-------"));
        return new FileOutputStream(file.toFile());
    }

    private static long copy(InputStream content, OutputStream out, long most) throws IOException {
        byte[] buffer = new byte[BUFFER];
        long size = 0;
        for (int read = readFrom(content, buffer); read >= 0; read = readFrom(content, buffer)) {
            size += read;
            if (size > most) {
                throw new EntryTooLargeException("the value is larger than the limit of " + most
                        + " bytes of this cache; raise its size_limit with alter");
            }
            out.write(buffer, 0, read);
        }
        return size;
    }

    /** What the caller's stream throws is not the fault of our file. */
    private static int readFrom(InputStream content, byte[] buffer) {
        try {
            return content.read(buffer);
        } catch (IOException e) {
            throw new CacheException("the stream that was to be stored failed, nothing was stored: " + e, e);
        }
    }

    private CacheException failed(Path file, IOException e) {
        return Errors.isFull(e, root)
                ? new CacheFullException("no space for the value file " + file, e)
                : new CacheException("cannot write the value file " + file + ": " + e, e);
    }

    /**
     * Gives a value its final name; inside the transaction that writes its row, which may be run again. The folders may vanish
     * between two steps: whoever removes a value removes folders that became empty.
     */
    void publish(String name) {
        Path file = root.resolve(name);
        try {
            while (true) {
                try {
                    Directory.createFolder(root.resolve(name.substring(0, 2)));
                    Directory.createFolder(root.resolve(name.substring(0, 5)));
                    Files.move(incomingOf(name), file, StandardCopyOption.ATOMIC_MOVE);
                    return;
                } catch (NoSuchFileException e) {
                    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                        return; // by an earlier run of the transaction
                    }
                    if (!Files.exists(incomingOf(name), LinkOption.NOFOLLOW_LINKS)) {
                        throw e;
                    }
                }
            }
        } catch (FileAlreadyExistsException e) {
            throw new CacheException("cannot write the value file " + file + ": a file or link is in its way", e);
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    /** Takes the final name away again, before the transaction that gave it is undone; it may be run again. */
    void withdraw(String name) {
        try {
            Files.move(root.resolve(name), incomingOf(name), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // it was not published
        }
        removeFolders(name);
    }

    /** Reads a value, or answers null if there is no such file or it has another length. */
    byte @Nullable [] read(String name, long size) {
        try (InputStream in = open(name, size)) {
            if (in == null) {
                return null;
            }
            if (size > LARGEST_ARRAY) {
                throw new CacheException("the value file " + root.resolve(name) + " of " + size
                        + " bytes is too large for an array; use read to stream it");
            }
            return in.readNBytes((int) size);
        } catch (EOFException e) {
            return null;
        } catch (IOException e) {
            throw new CacheException("cannot read the value file " + root.resolve(name) + ": " + e, e);
        }
    }

    /** Opens a value, or answers null if there is no such file or it has another length. */
    @Nullable
    InputStream open(String name, long size) {
        if (size(name) != size) {
            return null;
        }
        Path file = root.resolve(name);
        try {
            return new WholeFile(new FileInputStream(file.toFile()), file, size);
        } catch (FileNotFoundException e) {
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new CacheException("cannot open the value file " + file + ": " + e.getMessage(), e);
            }
            return null;
        }
    }

    /** A file that must not end early: somebody may cut it short while it is read. */
    private static final class WholeFile extends FilterInputStream {
        private final Path file;
        private long left;

        WholeFile(InputStream in, Path file, long size) {
            super(in);
            this.file = file;
            this.left = size;
        }

        private int counted(int read) throws IOException {
            if (read < 0 && left > 0) {
                throw new EOFException("the value file " + file + " was cut short by " + left + " bytes");
            }
            left -= Math.max(0, read);
            return read;
        }

        @Override
        public int read() throws IOException {
            int found = super.read();
            counted(found < 0 ? found : 1);
            return found;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            return counted(super.read(buffer, offset, length));
        }

        @Override
        public long skip(long count) throws IOException {
            long skipped = super.skip(Math.max(0, Math.min(count, left)));
            left -= skipped;
            return skipped;
        }

        @Override
        public byte[] readAllBytes() throws IOException {
            byte[] all = in.readAllBytes();
            left -= all.length;
            counted(-1);
            return all;
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }

    /** The length of a value file; -1 if there is none, or it is no plain file inside the directory. */
    long size(String name) {
        if (!NAME.matcher(name).matches() || !isInside(name)) {
            return -1;
        }
        try {
            BasicFileAttributes found =
                    Files.readAttributes(root.resolve(name), BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return found.isRegularFile() ? found.size() : -1;
        } catch (NoSuchFileException e) {
            return -1;
        } catch (IOException e) {
            throw new CacheException("cannot look at the value file " + root.resolve(name) + ": " + e, e);
        }
    }

    /**
     * The length of a value file; -1 only if there is certainly no plain file of that name inside the directory.
     *
     * @throws IOException if that cannot be found out
     */
    long sizeForCertain(String name) throws IOException {
        try {
            boolean inside = attributes(name.substring(0, 2)).isDirectory()
                    && attributes(name.substring(0, 5)).isDirectory();
            BasicFileAttributes found = inside ? attributes(name) : null;
            return found != null && found.isRegularFile() ? found.size() : -1;
        } catch (NoSuchFileException e) {
            return -1;
        }
    }

    private BasicFileAttributes attributes(String path) throws IOException {
        return Files.readAttributes(root.resolve(path), BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }

    FileTree tree() {
        return new FileTree(root);
    }

    /** A folder that is a link would lead out of the directory. */
    private boolean isInside(String name) {
        return isFolder(name.substring(0, 2)) && isFolder(name.substring(0, 5));
    }

    private boolean isFolder(String path) {
        return Files.isDirectory(root.resolve(path), LinkOption.NOFOLLOW_LINKS);
    }

    /** Each by itself: a repair of Python removes an empty inner folder and leaves the outer one. */
    private void removeFolders(String name) {
        String outer = name.substring(0, 2);
        try {
            if (isInside(name)) {
                Files.deleteIfExists(root.resolve(name.substring(0, 5)));
            }
            if (isFolder(outer)) {
                Files.deleteIfExists(root.resolve(outer));
            }
        } catch (IOException e) {
            // a folder that is not empty stays
        }
    }

    /** Removes a value that no row names, whether it was published or not; what cannot be removed is left for a later sweep. */
    void remove(String name) {
        if (!NAME.matcher(name).matches()) {
            return;
        }
        try {
            Files.deleteIfExists(incomingOf(name));
            if (isInside(name)) {
                Files.deleteIfExists(root.resolve(name));
            }
        } catch (IOException e) {
            // a file that somebody protects stays
        }
        removeFolders(name);
    }
}
