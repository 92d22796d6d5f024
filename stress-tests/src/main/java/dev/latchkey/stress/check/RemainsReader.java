package dev.latchkey.stress.check;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sqlite.JDBC;

/**
 * Reads what is left in a directory when all processes have gone, by plain JDBC and without Latchkey, so that both cannot be
 * wrong in the same way.
 */
public final class RemainsReader {
    /** Who waits for a condition of a lock stands in its detail; what is held beside the first hold has rows of its own. */
    private static final String STATES = """
            SELECT name, kind, session, token, line || CASE WHEN kind LIKE '%lock' THEN detail ELSE '' END AS waiting
            FROM LatchkeyState
            UNION ALL
            SELECT name, 'hold', session, token, '' FROM LatchkeyHold
            ORDER BY name""";

    private static final Pattern VALUE_FILE = Pattern.compile("[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\\.val");
    private static final Pattern INCOMING_FILE = Pattern.compile("cache\\.db-latchkey/incoming-.*");
    private static final String DAMAGED = "damaged";

    private final Path directory;
    private final Connection connection;
    private final List<String> faults = new ArrayList<>();
    private final Set<String> named = new HashSet<>();
    private final Map<String, String> values = new TreeMap<>();
    private long fileBytes;

    private RemainsReader(Path directory, Connection connection) {
        this.directory = directory;
        this.connection = connection;
    }

    /**
     * Reads a directory that nobody has open. A database that SQLite cannot read is told as its integrity.
     *
     * @param longestLogBytes how long the log was at most before
     */
    public static Remains read(Path directory, long longestLogBytes) throws IOException {
        Path log = directory.resolve("cache.db-wal");
        long logBytes = Files.exists(log) ? Files.size(log) : 0;
        try (Connection connection = JDBC.createConnection(url(directory), new Properties())) {
            return new RemainsReader(directory, connection).read(logBytes, Math.max(logBytes, longestLogBytes));
        } catch (SQLException e) {
            return new Remains(
                    String.valueOf(e.getMessage()),
                    List.of(),
                    List.of(),
                    0,
                    List.of(),
                    Map.of(),
                    Map.of(),
                    0,
                    logBytes,
                    Math.max(logBytes, longestLogBytes));
        }
    }

    /** How many rows of sessions there are, but those of one process; others may have the directory open. */
    public static int sessionsExcept(Path directory, long pid) throws IOException {
        try (Connection connection = JDBC.createConnection(url(directory), new Properties())) {
            return (int) new RemainsReader(directory, connection)
                    .number("SELECT count(*) FROM LatchkeySession WHERE pid <> " + pid);
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }

    static String url(Path directory) {
        return "jdbc:sqlite:file:" + directory.resolve("cache.db").toUri().getRawPath() + "?mode=rw";
    }

    private Remains read(long logBytes, long longestLogBytes) throws SQLException, IOException {
        List<String> integrity = all("PRAGMA integrity_check", row -> row.getString(1));
        readEntries();
        compareCounter("count", "SELECT count(*) FROM Cache");
        compareCounter("size", "SELECT coalesce(sum(size), 0) FROM Cache");
        Map<String, Integer> items = new TreeMap<>();
        all("SELECT name, count(*) FROM LatchkeyItem GROUP BY name", row -> items.put(row.getString(1), row.getInt(2)));
        return new Remains(
                String.join("; ", integrity),
                List.copyOf(faults),
                orphans(),
                (int) number("SELECT count(*) FROM LatchkeySession"),
                all(STATES, RemainsReader::state),
                items,
                values,
                Files.size(directory.resolve("cache.db")) + fileBytes,
                logBytes,
                longestLogBytes);
    }

    /** Copies one row out. */
    private interface Row<T> {
        T map(ResultSet row) throws SQLException, IOException;
    }

    private <T> List<T> all(String sql, Row<T> mapper) throws SQLException, IOException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<T> result = new ArrayList<>();
            while (rows.next()) {
                result.add(mapper.map(rows));
            }
            return result;
        }
    }

    private long number(String sql) throws SQLException, IOException {
        List<Long> numbers = all(sql, row -> row.getLong(1));
        return numbers.isEmpty() ? 0 : numbers.get(0);
    }

    private static Remains.StateRow state(ResultSet row) throws SQLException {
        return new Remains.StateRow(
                row.getString(1), row.getString(2), row.getLong(3), row.getLong(4), row.getString(5));
    }

    private void readEntries() throws SQLException, IOException {
        all(
                "SELECT CASE WHEN raw AND typeof(key) = 'text' THEN key END, rowid, mode, size, filename, value"
                        + " FROM Cache",
                row -> {
                    String key = row.getString(1);
                    String file = row.getString(5);
                    int mode = row.getInt(3);
                    Object content = file == null ? row.getObject(6) : file(row, file);
                    if (key != null && mode <= 2) {
                        addValue(key, content);
                    }
                    return file;
                });
    }

    /** The content of the file that a row names; empty if it is not there. */
    private byte[] file(ResultSet row, String name) throws SQLException, IOException {
        String entry = "row " + row.getLong(2) + " names " + name;
        named.add(name);
        if (!VALUE_FILE.matcher(name).matches()) {
            faults.add(entry + ", which is no name of a value file");
            return new byte[0];
        }
        Path file = directory.resolve(name);
        if (!Files.isRegularFile(file)) {
            faults.add(entry + ", which is not there");
            return new byte[0];
        }
        long size = Files.size(file);
        fileBytes += size;
        if (size != row.getLong(4)) {
            faults.add(entry + " with " + row.getLong(4) + " bytes, which has " + size);
        }
        return Files.readAllBytes(file);
    }

    private void addValue(String key, @Nullable Object content) {
        if (content instanceof byte[] bytes) {
            OptionalLong balance = AccountValue.decode(bytes);
            values.put(key, balance.isPresent() ? String.valueOf(balance.getAsLong()) : DAMAGED);
        } else {
            values.put(key, String.valueOf(content));
        }
    }

    private void compareCounter(String counter, String sql) throws SQLException, IOException {
        long stored = number("SELECT value FROM Settings WHERE key = '" + counter + "'");
        long counted = number(sql);
        if (stored != counted) {
            faults.add("Settings has the " + counter + " " + stored + ", the rows come to " + counted);
        }
    }

    private List<String> orphans() throws IOException {
        try (Stream<Path> files = Files.walk(directory, 3)) {
            return files.map(file -> directory.relativize(file).toString())
                    .filter(name -> INCOMING_FILE.matcher(name).matches()
                            || VALUE_FILE.matcher(name).matches() && !named.contains(name))
                    .sorted()
                    .toList();
        }
    }
}
