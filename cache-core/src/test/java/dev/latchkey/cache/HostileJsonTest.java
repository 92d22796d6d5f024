package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.reflect.TypeToken;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What somebody else may have written into the database. */
class HostileJsonTest {
    private static boolean loaded;

    static final class Trap {
        static {
            loaded = true;
        }
    }

    record Named(String name) {}

    record Numbers(int i, long l, byte b) {}

    record Holder(@JsonTypeInfo(use = JsonTypeInfo.Id.CLASS) Object content) {}

    enum Color {
        RED
    }

    private static final String TRAP = "dev.latchkey.cache.HostileJsonTest$Trap";

    private final Codec codec = Codecs.json();

    private <V> @Nullable V read(String text, Class<V> type) {
        return codec.decode(StoredValue.text(text), TypeToken.of(type));
    }

    private CodecException refused(String text, TypeToken<?> type) {
        CodecException e = assertThrows(CodecException.class, () -> codec.decode(StoredValue.raw(text), type));
        assertTrue(
                e.getMessage()
                        .startsWith("stored TEXT cannot be read as "
                                + type.getType().getTypeName() + ": "),
                e.getMessage());
        assertTrue(
                e.getMessage().length() < 2000, "message of " + e.getMessage().length() + " characters");
        return e;
    }

    private void refused(String text, Class<?> type) {
        refused(text, TypeToken.of(type));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "[1",
                "{\"name\":\"a\"",
                "{\"name\":\"a\"} x",
                "{} {}",
                "{}]",
                "'a'",
                "{name:1}",
                "/* */{}",
                "{\"name\":\"a\",}",
                "\u0000",
                "\uFFFF",
                "{\"name\":\"\u0001\"}",
                "plain text"
            })
    void text_that_is_not_one_json_document_is_refused(String text) {
        refused(text, Named.class);
        refused(text, Map.class);
    }

    @Test
    void the_error_names_what_is_stored_and_what_is_wanted() {
        refused("{", Instant.class);
        CodecException e = refused("\"x\"", new TypeToken<List<Instant>>() {});
        assertTrue(e.getMessage().contains("java.util.List<java.time.Instant>"), e.getMessage());
    }

    @Test
    void deep_nesting_is_refused_and_does_not_overflow_the_stack() {
        for (int depth : new int[] {501, 100_000, 5_000_000}) {
            refused("[".repeat(depth), Object[].class);
            refused("[".repeat(depth) + "]".repeat(depth), List.class);
            refused("{\"a\":".repeat(depth) + "1" + "}".repeat(depth), Map.class);
            refused("{\"other\":" + "[".repeat(depth) + "]".repeat(depth) + "}", Named.class);
        }
        codec.decode(StoredValue.raw("[".repeat(500) + "]".repeat(500)), TypeToken.of(List.class));
    }

    @Test
    void a_number_with_a_huge_exponent_costs_nothing() {
        assertTimeout(Duration.ofSeconds(5), () -> {
            for (String text : List.of("1e1000000000", "-1e1000000000", "1E+2147483647")) {
                for (Class<?> type : List.of(long.class, int.class, byte.class, BigInteger.class)) {
                    refused(text, type);
                }
                assertEquals(0, new BigDecimal(text).compareTo(read(text, BigDecimal.class)));
            }
            refused("1e99999999999999999999", BigDecimal.class);
            assertEquals(Double.POSITIVE_INFINITY, read("1e1000000000", double.class));
            refused("{\"i\":1e1000000000}", Numbers.class);
            refused("{\"l\":1e1000000000}", Numbers.class);
        });
    }

    @Test
    void a_number_of_many_digits_is_refused() {
        for (Class<?> type : List.of(BigInteger.class, BigDecimal.class, double.class, long.class, JsonNode.class)) {
            refused("9".repeat(1001), type);
            refused("0." + "9".repeat(1_000_000), type);
        }
        assertEquals(new BigInteger("9".repeat(1000)), read("9".repeat(1000), BigInteger.class));
    }

    @Test
    void a_number_that_does_not_fit_is_refused_and_a_fraction_not_cut_off() {
        refused("2147483648", int.class);
        refused("9223372036854775808", long.class);
        refused("-9223372036854775809", long.class);
        refused("1.5", int.class);
        refused("1.5", BigInteger.class);
        refused("{\"i\":2147483648}", Numbers.class);
        refused("{\"i\":1.5}", Numbers.class);
        refused("[1.5]", int[].class);
    }

    @Test
    void a_string_is_not_a_number_and_a_number_is_not_an_enum_or_boolean() {
        refused("\"5\"", int.class);
        refused("\"\"", int.class);
        refused("{\"i\":\"5\"}", Numbers.class);
        refused("0", Color.class);
        refused("\"BLUE\"", Color.class);
        refused("1", boolean.class);
        refused("\"true\"", boolean.class);
    }

    @Test
    void duplicate_keys_are_refused() {
        refused("{\"name\":\"a\",\"name\":\"b\"}", Named.class);
        refused("{\"a\":1,\"a\":2}", Map.class);
        refused("{\"a\":1,\"\\u0061\":2}", JsonNode.class);
    }

    @Test
    void class_properties_are_inert() {
        assertEquals(new Named("a"), read("{\"@class\":\"" + TRAP + "\",\"name\":\"a\"}", Named.class));
        assertEquals(Map.of("@class", TRAP), read("{\"@class\":\"" + TRAP + "\"}", Map.class));
        assertEquals(
                List.of(TRAP, Map.of()),
                codec.decode(StoredValue.raw("[\"" + TRAP + "\",{}]"), new TypeToken<List<Object>>() {}));
        assertFalse(loaded);
    }

    @Test
    void no_class_is_loaded_by_name_even_if_the_wanted_type_asks_for_it() {
        refused("\"" + TRAP + "\"", Class.class);
        refused("[\"" + TRAP + "\"]", new TypeToken<List<Class<?>>>() {});
        refused("{\"" + TRAP + "\":1}", new TypeToken<Map<Class<?>, Integer>>() {});
        refused("{\"content\":{\"@class\":\"" + TRAP + "\"}}", Holder.class);
        refused("{\"content\":{\"@class\":\"java.util.ArrayList\"}}", Holder.class);
        assertFalse(loaded);
        assertThrows(CodecException.class, () -> codec.encode(String.class));
        assertThrows(CodecException.class, () -> codec.encode(List.of(String.class)));
    }

    @Test
    void a_type_that_cannot_be_built_is_refused_not_leaked() {
        refused("{}", Runnable.class);
        refused("{}", Thread.State.class);
        refused("\"x\"", Instant.class);
        refused("{}", InputStream.class);
    }

    @Test
    void many_names_of_one_hash_are_refused_or_read_but_do_not_hang() {
        StringBuilder text = new StringBuilder("{\"x\":0");
        for (int i = 0; i < 1 << 14; i++) {
            text.append(",\"");
            for (int bit = 0; bit < 14; bit++) {
                text.append((i >> bit & 1) == 0 ? "Aa" : "BB");
            }
            text.append("\":1");
        }
        assertTimeout(Duration.ofSeconds(10), () -> {
            try {
                assertEquals((1 << 14) + 1, read(text + "}", Map.class).size());
            } catch (CodecException e) {
                assertTrue(e.getMessage().contains("stored TEXT"), e.getMessage());
            }
        });
    }
}
