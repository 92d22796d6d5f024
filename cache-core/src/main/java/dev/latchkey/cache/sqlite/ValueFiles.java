package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheFullException;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The files that hold large values: {@code xx/yy/<28 hex>.val}. A file is complete under its final name before the row that
 * names it is committed, and goes only after the row that named it is gone. Streams, not channels: an interrupt must not
 * close a file half-way.
 */
final class ValueFiles {
    private static final Pattern NAME = Pattern.compile("[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\\.val");

    private final Path root;
    private final SecureRandom random = new SecureRandom();

    ValueFiles(Path root) {
        this.root = root;
    }

    /** Writes a value under a new name. */
    String write(byte[] content) {
        byte[] bytes = new byte[16];
        random.nextBytes(bytes);
        String hex = HexFormat.of().formatHex(bytes);
        String name = hex.substring(0, 2) + "/" + hex.substring(2, 4) + "/" + hex.substring(4) + ".val";
        Path file = root.resolve(name);
        try {
            create(name);
            try (OutputStream out = new FileOutputStream(file.toFile())) {
                out.write(content);
            }
            return name;
        } catch (IOException e) {
            remove(name);
            throw isFull(e)
                    ? new CacheFullException("no space for a value of " + content.length + " bytes in " + root, e)
                    : new CacheException("cannot write the value file " + file + ": " + e, e);
        }
    }

    /** The folders may vanish between two steps: whoever removes a value removes folders that became empty. */
    private void create(String name) throws IOException {
        while (true) {
            try {
                Directory.createFolder(root.resolve(name.substring(0, 2)));
                Directory.createFolder(root.resolve(name.substring(0, 5)));
                Files.createFile(root.resolve(name), Directory.permissions("rw-------"));
                return;
            } catch (NoSuchFileException e) {
                if (!Files.isDirectory(root)) {
                    throw e;
                }
            }
        }
    }

    private static boolean isFull(IOException e) {
        return String.valueOf(e.getMessage()).contains("No space left");
    }

    /** Reads a value, or answers null if there is no such file. */
    byte @Nullable [] read(String name) {
        if (!NAME.matcher(name).matches()) {
            return null;
        }
        Path file = root.resolve(name);
        if (!isInside(name) || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return null;
        }
        try (InputStream in = new FileInputStream(file.toFile())) {
            return in.readAllBytes();
        } catch (FileNotFoundException e) {
            return null;
        } catch (IOException e) {
            throw new CacheException("cannot read the value file " + file + ": " + e, e);
        }
    }

    /** A folder that is a link would lead out of the directory. */
    private boolean isInside(String name) {
        return Files.isDirectory(root.resolve(name.substring(0, 2)), LinkOption.NOFOLLOW_LINKS)
                && Files.isDirectory(root.resolve(name.substring(0, 5)), LinkOption.NOFOLLOW_LINKS);
    }

    /** Removes a value that no row names any more; what cannot be removed is left for a later sweep. */
    void remove(String name) {
        if (!NAME.matcher(name).matches() || !isInside(name)) {
            return;
        }
        try {
            Files.deleteIfExists(root.resolve(name));
            Files.deleteIfExists(root.resolve(name.substring(0, 5)));
            Files.deleteIfExists(root.resolve(name.substring(0, 2)));
        } catch (IOException e) {
            // a folder that is not empty stays, like a file that somebody else protects
        }
    }
}
