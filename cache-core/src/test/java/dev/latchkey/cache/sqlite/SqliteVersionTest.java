package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SqliteVersionTest {
    @ParameterizedTest
    @ValueSource(strings = {"3.51.3", "3.51.10", "3.50.7", "3.50.8", "3.44.6", "3.52.0", "3.54.1", "3.54", "4.0.0"})
    void aVersionWithTheFixIsSafe(String version) {
        assertTrue(SqliteVersion.isSafe(version));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"3.51.2", "3.51.0", "3.51", "3.50.6", "3.49.1", "3.45.9", "3.44.5", "3.40.1", "3.7.0", "2.8.17"})
    void aVersionWithTheBugIsNotSafe(String version) {
        assertFalse(SqliteVersion.isSafe(version));
    }
}
