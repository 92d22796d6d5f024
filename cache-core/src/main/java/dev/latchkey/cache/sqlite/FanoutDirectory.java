package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.FanoutCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The directory of a FanoutCache: the folders {@code 000}, {@code 001}, ... and, in others, caches of their own. */
final class FanoutDirectory {
    private static final Pattern SHARD = Pattern.compile("[0-9]{3,}");

    private final Path root;
    /** Whether it is to be deleted when the cache is closed. */
    private final boolean temporary;

    private FanoutDirectory(Path root, boolean temporary) {
        this.root = root;
        this.temporary = temporary;
    }

    static FanoutDirectory temporary() {
        return new FanoutDirectory(Directory.newTemporary(), true);
    }

    void deleteIfTemporary() {
        if (temporary) {
            Directory.delete(root);
        }
    }

    static FanoutDirectory open(Path path, boolean readOnly) {
        try {
            Directory.requireNothingInPlace(path);
            if (!Files.isDirectory(path)) {
                if (readOnly) {
                    throw new CacheException(path + " does not exist; a cache that is opened for reading alone must");
                }
                Directory.createFolders(path.toAbsolutePath());
            }
            FanoutDirectory directory = new FanoutDirectory(path.toRealPath(), false);
            directory.requireShards();
            return directory;
        } catch (IOException e) {
            throw Errors.notOpened("cannot open the directory " + path + ": " + e, e, path);
        }
    }

    /** What was made by something else, or lost its first shard, must not get new shards beside it. */
    private void requireShards() {
        if (Files.exists(root.resolve("cache.db"), LinkOption.NOFOLLOW_LINKS)) {
            throw new CacheException(root + " holds a Cache, not a FanoutCache; open it with Cache.open");
        }
        boolean others = shardFolders().stream().anyMatch(number -> number > 0);
        if (others) {
            requireShard(0); // is made before the others
        }
    }

    Path root() {
        return root;
    }

    Path shard(int number) {
        Path shard = root.resolve(String.format(Locale.ROOT, "%03d", number));
        if (Files.isSymbolicLink(shard)) {
            throw new CacheException(shard + " is a symbolic link; links inside a cache directory are refused");
        }
        return shard;
    }

    /** Throws if a shard is missing that was there once. */
    void requireShard(int number) {
        Path database = shard(number).resolve("cache.db");
        try {
            if (Files.size(database) > 0) {
                return;
            }
        } catch (IOException e) {
            // missing as well
        }
        throw new CacheCorruptException("shard " + shard(number)
                + " of a FanoutCache is missing or has no database; restore" + " it, or move the directory away");
    }

    /** How many shards Python has made: as many as there are folders, which must be numbered without a gap. */
    int countShards() {
        List<Integer> numbers = shardFolders();
        int count = numbers.stream().mapToInt(number -> number + 1).max().orElse(0);
        if (count > FanoutCache.MOST_SHARDS) {
            throw new CacheException(root + " has " + count + " shards, more than the " + FanoutCache.MOST_SHARDS
                    + " that can be opened");
        }
        for (int i = 0; i < count; i++) {
            requireShard(i);
        }
        return count;
    }

    private List<Integer> shardFolders() {
        try (Stream<Path> children = Files.list(root)) {
            return children.filter(Files::isDirectory)
                    .map(child -> child.getFileName().toString())
                    .filter(name -> SHARD.matcher(name).matches() && name.length() < 6)
                    .map(Integer::valueOf)
                    .toList();
        } catch (IOException e) {
            throw new CacheException("cannot read the directory " + root + ": " + e, e);
        }
    }

    /** When a folder was made in it last. */
    long changedMillis() {
        try {
            return Files.getLastModifiedTime(root).toMillis();
        } catch (IOException e) {
            throw new CacheException("cannot look at the directory " + root + ": " + e, e);
        }
    }

    /**
     * The folder of a cache of its own.
     *
     * @throws IllegalArgumentException if a name would lead to anywhere else, or into another such cache
     */
    Path inner(String kind, String name) {
        Path folder = root.resolve(kind);
        for (String part : name.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..") || part.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("name must be one or more parts between slashes, none of them empty,"
                        + " '.' or '..', was '" + name + "'");
            }
            if (Files.exists(folder.resolve("cache.db"), LinkOption.NOFOLLOW_LINKS)) {
                throw new IllegalArgumentException(
                        "name '" + name + "' lies in another cache, the one in " + folder + "; choose another");
            }
            folder = folder.resolve(part);
            if (Files.isSymbolicLink(folder)) {
                throw new CacheException(folder + " is a symbolic link; links inside a cache directory are refused");
            }
        }
        requireNothingBelow(folder, name);
        return folder;
    }

    /** Folders alone are those of longer names. */
    private static void requireNothingBelow(Path folder, String name) {
        if (!Files.isDirectory(folder) || Files.exists(folder.resolve("cache.db"), LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> children = Files.list(folder)) {
            if (children.anyMatch(child -> Files.isDirectory(child)
                    && !Objects.equals(child.getFileName().toString(), Directory.OWN_FOLDER))) {
                throw new IllegalArgumentException(
                        "name '" + name + "' has other caches below it in " + folder + "; choose another");
            }
        } catch (IOException e) {
            throw new CacheException("cannot read the directory " + folder + ": " + e, e);
        }
    }
}
