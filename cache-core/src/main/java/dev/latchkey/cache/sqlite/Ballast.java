package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.spi.Signal;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/*
 * Even a delete needs space, for the log. So while there is plenty, some of it is kept in a file. When the disk is full the
 * file goes, the log is written back into the database file, which must grow by what the log holds, and starts again in its
 * own blocks. From then until the file could be written anew, nothing that grows is let in: it would eat what was freed.
 *
 *   WHOLE -> MISSING      given up, or the disk was too full to write it
 *   MISSING -> WHOLE      written, once there is clearly more space than it takes
 *
 * `spare` is for what deletes and releases write, and for the log as long as it usually is. When a reader keeps a long log
 * from being written back, `spare.log` stands beside it, as long as what is not written back, and stays until the log is.
 *
 * The files are the truth, and every process looks at them once a second. Whoever changes them has the checkpoint byte, and
 * rings, so that others look at once.
 */
/** Space that is kept for the operations that must work on a full disk. */
final class Ballast {
    static final long SIZE = 4L << 20;
    private static final long PLENTY = 256L << 20;
    private static final String RING = "latchkey ballast";

    private final Directory directory;
    private final Signal signal;
    /** The shards of one directory share a disk: what one of them has given up the others must not eat. */
    private final @Nullable Family family;

    private final SpareFile spare;
    private final SpareFile spareForLog;
    private volatile boolean missing;
    /** There was enough space when it was last found short, and there may be less by now. */
    private volatile boolean wasShort;
    /** The database file could not grow by what the log holds. */
    private volatile boolean logUnwritable;

    private volatile int seen;
    /** How much of the log this process found not written back. */
    private volatile long unwritten;

    Ballast(Directory directory, Signal signal, @Nullable Family family) {
        this.directory = directory;
        this.signal = signal;
        this.family = family;
        this.seen = signal.seen(RING);
        spare = new SpareFile(directory.spare());
        spareForLog = new SpareFile(directory.spareForLog());
        look();
    }

    /** Throws if the ballast is missing because there is no space, or that of another shard. */
    void requireSpace() {
        requireOwnSpace();
        if (family != null) {
            family.members().forEach(shard -> shard.ballast().requireOwnSpace());
        }
    }

    private void requireOwnSpace() {
        int rung = signal.seen(RING);
        if (rung != seen || wasShort) {
            seen = rung;
            look();
        }
        if (missing || logUnwritable) {
            directory.requireInPlace(); // no space is left of what is no longer there
            throw new CacheFullException(
                    "the disk of " + directory.root() + " is full: " + usable() + " bytes are left and "
                            + needed()
                            + " are needed before anything more is stored; reads, deletes and releases work; free some"
                            + " space");
        }
    }

    /** Finds out whether it is missing, without writing it. Once it is, only writing it makes it whole. */
    void look() {
        wasShort = isShort();
        missing = wasShort && (missing || !hasSpace());
    }

    private boolean hasSpace() {
        return usable() >= needed();
    }

    boolean isMissing() {
        return missing;
    }

    /** Whether the last checkpoint found space; while it does not, nothing more may come into the log. */
    void logFits(boolean fits) {
        logUnwritable = !fits;
    }

    /** Whether it is to be written. */
    boolean isShort() {
        return shortBy() > 0;
    }

    private long shortBy() {
        long forLog = unwritten <= SIZE / 4 ? 0 : Math.max(0, unwritten - spareForLog.length());
        return Math.max(0, SIZE - spare.length()) + forLog;
    }

    /** As much again: the last space is not for ballast. */
    private long needed() {
        return shortBy() + SIZE;
    }

    private long usable() {
        return directory.root().toFile().getUsableSpace();
    }

    /** Whether it may be used up before anybody looks again. */
    boolean isSpaceScarce() {
        return usable() < PLENTY;
    }

    /** The log holds so much that is not written back; what was kept for more is given back. */
    void cover(long unwritten) {
        this.unwritten = unwritten;
        if (unwritten < spareForLog.length()) {
            resize(spareForLog, unwritten <= SIZE / 4 ? 0 : unwritten);
        }
    }

    /** Writes it, if there is clearly more space than that takes. */
    void restore() {
        if (hasSpace()) {
            directory.requireInPlace();
            resize(spare, SIZE);
            if (unwritten > SIZE / 4) {
                resize(spareForLog, unwritten);
            }
        }
        missing = isShort() && !hasSpace(); // where no file can be made for another reason, there is no ballast
        signal.ring(RING);
    }

    /** Gives up all of it but what the log needs to be written back later. */
    void giveUp(long unwritten) {
        this.unwritten = unwritten;
        missing = true;
        directory.requireInPlace();
        resize(spare, 0);
        resize(spareForLog, unwritten);
        signal.ring(RING);
    }

    /** For whoever cannot even open the cache without it; answers whether there was any. */
    static boolean remove(Directory directory) {
        SpareFile spare = new SpareFile(directory.spare());
        return spare.length() > 0 && resize(spare, 0);
    }

    private static boolean resize(SpareFile file, long length) {
        try {
            file.resize(length);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
