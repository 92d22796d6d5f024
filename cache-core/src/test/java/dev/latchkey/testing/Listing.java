package dev.latchkey.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All that is in a directory that others change meanwhile; {@link Files#walk} fails when something goes that it has just seen. */
public final class Listing extends SimpleFileVisitor<Path> {
    private final List<Path> found = new ArrayList<>();
    private final List<Path> files = new ArrayList<>();

    private Listing() {}

    /** The directory itself, and all files and directories below it. */
    public static List<Path> of(Path directory) {
        return walked(directory).found;
    }

    /** All files below a directory, as they are called seen from it. */
    public static List<String> filesOf(Path directory) {
        return walked(directory).files.stream()
                .map(file -> directory.relativize(file).toString())
                .toList();
    }

    private static Listing walked(Path directory) {
        Listing listing = new Listing();
        try {
            Files.walkFileTree(directory, listing);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return listing;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
        found.add(directory);
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        found.add(file);
        files.add(file);
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException problem) throws IOException {
        return unlessGone(problem);
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException problem) throws IOException {
        return problem == null ? FileVisitResult.CONTINUE : unlessGone(problem);
    }

    private static FileVisitResult unlessGone(IOException problem) throws IOException {
        if (problem instanceof NoSuchFileException) {
            return FileVisitResult.CONTINUE;
        }
        throw problem;
    }
}
