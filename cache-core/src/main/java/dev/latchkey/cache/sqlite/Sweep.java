package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheTimeoutException;
import dev.latchkey.cache.spi.Deadline;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Removes value files that processes have left which died: in the same order as an {@link Inspection}, and safe for the same
 * reasons, but in steps so small that it can be interrupted after each.
 */
final class Sweep {
    private static final Duration PATIENCE = Duration.ofMillis(200);
    private static final long FIRST_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final long BETWEEN_NANOS = TimeUnit.HOURS.toNanos(1);

    private final Engine engine;
    private final Grace grace;
    private final FileTree tree;
    private final Deque<Runnable> steps = new ArrayDeque<>();
    private long dueNanos = System.nanoTime() + FIRST_NANOS;
    private NameSet names = new NameSet();

    Sweep(Engine engine, Grace grace) {
        this.engine = engine;
        this.grace = grace;
        this.tree = engine.files().tree();
    }

    /** Goes on where the last look ended, or begins when it is time to. */
    void look(long endNanos) {
        if (steps.isEmpty() && System.nanoTime() - dueNanos >= 0) {
            begin();
        }
        run(endNanos);
    }

    /** Plans a sweep; {@link #run} does it. */
    void begin() {
        dueNanos = System.nanoTime() + BETWEEN_NANOS;
        names = new NameSet();
        Visitor visitor = new Visitor();
        for (String folder : tree.top(visitor)) {
            steps.add(() -> tree.folder(folder, visitor));
        }
        steps.add(names::sort);
        steps.add(this::readRows);
    }

    /** Answers whether the sweep is over. A step that found the database busy is made again, any other failure ends the sweep. */
    boolean run(long endNanos) {
        while (!steps.isEmpty() && System.nanoTime() - endNanos < 0) {
            try {
                steps.getFirst().run();
                steps.removeFirst();
            } catch (CacheTimeoutException e) {
                throw e;
            } catch (CacheException e) {
                steps.clear();
                throw e;
            }
        }
        if (steps.isEmpty()) {
            names = new NameSet();
        }
        return steps.isEmpty();
    }

    private void readRows() {
        engine.writer().write(tx -> true, Deadline.after(PATIENCE)); // transactions that ran until now are over
        long bound = engine.query(KeyPages::lastRowid, Deadline.after(PATIENCE));
        steps.add(() -> readPage(Long.MIN_VALUE, bound));
    }

    private void readPage(long behind, long bound) {
        List<CheckedRow> page =
                engine.query(db -> db.all(Sql.CHECKED_ROWS, CheckedRow::of, behind, bound), Deadline.after(PATIENCE));
        for (CheckedRow row : page) {
            String file = row.file();
            if (file != null) {
                names.name(file);
            }
        }
        if (page.size() == Sql.PAGE) {
            long last = page.get(page.size() - 1).rowid();
            steps.add(() -> readPage(last, bound));
        } else {
            Iterator<String> folders = names.foldersOfUnknown();
            steps.add(() -> clean(folders));
        }
    }

    private void clean(Iterator<String> folders) {
        if (folders.hasNext()) {
            engine.requireInPlace();
            tree.files(folders.next(), new Remover());
            steps.add(() -> clean(folders));
        }
    }

    private class Visitor implements FileTree.Visitor {
        @Override
        public void valueFile(String name) {
            names.add(name);
        }

        @Override
        public void incoming(String path) {
            FileTree.Look look = tree.look(path);
            if (look != null && look.isFile() && grace.isOverForIncoming(look)) {
                tree.removeIncoming(path);
            }
        }

        @Override
        public void emptyFolder(String path) {
            FileTree.Look look = tree.look(path);
            if (look != null && grace.isOver(look)) {
                tree.removeEmptyFolder(path);
            }
        }

        @Override
        public void foreign(String path) {}

        @Override
        public void unreadable(String path, IOException reason) {}
    }

    private final class Remover extends Visitor {
        @Override
        public void valueFile(String name) {
            FileTree.Look look = names.isUnknown(name) ? tree.look(name) : null;
            if (look != null && look.isFile() && grace.isOver(look)) {
                engine.files().remove(name);
            }
        }
    }
}
