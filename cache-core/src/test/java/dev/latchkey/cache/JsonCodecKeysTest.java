package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class JsonCodecKeysTest {
    private static final List<Object> COLUMNS = List.of(
            "",
            "a",
            "a\0b",
            "\0",
            "\uD83D\uDE00",
            "\uFEFFbom",
            "\r\n",
            0L,
            Long.MIN_VALUE,
            Long.MAX_VALUE,
            0.5,
            -0.0,
            Double.MIN_VALUE,
            Double.MAX_VALUE,
            Double.POSITIVE_INFINITY,
            Double.NEGATIVE_INFINITY,
            new byte[0],
            new byte[] {0, -1});

    private final Codec codec = Codecs.json();

    @Test
    void strings_integers_reals_and_bytes_are_stored_raw() {
        for (Object key : COLUMNS) {
            StoredKey stored = codec.encodeKey(key);
            assertEquals(StoredKey.raw(key), stored);
            assertSame(key, codec.decodeKey(stored));
        }
    }

    @Test
    void all_integral_types_are_one_key_and_so_are_float_and_double() {
        for (Object key : List.of(7L, 7, (short) 7, (byte) 7)) {
            assertEquals(StoredKey.raw(7L), codec.encodeKey(key));
        }
        assertEquals(StoredKey.raw(0.5), codec.encodeKey(0.5f));
        assertEquals(
                StoredKey.raw(1.0), codec.encodeKey(1.0), "the type is kept; that 1 and 1.0 are one key is SQLite's");
    }

    @Test
    void other_types_are_refused_with_the_type_and_what_to_do() {
        for (Object key : List.of(true, 'c', BigInteger.ONE, Instant.EPOCH, List.of(1), new AtomicLong(), new int[0])) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> codec.encodeKey(key));
            assertTrue(e.getMessage().contains(key.getClass().getTypeName()), e.getMessage());
            assertTrue(e.getMessage().contains("String.valueOf"), e.getMessage());
        }
    }

    @Test
    void nan_is_refused() {
        for (Object key : List.of(Double.NaN, Float.NaN)) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> codec.encodeKey(key));
            assertTrue(e.getMessage().contains("NaN"), e.getMessage());
        }
    }

    @Test
    void an_unpaired_surrogate_is_refused_with_its_index() {
        for (String key : List.of("ab\uD83D", "ab\uD83Dc", "ab\uDE00", "ab\uDE00\uD83D", "ab\uD83D\uD83D\uDE00")) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> codec.encodeKey(key));
            assertTrue(e.getMessage().contains("index 2"), e.getMessage());
        }
    }

    @Test
    @SuppressWarnings("NullAway")
    void null_is_a_NullPointerException() {
        assertThrows(NullPointerException.class, () -> codec.encodeKey(null));
        assertThrows(NullPointerException.class, () -> codec.decodeKey(null));
    }

    @Test
    void a_key_that_python_pickled_is_opaque_and_can_be_given_back() {
        StoredKey pickled = new StoredKey(new byte[] {(byte) 0x80, 4}, false);
        assertSame(pickled, codec.decodeKey(pickled));
        assertSame(pickled, codec.encodeKey(pickled));
        assertThrows(IllegalArgumentException.class, () -> codec.encodeKey(StoredKey.raw("a")));
    }

    @Test
    void every_key_comes_back_from_sqlite_as_it_was_U_0000_included() throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:")) {
            for (Object key : COLUMNS) {
                Object back = store(connection, codec.encodeKey(key).column());
                assertEquals(StoredKey.raw(key), StoredKey.raw(back));
            }
        }
    }

    @Test
    void a_key_with_U_0000_is_not_the_key_that_ends_there() throws SQLException {
        assertEquals(1, rowsEqual("a\0b", "a\0b"));
        assertEquals(0, rowsEqual("a\0b", "a"));
        assertEquals(0, rowsEqual("a\0b", "a\0c"));
    }

    @Test
    void to_sqlite_zero_and_negative_zero_and_the_integer_are_one_key() throws SQLException {
        assertEquals(1, rowsEqual(-0.0, 0.0));
        assertEquals(1, rowsEqual(-0.0, 0L));
        assertEquals(1, rowsEqual(1.0, 1L));
    }

    private static Object store(Connection connection, Object column) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS t");
            statement.execute("CREATE TABLE t (key BLOB)");
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?)")) {
                insert.setObject(1, column);
                insert.executeUpdate();
            }
            try (ResultSet rows = statement.executeQuery("SELECT key FROM t")) {
                rows.next();
                Object back = rows.getObject(1);
                return back instanceof Integer small ? (Object) small.longValue() : back; // the driver's choice
            }
        }
    }

    private int rowsEqual(Object stored, Object sought) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:")) {
            store(connection, codec.encodeKey(stored).column());
            try (PreparedStatement query = connection.prepareStatement("SELECT count(*) FROM t WHERE key = ?")) {
                query.setObject(1, codec.encodeKey(sought).column());
                try (ResultSet rows = query.executeQuery()) {
                    rows.next();
                    return rows.getInt(1);
                }
            }
        }
    }
}
