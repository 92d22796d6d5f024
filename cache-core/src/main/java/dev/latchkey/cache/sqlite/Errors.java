package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.CacheReadOnlyException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** Names SQLite's errors. Only the low byte counts: the rest of a code says where it happened. */
final class Errors {
    private static final int BUSY = 5;
    private static final int LOCKED = 6;
    private static final int READONLY = 8;
    private static final int CORRUPT = 11;
    private static final int FULL = 13;
    private static final int CANTOPEN = 14;
    private static final int PROTOCOL = 15;
    private static final int NOTADB = 26;
    private static final long ALMOST_NOTHING = 1 << 16;

    private Errors() {}

    /** Somebody else is in the way: trying again helps. */
    static boolean isBusy(SQLException e) {
        int code = e.getErrorCode() & 0xff;
        return code == BUSY || code == LOCKED || code == PROTOCOL;
    }

    /** A full disk says this as well: the index of the log is a file that must grow with it. */
    private static boolean isWithoutSharedMemory(SQLException e) {
        return e instanceof SQLiteException known && known.getResultCode() == SQLiteErrorCode.SQLITE_IOERR_SHMSIZE;
    }

    /** The message is in the language of the user. What does not exist has no space either. */
    static boolean isFull(IOException e, Path where) {
        String message = String.valueOf(e.getMessage());
        return message.contains("No space left")
                || message.contains("quota exceeded")
                || (Files.exists(where) && where.toFile().getUsableSpace() < ALMOST_NOTHING);
    }

    /** Names what keeps a directory from being opened for writing. */
    static CacheException notOpened(String message, IOException e, Path where) {
        if (isFull(e, where)) {
            return new CacheFullException(message, e);
        }
        return isReadOnly(e) ? new CacheReadOnlyException(message, e) : new CacheException(message, e);
    }

    private static boolean isReadOnly(IOException e) {
        return e instanceof AccessDeniedException
                || String.valueOf(e.getMessage()).contains("Read-only file system");
    }

    static CacheException translate(SQLException e, Object where) {
        String message = where + ": " + e.getMessage();
        if (isWithoutSharedMemory(e)) {
            return new CacheFullException(message, e);
        }
        return switch (e.getErrorCode() & 0xff) {
            case BUSY, LOCKED, PROTOCOL -> new BusyException(message, e);
            case READONLY -> new CacheReadOnlyException(message, e);
            case FULL -> new CacheFullException(message, e);
            case CORRUPT, NOTADB -> new CacheCorruptException(message, e);
            case CANTOPEN -> new CacheException("cannot open " + message, e);
            default -> new CacheException(message, e);
        };
    }

    /** Internal: becomes a retry, or a time-out when the deadline is over. */
    static final class BusyException extends CacheException {
        private static final long serialVersionUID = 1L;

        BusyException(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
