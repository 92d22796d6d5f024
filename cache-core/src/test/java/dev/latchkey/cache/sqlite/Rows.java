package dev.latchkey.cache.sqlite;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What stands in a database, asked through a connection of its own. Never through Java I/O: closing any descriptor of the
 * file would drop this process's locks on it.
 */
final class Rows {
    private Rows() {}

    static Connection connect(Path directory) throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + Database.uri(directory.resolve("cache.db")));
    }

    /** The columns of each row, joined by a bar. */
    static List<String> of(Path directory, String query) {
        try (Connection connection = connect(directory);
                var statement = connection.createStatement()) {
            statement.execute("PRAGMA busy_timeout = 5000");
            List<String> result = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery(query)) {
                while (rows.next()) {
                    StringBuilder line = new StringBuilder(String.valueOf(rows.getString(1)));
                    for (int i = 2; i <= rows.getMetaData().getColumnCount(); i++) {
                        line.append('|').append(rows.getString(i));
                    }
                    result.add(line.toString());
                }
            }
            return result;
        } catch (SQLException e) {
            throw new IllegalStateException(query, e);
        }
    }

    static String one(Path directory, String query) {
        List<String> rows = of(directory, query);
        if (rows.size() != 1) {
            throw new IllegalStateException(query + " gave " + rows);
        }
        return rows.get(0);
    }

    /** Runs statements, all on one connection. */
    static void change(Path directory, String... statements) {
        try (Connection connection = connect(directory);
                var s = connection.createStatement()) {
            s.execute("PRAGMA busy_timeout = 5000");
            for (String statement : statements) {
                s.execute(statement);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(String.join("; ", statements), e);
        }
    }
}
