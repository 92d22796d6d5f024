package dev.latchkey.cache.sqlite;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Looks through all files of a directory, a folder at a time, and never follows a link. Paths are relative to the directory. */
final class FileTree {
    private static final Pattern DATABASE = Pattern.compile("cache\\.db(-wal|-shm|-journal)?");
    private static final Pattern OWN = Pattern.compile("(locks|hints|spare|spare\\.log)(\\.new)?");
    private static final Pattern INCOMING = Pattern.compile(ValueFiles.INCOMING + "[0-9a-f]{32}\\.val");
    private static final Pattern FOLDER = Pattern.compile("[0-9a-f]{2}");
    private static final Pattern FILE = Pattern.compile("[0-9a-f]{28}\\.val");

    private final Path root;

    FileTree(Path root) {
        this.root = root;
    }

    /** Is told what there is. */
    interface Visitor {
        /** Something with the name of a value file. */
        void valueFile(String name);

        /** Something with the name of a value that waits for its transaction. */
        void incoming(String path);

        void emptyFolder(String path);

        /** Something that is none of the cache's. */
        void foreign(String path);

        void unreadable(String path, IOException reason);
    }

    /** Looks at everything but the value files; answers the folders that they may be in. */
    List<String> top(Visitor visitor) {
        List<String> folders = new ArrayList<>();
        each("", visitor, name -> {
            if (FOLDER.matcher(name).matches()) {
                folders.add(name);
            } else if (!DATABASE.matcher(name).matches() && !name.equals(Directory.OWN_FOLDER)) {
                visitor.foreign(name);
            }
        });
        String own = Directory.OWN_FOLDER;
        each(own, visitor, name -> {
            if (INCOMING.matcher(name).matches()) {
                visitor.incoming(own + "/" + name);
            } else if (!OWN.matcher(name).matches()) {
                visitor.foreign(own + "/" + name);
            }
        });
        return folders;
    }

    /** Looks at one of the folders that {@link #top} has answered. */
    void folder(String folder, Visitor visitor) {
        if (isFolder(folder, visitor)) {
            int found = each(folder, visitor, name -> {
                String path = folder + "/" + name;
                if (!FOLDER.matcher(name).matches()) {
                    visitor.foreign(path);
                } else if (isFolder(path, visitor)) {
                    files(path, visitor);
                }
            });
            reportIfEmpty(folder, found, visitor);
        }
    }

    /** Looks at a folder {@code xx/yy}. */
    void files(String folder, Visitor visitor) {
        int found = each(folder, visitor, name -> {
            String path = folder + "/" + name;
            if (FILE.matcher(name).matches()) {
                visitor.valueFile(path);
            } else {
                visitor.foreign(path);
            }
        });
        reportIfEmpty(folder, found, visitor);
    }

    private static void reportIfEmpty(String folder, int found, Visitor visitor) {
        if (found == 0) {
            visitor.emptyFolder(folder);
        }
    }

    /** Whether a folder that was empty is so still, and nothing came and went meanwhile. */
    boolean isStillEmpty(String folder, Look before) {
        try (DirectoryStream<Path> children = Files.newDirectoryStream(root.resolve(folder))) {
            return before.equals(look(folder)) && !children.iterator().hasNext();
        } catch (IOException e) {
            return false;
        }
    }

    /** Answers how many there are, -1 if that is not known. */
    private int each(String folder, Visitor visitor, Consumer<String> name) {
        int count = 0;
        try (DirectoryStream<Path> children = Files.newDirectoryStream(root.resolve(folder))) {
            for (Path child : children) {
                count++;
                name.accept(child.getFileName().toString());
            }
            return count;
        } catch (NoSuchFileException | NotDirectoryException e) {
            return -1; // removed meanwhile
        } catch (DirectoryIteratorException e) {
            visitor.unreadable(folder, new IOException(e.getMessage(), e));
            return -1;
        } catch (IOException e) {
            visitor.unreadable(folder, e);
            return -1;
        }
    }

    private boolean isFolder(String path, Visitor visitor) {
        try {
            boolean folder = Files.readAttributes(
                            root.resolve(path), BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .isDirectory();
            if (!folder) {
                visitor.foreign(path);
            }
            return folder;
        } catch (NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            visitor.unreadable(path, e);
            return false;
        }
    }

    /** What is known of a file or folder without opening it. */
    record Look(boolean isFile, boolean isLink, long size, long changedMillis) {}

    /** Null if there is nothing of that name any more, or it cannot be looked at. */
    @Nullable
    Look look(String path) {
        try {
            Map<String, Object> found = Files.readAttributes(
                    root.resolve(path),
                    "unix:isRegularFile,isSymbolicLink,size,lastModifiedTime,ctime",
                    LinkOption.NOFOLLOW_LINKS);
            return new Look(
                    Boolean.TRUE.equals(found.get("isRegularFile")),
                    Boolean.TRUE.equals(found.get("isSymbolicLink")),
                    found.get("size") instanceof Long size ? size : 0,
                    Math.max(millis(found.get("lastModifiedTime")), millis(found.get("ctime"))));
        } catch (IOException e) {
            return null;
        }
    }

    private static long millis(@Nullable Object time) {
        return time instanceof FileTime found ? found.toMillis() : Long.MAX_VALUE;
    }

    /** Removes something that {@link #top} took for a value that waits; whether it is gone. */
    boolean removeIncoming(String path) {
        try {
            Files.deleteIfExists(root.resolve(path));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Removes a folder and the one above it, if they are empty; whether it is gone. */
    boolean removeEmptyFolder(String path) {
        try {
            Files.deleteIfExists(root.resolve(path));
            if (path.length() > 2) {
                Files.deleteIfExists(root.resolve(path.substring(0, 2)));
            }
        } catch (IOException e) {
            // no longer empty, or protected by somebody
        }
        return !Files.exists(root.resolve(path), LinkOption.NOFOLLOW_LINKS);
    }
}
