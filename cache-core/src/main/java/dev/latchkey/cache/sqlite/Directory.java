package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheReplacedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The directory and the files in it that are not values: where they are, who may read them, and whether they are still the
 * ones that were opened.
 */
final class Directory {
    static final String OWN_FOLDER = "cache.db-latchkey";
    private static final Pattern VALUE_FOLDER = Pattern.compile("[0-9a-f]{2}");

    private final Path root;
    private volatile @Nullable Object databaseKey;
    private volatile @Nullable Object locksKey;

    private Directory(Path root) {
        this.root = root;
    }

    /** A directory that must exist, and in which nothing is made. */
    static Directory openReadOnly(Path path, boolean networkFileSystem) {
        try {
            requireNothingInPlace(path);
            if (!Files.isDirectory(path)) {
                throw new CacheException(path + " does not exist; a cache that is opened for reading alone must");
            }
            Directory directory = new Directory(path.toRealPath());
            requireLocal(directory.root, networkFileSystem);
            directory.refuseLinks();
            return directory;
        } catch (IOException e) {
            throw new CacheException("cannot open the directory " + path + ": " + e, e);
        }
    }

    private static void requireLocal(Path path, boolean networkFileSystem) throws IOException {
        if (!networkFileSystem) {
            NetworkFileSystems.refuse(path, FileSystemType.of(path));
        }
    }

    /** Makes the directory if it is missing, parents too, and resolves links above it once and for all. */
    static Directory open(Path path, boolean networkFileSystem) {
        try {
            if (!Files.isDirectory(path)) {
                requireNothingInPlace(path);
                createFolders(path.toAbsolutePath());
            }
            Directory directory = new Directory(path.toRealPath());
            requireLocal(directory.root, networkFileSystem);
            createFolder(directory.own());
            directory.refuseLinks();
            return directory;
        } catch (IOException e) {
            throw Errors.notOpened("cannot open the directory " + path + ": " + e, e, path);
        }
    }

    static Directory temporary() {
        return open(newTemporary(), true);
    }

    static Path newTemporary() {
        try {
            return Files.createTempDirectory("latchkey-").toRealPath();
        } catch (IOException e) {
            throw new CacheException("cannot create a temporary directory: " + e, e);
        }
    }

    /** Deletes it with all that is in it. */
    void delete() {
        delete(root);
    }

    static void delete(Path root) {
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException | UncheckedIOException e) {
            throw new CacheException("cannot delete the temporary directory " + root + ": " + e, e);
        }
    }

    static void requireNothingInPlace(Path path) {
        // another process may have made the directory meanwhile
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && !Files.isDirectory(path)) {
            throw new CacheException(path + " is not a directory; a cache needs a directory of its own");
        }
    }

    Path root() {
        return root;
    }

    /** Of a shard, whose folder is named after it. */
    int shardNumber() {
        return Integer.parseInt(root.getFileName().toString());
    }

    Path database() {
        return root.resolve("cache.db");
    }

    Path log() {
        return root.resolve("cache.db-wal");
    }

    Path own() {
        return root.resolve(OWN_FOLDER);
    }

    Path locks() {
        return own().resolve("locks");
    }

    Path hints() {
        return own().resolve("hints");
    }

    /** By its length alone: the file must not be opened here. */
    long logBytes() {
        try {
            return Files.size(log());
        } catch (IOException e) {
            return 0;
        }
    }

    Path spare() {
        return own().resolve("spare");
    }

    Path spareForLog() {
        return own().resolve("spare.log");
    }

    boolean hasDatabase() {
        return isNotEmpty(database());
    }

    private static boolean isNotEmpty(Path file) {
        try {
            return Files.size(file) > 0;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Makes an empty database file with the right permissions, unless there is one. Empty beside value files it is what
     * is left of a database, and must not be mistaken for a new one. So it is beside a log, which SQLite would delete.
     */
    void createDatabaseFile() throws IOException {
        if (!hasDatabase() && (hasValueFiles() || isNotEmpty(log()))) {
            throw new CacheCorruptException(
                    database() + " is missing or empty, but there are value files or a log beside"
                            + " it; restore it, or move the directory away");
        }
        if (!hasDatabase() && Files.exists(root.resolve("000/cache.db"))) {
            throw new CacheException(root + " holds a FanoutCache; open it with FanoutCache.open");
        }
        createFile(database());
    }

    private boolean hasValueFiles() throws IOException {
        try (Stream<Path> children = Files.list(root)) {
            return children.anyMatch(child ->
                    VALUE_FOLDER.matcher(child.getFileName().toString()).matches());
        }
    }

    private void refuseLinks() {
        for (Path path : new Path[] {own(), database(), log(), locks(), hints(), spare(), spareForLog()}) {
            if (Files.isSymbolicLink(path)) {
                throw new CacheException(path + " is a symbolic link; links inside a cache directory are refused");
            }
        }
    }

    /** Remembers which files were opened. */
    void remember() {
        databaseKey = key(database());
        locksKey = key(locks());
    }

    /** For those who open nothing else. */
    void rememberDatabase() {
        databaseKey = key(database());
    }

    /** Throws if another process has removed or replaced the directory meanwhile. */
    void requireInPlace() {
        if (!isSame(databaseKey, database()) || (locksKey != null && !isSame(locksKey, locks()))) {
            throw new CacheReplacedException("the cache directory " + root
                    + " was removed or replaced while it was open; close it and open it anew");
        }
    }

    /** Whether the database that was opened here stands there now: then the directory was moved. */
    boolean wasMovedTo(Directory there) {
        return isSame(databaseKey, there.database());
    }

    private static boolean isSame(@Nullable Object remembered, Path path) {
        return remembered != null && remembered.equals(key(path));
    }

    /** Device and inode, or null if there is no such file; asks without opening it. */
    static @Nullable Object key(Path path) {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
        } catch (IOException e) {
            return null;
        }
    }

    static void createFile(Path file) throws IOException {
        try {
            Files.createFile(file, permissions("rw-------"));
        } catch (FileAlreadyExistsException e) {
            // made by another process, or long ago
        }
    }

    /** Makes a folder unless there is one; whoever finds it empty may remove it at any time. */
    static void createFolder(Path folder) throws IOException {
        while (true) {
            try {
                Files.createDirectory(folder, permissions("rwx------"));
                return;
            } catch (FileAlreadyExistsException e) {
                if (isFolder(folder)) {
                    return;
                }
            }
        }
    }

    /** False if there is nothing of that name any more; asked once, because the answer may change in between. */
    private static boolean isFolder(Path folder) throws IOException {
        try {
            if (Files.readAttributes(folder, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .isDirectory()) {
                return true;
            }
        } catch (NoSuchFileException e) {
            return false;
        }
        throw new FileAlreadyExistsException(folder.toString(), null, "is not a folder");
    }

    static void createFolders(Path folder) throws IOException {
        Path parent = folder.getParent();
        if (parent != null && !Files.isDirectory(parent)) {
            createFolders(parent);
        }
        try {
            Files.createDirectory(folder, permissions("rwx------"));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder)) {
                throw e;
            }
        } catch (NoSuchFileException e) {
            throw new CacheException("cannot create " + folder + ": " + parent + " vanished", e);
        }
    }

    static FileAttribute<?> permissions(String permissions) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions));
    }
}
