package dev.latchkey.examples;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A copy of the text files below a folder. Workers and the count at the end read the copy, so a file that changes or vanishes
 * meanwhile is the same for both.
 *
 * <p>A text file has no NUL in its first 8 KiB. Left out are the folders {@code target} and {@code .git}, symbolic links, names
 * with control characters, and what cannot be read.
 */
final class TextFiles extends SimpleFileVisitor<Path> {
    private static final int PROBE = 8 * 1024;
    private static final Set<String> EXCLUDED = Set.of("target", ".git");

    private final Path folder;
    private final DemoDirectory copies;
    private final Set<String> names = new TreeSet<>();
    private int skipped;

    private TextFiles(Path folder, DemoDirectory copies) throws IOException {
        this.folder = folder.toRealPath();
        this.copies = copies;
    }

    /** Copies the text files of a folder. The demo's own folder may lie below; it is left out. */
    static TextFiles copy(Path folder, DemoDirectory copies) throws IOException {
        TextFiles files = new TextFiles(folder, copies);
        Files.walkFileTree(files.folder, files);
        return files;
    }

    /** The names of the files, relative to the folder. */
    List<String> names() {
        return List.copyOf(names);
    }

    List<Path> paths() {
        List<Path> paths = new ArrayList<>();
        names.forEach(name -> paths.add(copies.files().resolve(name)));
        return paths;
    }

    int skipped() {
        return skipped;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
        boolean leftOut = !directory.equals(folder)
                && (directory.equals(copies.root())
                        || EXCLUDED.contains(directory.getFileName().toString()));
        return leftOut ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        try {
            if (attributes.isRegularFile() && isText(file)) {
                add(file);
            } else {
                skipped++;
            }
        } catch (IOException | InvalidPathException e) {
            skipped++;
        }
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) {
        skipped++;
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e) {
        return FileVisitResult.CONTINUE;
    }

    private void add(Path file) throws IOException {
        String name = folder.relativize(file).toString();
        copies.copy(file, name);
        names.add(name);
    }

    private static boolean isText(Path file) throws IOException {
        if (file.toString().chars().anyMatch(Character::isISOControl)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            for (byte b : in.readNBytes(PROBE)) {
                if (b == 0) {
                    return false;
                }
            }
        }
        return true;
    }
}
