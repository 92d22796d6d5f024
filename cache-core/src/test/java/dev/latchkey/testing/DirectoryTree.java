package dev.latchkey.testing;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Deletes a directory with all that is in it; links are deleted, not followed. */
public final class DirectoryTree extends SimpleFileVisitor<Path> {
    private final List<String> left = new ArrayList<>();

    private DirectoryTree() {}

    /** Deletes what can be deleted and returns what is left, each with its reason. */
    public static List<String> delete(Path directory) {
        DirectoryTree tree = new DirectoryTree();
        try {
            Files.walkFileTree(directory, tree);
        } catch (IOException e) {
            tree.left.add(e.toString());
        }
        return tree.left;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        return delete(file, null);
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException problem) {
        return delete(file, problem);
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException problem) {
        return delete(directory, problem);
    }

    private FileVisitResult delete(Path path, @Nullable IOException problem) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            left.add(path + " (" + (problem == null ? e : problem) + ")");
        }
        return FileVisitResult.CONTINUE;
    }
}
