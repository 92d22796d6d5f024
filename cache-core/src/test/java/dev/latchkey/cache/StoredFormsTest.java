package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.StoredValue.Mode;
import java.util.List;
import org.junit.jupiter.api.Test;

class StoredFormsTest {
    @Test
    void modes_have_the_numbers_of_diskcache() {
        assertEquals(1, Mode.RAW.code());
        assertEquals(2, Mode.BINARY.code());
        assertEquals(3, Mode.TEXT.code());
        assertEquals(4, Mode.PICKLE.code());
        for (Mode mode : Mode.values()) {
            assertEquals(mode, Mode.of(mode.code()));
        }
        assertThrows(IllegalArgumentException.class, () -> Mode.of(0));
        assertThrows(IllegalArgumentException.class, () -> Mode.of(5));
    }

    @Test
    void keys_and_values_of_bytes_are_equal_by_content() {
        assertEquals(StoredKey.raw(new byte[] {1}), StoredKey.raw(new byte[] {1}));
        assertEquals(
                StoredKey.raw(new byte[] {1}).hashCode(),
                StoredKey.raw(new byte[] {1}).hashCode());
        assertEquals(StoredValue.raw(new byte[] {1}), StoredValue.raw(new byte[] {1}));
        assertEquals(
                StoredValue.binary(new byte[] {1}).hashCode(),
                StoredValue.binary(new byte[] {1}).hashCode());
        assertNotEquals(StoredKey.raw(new byte[] {1}), StoredKey.raw(new byte[] {2}));
        assertNotEquals(StoredValue.raw(new byte[] {1}), StoredValue.binary(new byte[] {1}));
    }

    @Test
    void type_and_rawness_are_part_of_equality() {
        assertNotEquals(StoredKey.raw(1L), StoredKey.raw(1.0));
        assertNotEquals(StoredKey.raw("a"), new StoredKey("a", false));
        assertNotEquals(StoredValue.raw("a"), StoredValue.text("a"));
    }

    @Test
    void only_the_types_of_columns_are_accepted() {
        for (Object column : List.of(1, 1f, true, 'c', List.of())) {
            assertThrows(IllegalArgumentException.class, () -> StoredKey.raw(column));
            assertThrows(IllegalArgumentException.class, () -> StoredValue.raw(column));
        }
    }

    @Test
    void null_is_a_value_of_mode_RAW_only() {
        assertEquals(StoredValue.raw(null), new StoredValue(Mode.RAW, null));
        for (Mode mode : List.of(Mode.BINARY, Mode.TEXT, Mode.PICKLE)) {
            assertThrows(IllegalArgumentException.class, () -> new StoredValue(mode, null));
        }
    }

    @Test
    @SuppressWarnings("NullAway")
    void a_null_key_or_mode_is_a_NullPointerException() {
        assertThrows(NullPointerException.class, () -> StoredKey.raw(null));
        assertThrows(NullPointerException.class, () -> new StoredValue(null, "a"));
    }

    @Test
    void toString_is_short_however_long_the_column_is() {
        assertTrue(StoredKey.raw(new byte[100_000]).toString().length() < 200);
        assertTrue(StoredValue.raw("x".repeat(100_000)).toString().length() < 200);
        assertEquals("StoredKey[column='a', raw=true]", StoredKey.raw("a").toString());
    }
}
