package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.sqlite.JDBC;

/**
 * One SQLite connection with its prepared statements; used by one thread at a time. All JDBC noise stands here. Rows are
 * copied out before a call returns, so that no read cursor outlives it. Auto-commit stays on: transactions are explicit
 * statements, because JDBC's own begin holds the write lock between transactions.
 */
final class Database implements AutoCloseable {
    private final Path file;
    private final Connection connection;
    /** Keyed by the identity of the constants in {@link Sql}. */
    private final IdentityHashMap<String, PreparedStatement> statements = new IdentityHashMap<>();

    private boolean seesNoChanges;
    private boolean stuck;
    private long synchronous = -1;

    private Database(Path file, Connection connection) {
        this.file = file;
        this.connection = connection;
    }

    /** Copies one row out. */
    @FunctionalInterface
    interface RowMapper<T> {
        T map(ResultSet row) throws SQLException;
    }

    static Database open(Path file) {
        return open(file, "");
    }

    /**
     * Opens a file that this process may have no right to write. If there is nobody who writes, which the missing log tells, and
     * the files that SQLite shares between processes cannot be made, the file is read as one that does not change.
     */
    static Database openReadOnly(Path file, Path log) {
        Database database = open(file, "?mode=ro");
        try {
            database.one(Sql.TABLES, row -> true);
            return database;
        } catch (CacheException e) {
            database.close();
            if (e instanceof Errors.BusyException || Files.exists(log, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
        }
        Database unchanging = open(file, "?immutable=1");
        unchanging.seesNoChanges = true;
        return unchanging;
    }

    private static Database open(Path file, String options) {
        Properties properties = new Properties();
        properties.setProperty("busy_timeout", "0");
        properties.setProperty("jdbc.get_generated_keys", "false");
        try {
            return new Database(file, JDBC.createConnection("jdbc:sqlite:" + uri(file) + options, properties));
        } catch (SQLException e) {
            throw Errors.translate(e, file);
        }
    }

    /** Whether what others write from now on is hidden from this connection. */
    boolean seesNoChanges() {
        return seesNoChanges;
    }

    /** As a URI, so that no character of a path can be taken for an option. */
    static String uri(Path file) {
        return "file:" + file.toUri().getRawPath();
    }

    void configure(long synchronous) {
        obey(synchronous);
        execute("PRAGMA wal_autocheckpoint = 0");
        execute("PRAGMA mmap_size = 0");
        distrustSchema();
    }

    /** Somebody else may have planted a view or a trigger. */
    void distrustSchema() {
        execute("PRAGMA trusted_schema = OFF");
    }

    /** How commits are written to the disk; outside a transaction. */
    void obey(long synchronous) {
        if (this.synchronous != synchronous) {
            execute("PRAGMA synchronous = " + synchronous);
            this.synchronous = synchronous;
        }
    }

    Path file() {
        return file;
    }

    String describe() {
        return String.valueOf(file.getParent());
    }

    <T> @Nullable T one(String sql, RowMapper<T> mapper, @Nullable Object... arguments) {
        try (ResultSet rows = bind(sql, arguments).executeQuery()) {
            return rows.next() ? mapper.map(rows) : null;
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    <T> List<T> all(String sql, RowMapper<T> mapper, @Nullable Object... arguments) {
        try (ResultSet rows = bind(sql, arguments).executeQuery()) {
            List<T> result = new ArrayList<>();
            while (rows.next()) {
                result.add(mapper.map(rows));
            }
            return result;
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    int update(String sql, @Nullable Object... arguments) {
        try {
            return bind(sql, arguments).executeUpdate();
        } catch (SQLException e) {
            throw failed(sql, e);
        }
    }

    /** The driver closes a statement for good when it fails, unless the database was only busy. */
    private CacheException failed(String sql, SQLException e) {
        if (!Errors.isBusy(e)) {
            forget(sql);
        }
        return Errors.translate(e, file);
    }

    private void forget(String sql) {
        try (PreparedStatement failed = statements.remove(sql)) {
            // it is closed, and prepared anew when it is needed again
        } catch (SQLException e) {
            // it repeats why it failed
        }
    }

    /** Runs a statement that is not worth keeping. */
    void execute(String sql) {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw Errors.translate(e, file);
        }
    }

    /** Ends a failed transaction; SQLite has ended it already after a full disk or an I/O error. */
    void rollback() {
        try {
            bind(Sql.ROLLBACK).executeUpdate();
        } catch (SQLException e) {
            forget(Sql.ROLLBACK);
            stuck = !String.valueOf(e.getMessage()).contains("no transaction is active");
        }
    }

    /** Whether it may still be in a transaction that could not be rolled back; then it can only be closed. */
    boolean isStuck() {
        return stuck;
    }

    private PreparedStatement bind(String sql, @Nullable Object... arguments) throws SQLException {
        PreparedStatement statement = statements.get(sql);
        if (statement == null) {
            statement = connection.prepareStatement(sql);
            statements.put(sql, statement);
        }
        for (int i = 0; i < arguments.length; i++) {
            bind(statement, i + 1, arguments[i]);
        }
        return statement;
    }

    private static void bind(PreparedStatement statement, int index, @Nullable Object value) throws SQLException {
        if (value instanceof Long number) {
            statement.setLong(index, number);
        } else if (value instanceof String text) {
            statement.setString(index, text);
        } else if (value instanceof Double number) {
            statement.setDouble(index, number);
        } else if (value instanceof byte[] bytes) {
            statement.setBytes(index, bytes);
        } else if (value == null) {
            statement.setNull(index, java.sql.Types.NULL);
        } else {
            throw new IllegalArgumentException(
                    "cannot bind a " + value.getClass().getName());
        }
    }

    /** A column in its stored form: String, Long, Double, byte[] or null. */
    static @Nullable Object column(ResultSet row, int index) throws SQLException {
        Object value = row.getObject(index);
        return value instanceof Integer number ? Long.valueOf(number) : value;
    }

    @Override
    public void close() {
        try (connection) {
            for (PreparedStatement statement : statements.values()) {
                statement.close();
            }
        } catch (SQLException e) {
            throw Errors.translate(e, file);
        }
    }
}
