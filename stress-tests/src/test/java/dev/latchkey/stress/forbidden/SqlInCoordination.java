package dev.latchkey.stress.forbidden;

import java.sql.Connection;

/** Reaches around the SPI to the database. */
public final class SqlInCoordination {
    Connection connection;
}
