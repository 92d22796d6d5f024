package dev.latchkey.stress.check;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.sqlite.JDBC;

/** What somebody does who opens the database of a directory in use with another program and reads it in one transaction, until this is closed. */
public final class ForeignRead implements AutoCloseable {
    private final Connection connection;

    /** From here on nothing of the log can be used again. */
    public ForeignRead(Path directory) throws IOException {
        try {
            connection = JDBC.createConnection(RemainsReader.url(directory), new Properties());
            try (Statement statement = connection.createStatement()) {
                statement.execute("BEGIN");
                statement.executeQuery("SELECT COUNT(*) FROM Cache").close();
            }
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }
}
