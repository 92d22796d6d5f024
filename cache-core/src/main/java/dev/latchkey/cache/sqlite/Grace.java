package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.spi.HostClock;
import java.time.Duration;

/**
 * How old something must be before nobody can be about to use it. Python writes a value file under its final name before its
 * transaction begins, and whoever has removed a value has yet to remove its file.
 */
record Grace(HostClock clock) {
    private static final Duration VALUE = Duration.ofMinutes(10);
    /** A stream from which a value is read may be slow. */
    private static final Duration INCOMING = Duration.ofHours(1);

    boolean isOver(FileTree.Look look) {
        return isOver(look, VALUE);
    }

    boolean isOverForIncoming(FileTree.Look look) {
        return isOver(look, INCOMING);
    }

    private boolean isOver(FileTree.Look look, Duration grace) {
        return look.changedMillis() < clock.wallMillis() - grace.toMillis();
    }
}
