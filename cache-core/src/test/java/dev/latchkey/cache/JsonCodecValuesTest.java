package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonTypeName;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.util.RawValue;
import com.google.common.reflect.TypeToken;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class JsonCodecValuesTest {
    record Point(int x, int y) {}

    record Wide(int x, int y, @Nullable String label, boolean seen) {}

    @SuppressWarnings("ArrayRecordComponent") // bytes in a record are what is tested
    record Everything(
            byte[] bytes,
            char letter,
            double real,
            float single,
            Optional<String> maybe,
            OptionalInt count,
            Color color,
            List<Point> points,
            Map<String, Instant> times) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Everything that && toString().equals(that.toString());
        }

        @Override
        public int hashCode() {
            return toString().hashCode();
        }

        @Override
        public String toString() {
            return Arrays.toString(bytes) + letter + real + single + maybe + count + color + points + times;
        }
    }

    enum Color {
        RED,
        GREEN
    }

    static final class Bean {
        private String name = "";
        private long size;

        public String getName() {
            return name;
        }

        public void setName(String name) {
            this.name = name;
        }

        public long getSize() {
            return size;
        }

        public void setSize(long size) {
            this.size = size;
        }
    }

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
    @JsonSubTypes({@JsonSubTypes.Type(Circle.class), @JsonSubTypes.Type(Square.class)})
    sealed interface Shape {}

    @JsonTypeName("circle")
    record Circle(int radius) implements Shape {}

    @JsonTypeName("square")
    record Square(int side) implements Shape {}

    record Shapes(List<Shape> all) {}

    private final Codec codec = Codecs.json();

    private <V> @Nullable V read(@Nullable Object column, Class<V> type) {
        return codec.decode(StoredValue.raw(column), TypeToken.of(type));
    }

    private void refused(@Nullable Object column, Class<?> type) {
        CodecException e = assertThrows(CodecException.class, () -> read(column, type), () -> column + " as " + type);
        assertTrue(e.getMessage().contains("stored " + Column.typeOf(column)), e.getMessage());
        assertTrue(e.getMessage().contains(type.getTypeName()), e.getMessage());
    }

    private <V> void comesBack(V value, TypeToken<V> type) {
        StoredValue stored = codec.encode(value);
        assertEquals(value, codec.decode(stored, type));
        assertEquals(value, codec.decode(StoredValue.text((String) Objects.requireNonNull(stored.column())), type));
    }

    private <V> void comesBack(V value, Class<V> type, String json) {
        assertEquals(StoredValue.raw(json), codec.encode(value));
        comesBack(value, TypeToken.of(type));
    }

    // --- stored natively

    @Test
    void the_name_is_json() {
        assertEquals("json", codec.name());
        assertSame(Codecs.json(), Codecs.json());
    }

    @Test
    void strings_integers_reals_and_bytes_are_stored_natively() {
        byte[] bytes = {1, 2};
        assertEquals(StoredValue.raw("text"), codec.encode("text"));
        assertEquals(StoredValue.raw("a\0b"), codec.encode("a\0b"));
        assertEquals(StoredValue.raw(bytes), codec.encode(bytes));
        for (Object seven : List.of(7L, 7, (short) 7, (byte) 7)) {
            assertEquals(StoredValue.raw(7L), codec.encode(seven));
        }
        assertEquals(StoredValue.raw(0.5), codec.encode(0.5f));
        assertEquals(StoredValue.raw(-0.0), codec.encode(-0.0));
        assertEquals(StoredValue.raw(Double.NEGATIVE_INFINITY), codec.encode(Double.NEGATIVE_INFINITY));
    }

    @Test
    void raw_text_and_binary_are_read_by_the_type_of_the_column() {
        byte[] bytes = {1, 2};
        assertEquals("text", codec.decode(StoredValue.text("text"), TypeToken.of(String.class)));
        assertSame(bytes, codec.decode(StoredValue.binary(bytes), TypeToken.of(byte[].class)));
        assertSame(bytes, codec.decode(StoredValue.raw(bytes), TypeToken.of(byte[].class)));
        assertEquals(new Point(1, 2), codec.decode(StoredValue.text("{\"x\":1,\"y\":2}"), TypeToken.of(Point.class)));
    }

    @Test
    void the_stored_form_is_the_column_itself() {
        assertEquals("[1]", codec.decode(codec.encode(List.of(1))));
        assertEquals(7L, codec.decode(codec.encode(7)));
        assertEquals("true", codec.decode(codec.encode(true)));
        assertNull(codec.decode(StoredValue.raw(null)));
    }

    @Test
    void null_reads_as_null_whatever_is_wanted() {
        assertNull(read(null, int.class));
        assertNull(read(null, String.class));
        assertNull(read(null, Point.class));
    }

    @Test
    void a_pickle_that_is_cut_short_is_a_CodecException_that_says_so() {
        StoredValue pickle = StoredValue.pickle(new byte[] {(byte) 0x80, 4});
        CodecException e = assertThrows(CodecException.class, () -> codec.decode(pickle));
        assertTrue(
                e.getMessage().startsWith("stored PICKLE of 2 bytes cannot be read: it is cut short"), e.getMessage());
        assertThrows(CodecException.class, () -> codec.decode(pickle, TypeToken.of(byte[].class)));
    }

    @Test
    @SuppressWarnings("NullAway")
    void null_arguments_are_NullPointerExceptions() {
        assertThrows(NullPointerException.class, () -> codec.encode(null));
        assertThrows(NullPointerException.class, () -> codec.decode(null));
        assertThrows(NullPointerException.class, () -> codec.decode(null, TypeToken.of(String.class)));
        assertThrows(NullPointerException.class, () -> codec.decode(StoredValue.raw(null), null));
    }

    // --- INTEGER and REAL

    @Test
    void a_primitive_class_means_its_wrapper() {
        assertEquals(5, read(5L, int.class));
        assertEquals(5L, read(5L, long.class));
        assertEquals((short) 5, read(5L, short.class));
        assertEquals((byte) 5, read(5L, byte.class));
        assertEquals(5.0, read(5L, double.class));
        assertEquals(5f, read(5L, float.class));
        assertEquals(true, read("true", boolean.class));
        assertEquals('c', read("\"c\"", char.class));
    }

    @Test
    void an_integer_is_read_up_to_the_bounds_of_the_type_and_not_beyond() {
        assertEquals(Long.MIN_VALUE, read(Long.MIN_VALUE, Long.class));
        assertEquals(Long.MAX_VALUE, read(Long.MAX_VALUE, Long.class));
        assertEquals(Integer.MIN_VALUE, read((long) Integer.MIN_VALUE, Integer.class));
        assertEquals(Integer.MAX_VALUE, read((long) Integer.MAX_VALUE, Integer.class));
        assertEquals(Short.MIN_VALUE, read((long) Short.MIN_VALUE, Short.class));
        assertEquals(Byte.MIN_VALUE, read((long) Byte.MIN_VALUE, Byte.class));
        refused(Integer.MAX_VALUE + 1L, int.class);
        refused(Integer.MIN_VALUE - 1L, Integer.class);
        refused(Short.MAX_VALUE + 1L, short.class);
        refused(Short.MIN_VALUE - 1L, Short.class);
        refused(Byte.MAX_VALUE + 1L, byte.class);
        refused(Byte.MIN_VALUE - 1L, Byte.class);
        refused(1L << 32, int.class);
    }

    @Test
    void an_integer_is_read_as_floating_point_only_if_exact() {
        assertEquals(0x1p53, read(1L << 53, Double.class));
        assertEquals(0x1p53 + 2, read((1L << 53) + 2, Double.class));
        assertEquals(-0x1p63, read(Long.MIN_VALUE, Double.class));
        assertEquals(0x1p24f, read(1L << 24, Float.class));
        assertEquals(-0x1p63f, read(Long.MIN_VALUE, Float.class));
        assertEquals(0.0, read(0L, Double.class));
        refused((1L << 53) + 1, Double.class);
        refused(-(1L << 53) - 1, Double.class);
        refused(Long.MAX_VALUE, double.class);
        refused((1L << 24) + 1, Float.class);
        refused(Long.MAX_VALUE, float.class);
    }

    @Test
    void an_integer_is_read_as_BigInteger_but_not_as_a_type_that_is_no_number() {
        assertEquals(BigInteger.valueOf(Long.MIN_VALUE), read(Long.MIN_VALUE, BigInteger.class));
        for (Class<?> type : List.of(
                String.class,
                boolean.class,
                char.class,
                Color.class,
                byte[].class,
                Instant.class,
                AtomicLong.class,
                BigDecimal.class,
                Point.class)) {
            refused(1L, type);
        }
    }

    @Test
    void a_real_is_read_as_double_unchanged() {
        for (double value :
                new double[] {0.0, -0.0, 0.1, Double.MIN_VALUE, Double.MAX_VALUE, Double.NEGATIVE_INFINITY}) {
            assertEquals(value, read(value, Double.class));
            assertEquals(value, read(value, double.class));
        }
    }

    @Test
    void a_real_is_read_as_float_rounded_unless_its_size_is_lost() {
        assertEquals(0.1f, read(0.1, Float.class));
        assertEquals(0.1f, read((double) 0.1f, float.class));
        assertEquals(-0.0f, read(-0.0, Float.class));
        assertEquals(Float.MIN_VALUE, read((double) Float.MIN_VALUE, Float.class));
        assertEquals(Float.NEGATIVE_INFINITY, read(Double.NEGATIVE_INFINITY, Float.class));
        refused(1e300, float.class);
        refused(-1e39, Float.class);
        refused(1e-300, Float.class);
    }

    @Test
    void a_real_is_nothing_else_not_even_if_whole() {
        for (Class<?> type :
                List.of(String.class, long.class, int.class, BigDecimal.class, BigInteger.class, Point.class)) {
            refused(5.0, type);
        }
    }

    @Test
    void nan_is_the_text_NaN_and_reads_as_double_and_float() {
        assertEquals(StoredValue.raw("NaN"), codec.encode(Double.NaN));
        assertEquals(StoredValue.raw("NaN"), codec.encode(Float.NaN));
        assertEquals(Double.NaN, read("NaN", double.class));
        assertEquals(Float.NaN, read("NaN", Float.class));
        assertEquals(Double.NaN, read("NaN", Number.class));
        assertEquals("NaN", read("NaN", String.class));
        refused("NaN", int.class);
        refused("NaN", BigDecimal.class);
    }

    @Test
    void bytes_are_nothing_but_bytes() {
        for (Class<?> type : List.of(String.class, long.class, int[].class, Point.class)) {
            refused(new byte[] {1, 2}, type);
        }
        CodecException e = assertThrows(CodecException.class, () -> read(new byte[] {1, 2}, String.class));
        assertTrue(
                e.getMessage().startsWith("stored BLOB of 2 bytes cannot be read as java.lang.String"), e.getMessage());
    }

    @Test
    void a_supertype_of_the_stored_form_gives_the_stored_form() {
        byte[] bytes = {1};
        for (Object column : List.of("[1]", 7L, 0.5, bytes)) {
            assertSame(column, read(column, Object.class));
            assertSame(column, read(column, Serializable.class));
        }
        assertEquals(7L, read(7L, Number.class));
        assertEquals(0.5, read(0.5, Number.class));
        assertEquals("7", read("7", CharSequence.class));
        assertEquals("a", codec.decode(StoredValue.raw("a"), new TypeToken<Comparable<String>>() {}));
        refused(bytes, Number.class);
        refused(7L, CharSequence.class);
    }

    // --- TEXT

    @Test
    void a_string_read_as_string_is_never_parsed() {
        for (String text : List.of("", "\"quoted\"", "[1", "{\"x\":1}", "null", "NaN", " ")) {
            assertEquals(StoredValue.raw(text), codec.encode(text));
            assertEquals(text, read(text, String.class));
        }
    }

    @Test
    void text_read_as_any_other_class_is_parsed_as_json() {
        assertEquals(5, read("5", int.class));
        assertEquals(new Point(1, 2), read(" {\"y\": 2, \"x\": 1} \n", Point.class));
        assertArrayEquals(new byte[] {1, 2, 3}, read("\"AQID\"", byte[].class));
        assertArrayEquals(new int[] {1, 2}, read("[1,2]", int[].class));
        assertEquals(5, read("5", Number.class));
        assertNull(read("null", Point.class));
        assertNull(read("null", int.class));
    }

    @Test
    void everything_else_is_stored_as_json_text_and_comes_back() {
        comesBack(true, Boolean.class, "true");
        comesBack('c', Character.class, "\"c\"");
        comesBack(Color.GREEN, Color.class, "\"GREEN\"");
        comesBack(new Point(1, -2), Point.class, "{\"x\":1,\"y\":-2}");
        comesBack(BigInteger.TWO.pow(100), BigInteger.class, "1267650600228229401496703205376");
        comesBack(new BigDecimal("1.10"), BigDecimal.class, "1.10");
        comesBack(new BigDecimal("-12345678901234567890.12345678901234567890"), TypeToken.of(BigDecimal.class));
        comesBack(new BigDecimal("1E+1000000000"), BigDecimal.class, "1E+1000000000");
    }

    @Test
    void times_are_iso_8601_and_keep_zone_offset_and_nanoseconds() {
        comesBack(Instant.ofEpochSecond(0, 123456789), Instant.class, "\"1970-01-01T00:00:00.123456789Z\"");
        comesBack(LocalDate.of(2026, 2, 28), LocalDate.class, "\"2026-02-28\"");
        comesBack(LocalDateTime.of(2026, 2, 28, 1, 2, 3), LocalDateTime.class, "\"2026-02-28T01:02:03\"");
        comesBack(Duration.ofMillis(90_500), Duration.class, "\"PT1M30.5S\"");
        comesBack(OffsetDateTime.parse("2026-02-28T01:02:03+05:30"), TypeToken.of(OffsetDateTime.class));
        comesBack(ZonedDateTime.parse("2026-02-28T01:02:03+01:00[Europe/Paris]"), TypeToken.of(ZonedDateTime.class));
        comesBack(ZonedDateTime.parse("2026-02-28T01:02:03Z[UTC]"), TypeToken.of(ZonedDateTime.class));
    }

    @Test
    void collections_come_back_by_their_type_token() {
        comesBack(List.of("a", "b"), new TypeToken<List<String>>() {});
        comesBack(List.of(), new TypeToken<List<Point>>() {});
        comesBack(Map.of("a", List.of(new Point(1, 2))), new TypeToken<Map<String, List<Point>>>() {});
        comesBack(Map.of(1, Color.RED), new TypeToken<Map<Integer, Color>>() {});
        comesBack(Set.of(1L, Long.MAX_VALUE), new TypeToken<Set<Long>>() {});
        comesBack(Optional.of("a"), new TypeToken<Optional<String>>() {});
        comesBack(Optional.empty(), new TypeToken<Optional<Point>>() {});
        assertEquals(List.of(1, "a"), read("[1,\"a\"]", List.class));
    }

    @Test
    void arrays_come_back() {
        assertEquals(StoredValue.raw("[1,2]"), codec.encode(new int[] {1, 2}));
        assertArrayEquals(
                new double[] {0.5, Double.NaN},
                read(codec.encode(new double[] {0.5, Double.NaN}).column(), double[].class));
        assertArrayEquals(new String[] {"a", null}, read("[\"a\",null]", String[].class));
        assertArrayEquals(
                new char[] {'a', 'b'}, read(codec.encode(new char[] {'a', 'b'}).column(), char[].class));
    }

    @Test
    void a_record_of_everything_and_a_bean_come_back() {
        comesBack(
                new Everything(
                        new byte[] {1, -1},
                        'x',
                        Double.NaN,
                        Float.NEGATIVE_INFINITY,
                        Optional.of("m"),
                        OptionalInt.of(3),
                        Color.RED,
                        List.of(new Point(1, 2)),
                        Map.of("t", Instant.EPOCH)),
                TypeToken.of(Everything.class));
        Bean bean = new Bean();
        bean.setName("n");
        bean.setSize(Long.MAX_VALUE);
        Bean back = Objects.requireNonNull(read(codec.encode(bean).column(), Bean.class));
        assertEquals("n", back.getName());
        assertEquals(Long.MAX_VALUE, back.getSize());
    }

    @Test
    void subclasses_come_back_if_they_have_names() {
        Shapes shapes = new Shapes(List.of(new Circle(1), new Square(2)));
        comesBack(shapes, TypeToken.of(Shapes.class));
        assertEquals(new Circle(1), read(codec.encode(new Circle(1)).column(), Shape.class));
    }

    @Test
    void old_and_new_versions_of_a_class_read_each_other() {
        assertEquals(new Point(1, 2), read("{\"x\":1,\"y\":2,\"label\":\"new\"}", Point.class));
        assertEquals(new Wide(1, 2, null, false), read("{\"x\":1,\"y\":2}", Wide.class));
    }

    @Test
    void the_order_of_a_map_is_kept() {
        Map<String, Integer> map = new LinkedHashMap<>();
        map.put("b", 1);
        map.put("a", 2);
        assertEquals("{\"b\":1,\"a\":2}", codec.decode(codec.encode(map)));
    }

    // --- refused when written

    private CodecException notStored(Object value) {
        CodecException e = assertThrows(CodecException.class, () -> codec.encode(value));
        assertTrue(!(e.getCause() instanceof JacksonException)
                || e.getMessage().contains(value.getClass().getTypeName()));
        return e;
    }

    @Test
    void an_unpaired_surrogate_is_refused_not_altered() {
        assertTrue(notStored("ab\uD83D").getMessage().contains("index 2"));
        notStored("\uDE00");
        notStored(List.of("a\uD83D"));
        notStored(Map.of("\uDE00", 1));
        notStored('\uD83D');
        comesBack(List.of("\uD83D\uDE00"), new TypeToken<List<String>>() {});
    }

    @Test
    void what_has_no_json_is_refused_with_its_type() {
        assertTrue(notStored(new Object()).getMessage().contains("java.lang.Object"));
        notStored(new Object() {
            @SuppressWarnings("unused")
            public String getBroken() {
                throw new IllegalStateException("broken getter");
            }
        });
    }

    @Test
    void a_cycle_is_refused() {
        List<Object> list = new ArrayList<>();
        list.add(list);
        notStored(list);
        AtomicReference<Object> reference = new AtomicReference<>();
        reference.set(reference);
        notStored(reference);
    }

    @Test
    void nothing_is_stored_that_could_not_be_read() {
        comesBack(nested(500), new TypeToken<List<?>>() {});
        notStored(nested(501));
        comesBack(BigInteger.TEN.pow(999), TypeToken.of(BigInteger.class));
        notStored(BigInteger.TEN.pow(1000));
        notStored(Map.of("k".repeat(60_000), 1));
        notStored(new RawValue("1 2"));
        notStored(new RawValue("[1"));
    }

    @Test
    void two_map_keys_with_one_name_are_refused() {
        notStored(Map.of(1, "a", "1", "b"));
    }

    private static List<?> nested(int depth) {
        List<?> list = List.of();
        for (int i = 1; i < depth; i++) {
            list = List.of(list);
        }
        return list;
    }
}
