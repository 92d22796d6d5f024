package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheCorruptException;
import dev.latchkey.cache.CacheException;
import dev.latchkey.cache.CacheFullException;
import dev.latchkey.cache.CacheReadOnlyException;
import java.sql.SQLException;

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

    private Errors() {}

    /** Somebody else is in the way: trying again helps. */
    static boolean isBusy(SQLException e) {
        int code = e.getErrorCode() & 0xff;
        return code == BUSY || code == LOCKED || code == PROTOCOL;
    }

    static CacheException translate(SQLException e, Object where) {
        String message = where + ": " + e.getMessage();
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
