package dev.latchkey.stress.check;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;
import org.sqlite.JDBC;

/** What somebody does who opens the database of a directory in use with another program: it writes the log back whenever that program likes. */
public final class ForeignCheckpoint {
    /** All there are; all but the first keep writers out for as long as they wait for readers. */
    public static final List<String> MODES = List.of("PASSIVE", "FULL", "RESTART", "TRUNCATE");

    private static final String PATIENCE_MILLIS = "30";

    private ForeignCheckpoint() {}

    /** Writes the log back, or as much of it as may be; whether there was a database that could be asked for that. */
    public static boolean force(Path directory, String mode) {
        Properties patience = new Properties();
        patience.setProperty("busy_timeout", PATIENCE_MILLIS);
        try (Connection connection = JDBC.createConnection(RemainsReader.url(directory), patience);
                Statement statement = connection.createStatement()) {
            statement.executeQuery("PRAGMA wal_checkpoint(" + mode + ")").close();
            return true;
        } catch (SQLException e) {
            return false; // not made yet, or busy
        }
    }
}
