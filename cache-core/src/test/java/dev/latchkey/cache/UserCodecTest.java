package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import dev.latchkey.testing.TestDirectory;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A codec that somebody else wrote: keys of another type, and another form of values. */
class UserCodecTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    /** Keys are UUIDs; of every value the stored JSON is reversed. */
    private record Reversed(String name) implements Codec {
        @Override
        public StoredKey encodeKey(Object key) {
            if (key instanceof UUID uuid) {
                return StoredKey.raw(uuid.toString());
            }
            throw new IllegalArgumentException("key must be a UUID, was " + key);
        }

        @Override
        public Object decodeKey(StoredKey stored) {
            return UUID.fromString(stored.column().toString());
        }

        @Override
        public StoredValue encode(Object value) {
            Object column = Codecs.json().encode(List.of(value)).column();
            return StoredValue.raw(
                    new StringBuilder(String.valueOf(column)).reverse().toString());
        }

        @Override
        public <V> @Nullable V decode(StoredValue stored, TypeToken<V> type) {
            List<?> read = Codecs.json().decode(json(stored), TypeToken.of(List.class));
            return read == null ? null : Codecs.json().decode(Codecs.json().encode(read.get(0)), type);
        }

        @Override
        public @Nullable Object decode(StoredValue stored) {
            return decode(stored, TypeToken.of(Object.class)) instanceof Integer number
                    ? (Object) number.longValue()
                    : decode(stored, TypeToken.of(Object.class));
        }

        private static StoredValue json(StoredValue stored) {
            return StoredValue.text(
                    new StringBuilder(String.valueOf(stored.column())).reverse().toString());
        }
    }

    private Cache open(Codec codec) {
        return Cache.builder(directory.resolve("cache")).codec(codec).open();
    }

    @Test
    void allOfACacheGoesThroughIt() {
        UUID a = new UUID(1, 2);
        UUID b = new UUID(3, 4);
        try (Cache cache = open(new Reversed("reversed"))) {
            cache.set(a, "value");
            cache.set(b, "large".repeat(20_000));
            assertEquals("]\"eulav\"[", rawValue(a));
            assertEquals("value", cache.get(a, String.class));
            assertEquals("large".repeat(20_000), cache.get(b, String.class));
            assertEquals(List.of(a, b), cache.keys().toList());
            UUID counter = new UUID(5, 6);
            assertEquals(41, cache.incr(counter, 41));
            assertEquals(42, cache.incr(counter));
            assertEquals("]24[", rawValue(counter));
            assertThrows(IllegalArgumentException.class, () -> cache.set("a", 1));
        }
    }

    private String rawValue(UUID key) {
        try (java.sql.Connection connection = java.sql.DriverManager.getConnection(
                        "jdbc:sqlite:" + directory.resolve("cache").resolve("cache.db"));
                var rows = connection
                        .createStatement()
                        .executeQuery("SELECT value FROM Cache WHERE key = '" + key + "'")) {
            assertTrue(rows.next());
            return rows.getString(1);
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aDirectoryIsOpenedWithTheCodecThatItWasCreatedWith() {
        open(new Reversed("reversed")).close();
        open(new Reversed("reversed")).close();
        for (Codec other : List.of(new Reversed("other"), Codecs.json(), Codecs.jsonZip())) {
            IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> open(other));
            assertTrue(String.valueOf(refused.getMessage()).contains("'reversed'"), refused::toString);
            assertTrue(String.valueOf(refused.getMessage()).contains("'" + other.name() + "'"), refused::toString);
            assertThrows(IllegalArgumentException.class, () -> Cache.builder(directory.resolve("cache"))
                    .codec(other)
                    .readOnly(true)
                    .open());
        }
    }
}
