package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import dev.latchkey.testing.TestDirectory;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Objects that Java serializes, and what somebody else may have put in their place. */
class SerializationCodecTest {
    private static boolean ran;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private final Codec codec = Codecs.javaSerialization(
            List.of(Shape.class, Circle.class, Color.class, Order.class, ArrayList.class, HashMap.class, UUID.class));

    @BeforeEach
    void nothingHasRun() {
        ran = false;
    }

    interface Shape extends Serializable {}

    static class Base implements Serializable {
        private static final long serialVersionUID = 1L;
        int id = 7;
    }

    static final class Circle extends Base implements Shape {
        private static final long serialVersionUID = 1L;
        final double radius;

        Circle(double radius) {
            this.radius = radius;
        }
    }

    enum Color {
        RED {
            @Override
            String hex() {
                return "f00";
            }
        };

        abstract String hex();
    }

    record Order(String name, List<Color> colors) implements Serializable {}

    /** Does harm by being deserialized. */
    static final class Gadget implements Serializable {
        private static final long serialVersionUID = 1L;

        private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
            in.defaultReadObject();
            ran = true;
        }
    }

    private static StoredValue serialized(Object value) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(value);
        }
        return StoredValue.raw(bytes.toByteArray());
    }

    private <V> V back(Object value, Class<V> type) {
        return codec.decode(codec.encode(value), TypeToken.of(type));
    }

    @Test
    void objectsOfTheListComeBackWithWhatTheyExtend() {
        Circle circle = assertInstanceOf(Circle.class, back(new Circle(2), Shape.class));
        assertEquals(2, circle.radius);
        assertEquals(7, circle.id);
        Order order = back(new Order("a", List.of(Color.RED)), Order.class);
        assertEquals(List.of(Color.RED), order.colors());
        assertArrayEquals(new Object[] {1, "b", 'c'}, back(new Object[] {1, "b", 'c'}, Object[].class));
        assertEquals(Map.of("a", true), back(new HashMap<>(Map.of("a", true)), Map.class));
        assertEquals(List.of(1, 2), back(List.of(1, 2), List.class));
        assertEquals(true, back(true, boolean.class));
        assertArrayEquals(new int[][] {{1}, {2, 3}}, back(new int[][] {{1}, {2, 3}}, int[][].class));
        assertEquals(1, back(new Circle[] {new Circle(1)}, Circle[].class).length);
        assertEquals(1, back(new Shape[] {new Circle(1)}, Shape[].class).length);
    }

    @Test
    void stringsNumbersAndBytesAreStoredAsThemselves() {
        assertEquals(StoredValue.raw("text"), codec.encode("text"));
        assertEquals(StoredValue.raw(7L), codec.encode(7));
        assertEquals(StoredValue.raw(0.5), codec.encode(0.5f));
        assertEquals(StoredValue.raw(new byte[] {1}), codec.encode(new byte[] {1}));
        assertEquals("text", back("text", String.class));
        assertEquals(7, back(7L, int.class));
        assertEquals(Double.NaN, back(Double.NaN, double.class));
        assertArrayEquals(new byte[] {1}, back(new byte[] {1}, byte[].class));
        assertThrows(CodecException.class, () -> back("7", Integer.class));
        assertThrows(CodecException.class, () -> back(7L, UUID.class));
        assertThrows(CodecException.class, () -> back(new byte[] {1}, UUID.class));
        assertEquals(Codecs.json().encodeKey("a"), codec.encodeKey("a"));
        assertThrows(IllegalArgumentException.class, () -> codec.encodeKey(new UUID(0, 1)));
    }

    @Test
    void aClassThatIsNotInTheListIsRefusedWithItsNameWhenItIsStored() {
        for (Object bad : List.of(
                new Gadget(), new ArrayList<>(List.of(new Gadget())), new Object[] {new Gadget()}, new Gadget[0])) {
            CodecException refused = assertThrows(CodecException.class, () -> codec.encode(bad));
            assertTrue(String.valueOf(refused.getMessage()).contains("Gadget"), refused::toString);
            assertTrue(String.valueOf(refused.getMessage()).contains("allow list"), refused::toString);
        }
        CodecException refused = assertThrows(CodecException.class, () -> codec.encode(new Object()));
        assertTrue(String.valueOf(refused.getMessage()).contains("java.lang.Object"), refused::toString);
    }

    @Test
    void aClassThatIsNotInTheListIsNotRunWhenItIsRead() throws IOException {
        HashMap<Object, Object> inside = new HashMap<>();
        inside.put("a", new Gadget());
        Object proxy = Proxy.newProxyInstance(Shape.class.getClassLoader(), new Class<?>[] {Shape.class}, (Handler)
                (self, method, arguments) -> null);
        for (Object bad : List.of(
                new Gadget(),
                inside,
                new ArrayList<>(List.of(new Gadget())),
                new Object[] {new Gadget()},
                new Gadget[] {new Gadget()},
                new Gadget[1][1],
                proxy)) {
            StoredValue stored = serialized(bad);
            assertThrows(CodecException.class, () -> codec.decode(stored, TypeToken.of(Object.class)));
        }
        assertFalse(ran);
        assertInstanceOf(
                Gadget.class,
                Codecs.javaSerialization(List.of(Gadget.class))
                        .decode(serialized(new Gadget()), TypeToken.of(Gadget.class)));
        assertTrue(ran, "the counterproof");
    }

    private interface Handler extends java.lang.reflect.InvocationHandler, Serializable {}

    @Test
    void anObjectOfAnotherTypeThanTheWantedOneIsRefused() {
        StoredValue date = codec.encode(new UUID(0, 1));
        assertThrows(CodecException.class, () -> codec.decode(date, TypeToken.of(Circle.class)));
        assertInstanceOf(UUID.class, codec.decode(date, TypeToken.of(Object.class)));
        assertInstanceOf(byte[].class, codec.decode(date));
    }

    /** The length of an array stands before its items, and memory is taken for all of them. */
    @Test
    void aFewBytesThatPromiseALargeArrayTakeNoMemory() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(new long[0]);
        }
        byte[] small = bytes.toByteArray();
        ByteArrayOutputStream large = new ByteArrayOutputStream();
        large.write(small, 0, small.length - 4);
        new DataOutputStream(large).writeInt(Integer.MAX_VALUE - 8);
        StoredValue stored = StoredValue.raw(large.toByteArray());
        CodecException refused =
                assertThrows(CodecException.class, () -> codec.decode(stored, TypeToken.of(long[].class)));
        assertInstanceOf(java.io.InvalidClassException.class, refused.getCause());
    }

    @Test
    void damagedBytesAreACodecException() throws IOException {
        byte[] whole = (byte[]) serialized(new ArrayList<>(List.of(1, 2, 3))).column();
        for (int length = 0; length < whole.length; length++) {
            StoredValue cut = StoredValue.raw(java.util.Arrays.copyOf(whole, length));
            assertThrows(CodecException.class, () -> codec.decode(cut, TypeToken.of(ArrayList.class)));
        }
    }

    @Test
    void aDeeplyNestedObjectIsRefusedOrComesBackWhole() {
        ArrayList<Object> deep = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            ArrayList<Object> outer = new ArrayList<>();
            outer.add(deep);
            deep = outer;
        }
        ArrayList<Object> value = deep;
        assertThrows(CodecException.class, () -> codec.encode(value));
    }

    @Test
    void aListIsMandatory() {
        assertThrows(IllegalArgumentException.class, () -> Codecs.javaSerialization(List.of()));
        assertThrows(NullPointerException.class, () -> Codecs.javaSerialization(null));
    }

    @Test
    void aCacheOfItStoresObjectsAndCounts() {
        try (Cache cache =
                Cache.builder(directory.resolve("cache")).codec(codec).open()) {
            cache.set("date", new UUID(0, 5));
            ArrayList<Integer> large = new ArrayList<>(java.util.Collections.nCopies(50_000, 7));
            cache.set("large", large);
            assertEquals(new UUID(0, 5), cache.get("date", UUID.class));
            assertEquals(large, cache.get("large", ArrayList.class));
            assertEquals(2, cache.incr("n", 2));
            assertEquals(3, cache.incr("n"));
            assertNull(cache.get("absent", UUID.class));
            CodecException refused = assertThrows(CodecException.class, () -> cache.set("gadget", new Gadget()));
            assertTrue(String.valueOf(refused.getMessage()).contains("'gadget'"), refused::toString);
        }
        assertThrows(IllegalArgumentException.class, () -> Cache.open(directory.resolve("cache")));
    }
}
