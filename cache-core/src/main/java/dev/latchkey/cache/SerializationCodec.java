package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InvalidClassException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.io.OutputStream;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Strings, numbers and bytes as SQLite has them, everything else serialized by Java. */
final class SerializationCodec implements Codec {
    /** The classes of an allowed object that no code runs in: boxes, and what numbers and enums extend. */
    private static final List<Class<?>> ALWAYS = List.of(
            Boolean.class,
            Character.class,
            Byte.class,
            Short.class,
            Integer.class,
            Long.class,
            Float.class,
            Double.class,
            String.class,
            Number.class,
            Enum.class);

    private final Codec json = Codecs.json();
    private final Map<String, Class<?>> allowed = new HashMap<>();

    SerializationCodec(Collection<? extends Class<?>> allowList) {
        if (allowList.isEmpty()) {
            throw new IllegalArgumentException("allowList must name the classes that may be stored, was empty");
        }
        ALWAYS.forEach(this::allow);
        allow(ofImmutableCollections());
        allowList.forEach(this::allow);
    }

    /** What {@code List.of}, {@code Set.of} and {@code Map.of} are replaced by, which no caller can name. */
    private static Class<?> ofImmutableCollections() {
        try {
            return Class.forName("java.util.CollSer");
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("this JDK serializes List.of() in another way", e);
        }
    }

    private void allow(Class<?> type) {
        for (Class<?> each = type; each != null && each != Object.class; each = each.getSuperclass()) {
            allowed.put(each.getName(), each);
        }
    }

    @Override
    public String name() {
        return "javaSerialization";
    }

    @Override
    public StoredKey encodeKey(Object key) {
        return json.encodeKey(key);
    }

    @Override
    public Object decodeKey(StoredKey stored) {
        return json.decodeKey(stored);
    }

    @Override
    public StoredValue encode(Object value) {
        return Column.ofNative(value) != null ? json.encode(value) : StoredValue.raw(serialize(value));
    }

    private byte[] serialize(Object value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Output out = new Output(bytes)) {
            out.writeObject(value);
            out.flush();
            out.requireAllAllowed();
        } catch (IOException | RuntimeException | StackOverflowError e) {
            throw new CodecException(
                    "value of " + value.getClass().getTypeName() + " cannot be serialized: " + reason(e), e);
        }
        return bytes.toByteArray();
    }

    @Override
    public @Nullable Object decode(StoredValue stored) {
        return json.decode(stored);
    }

    @Override
    @SuppressWarnings("unchecked") // each branch answers an instance of the wanted type
    public <V> @Nullable V decode(StoredValue stored, TypeToken<V> type) {
        Class<?> wanted = type.wrap().getRawType();
        Object column = stored.column();
        if (stored.mode() == StoredValue.Mode.PICKLE || column == null) {
            return json.decode(stored, type);
        }
        if (column instanceof byte[] bytes) {
            return wanted == byte[].class ? (V) bytes : (V) deserialize(bytes, wanted);
        }
        boolean isText = column instanceof String text && !(isReal(wanted) && text.equals("NaN"));
        if (isText && !wanted.isInstance(column)) {
            throw new CodecException("stored TEXT cannot be read as " + wanted.getTypeName() + "; ask for String");
        }
        return json.decode(stored, type);
    }

    private static boolean isReal(Class<?> wanted) {
        return wanted == Double.class || wanted == Float.class || wanted == Number.class;
    }

    private Object deserialize(byte[] bytes, Class<?> wanted) {
        try (ObjectInputStream in = new Input(bytes)) {
            Object value = in.readObject();
            if (!wanted.isInstance(value)) {
                throw new CodecException("stored object of "
                        + (value == null ? "no class" : value.getClass().getTypeName()) + " cannot be read as "
                        + wanted.getTypeName());
            }
            return value;
        } catch (CodecException e) {
            throw e;
        } catch (IOException | ClassNotFoundException | RuntimeException | StackOverflowError e) {
            throw new CodecException(
                    "stored BLOB cannot be read as " + wanted.getTypeName() + ": " + reason(e)
                            + "; what was stored as bytes is read as byte[]",
                    e);
        }
    }

    private static String reason(Throwable e) {
        return Objects.requireNonNullElse(e.getMessage(), e.getClass().getName());
    }

    private boolean isAllowed(Class<?> type) {
        Class<?> component = component(type);
        return component.isPrimitive()
                || (type.isArray() && component == Object.class)
                || allowed.get(component.getName()) == component;
    }

    private static Class<?> component(Class<?> type) {
        Class<?> component = type;
        while (component.isArray()) {
            component = component.getComponentType();
        }
        return component;
    }

    private static InvalidClassException refusal(String name) {
        return new InvalidClassException(
                name, "is not in the allow list of this codec; add it to the list if it is safe");
    }

    /** Refuses what {@link Input} would refuse, at the end: an exception on the way would be serialized too. */
    private final class Output extends ObjectOutputStream {
        private @Nullable String refused;

        Output(OutputStream out) throws IOException {
            super(out);
        }

        @Override
        protected void annotateClass(Class<?> type) {
            if (refused == null && !isAllowed(type)) {
                refused = type.getName();
            }
        }

        @Override
        protected void annotateProxyClass(Class<?> type) {
            refused = "a proxy";
        }

        void requireAllAllowed() throws InvalidClassException {
            if (refused != null) {
                throw refusal(refused);
            }
        }
    }

    /** Looks up no class by a name but those of the list, and none at all before the list was asked. */
    private final class Input extends ObjectInputStream {
        private final long longestArray;

        /** Each item of an array takes a byte at least, and a hash table has room for more than it holds. */
        Input(byte[] bytes) throws IOException {
            super(new ByteArrayInputStream(bytes));
            longestArray = 16 + 4L * bytes.length;
            setObjectInputFilter(this::filter);
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass description) throws IOException, ClassNotFoundException {
            String name = description.getName();
            Class<?> found = allowed.get(name);
            if (found != null) {
                return found;
            }
            if (!name.startsWith("[")) {
                throw refusal(name);
            }
            String component = name.replaceFirst("^\\[+L?", "").replaceFirst(";$", "");
            Class<?> known = allowed.get(component);
            if (known == null && name.endsWith(";") && !component.equals("java.lang.Object")) {
                throw refusal(name);
            }
            return Class.forName(name, false, known == null ? null : known.getClassLoader());
        }

        @Override
        protected Class<?> resolveProxyClass(String[] interfaces) throws IOException {
            throw refusal("a proxy of " + String.join(", ", interfaces));
        }

        /** The classes were found in the list already. */
        private ObjectInputFilter.Status filter(ObjectInputFilter.FilterInfo info) {
            boolean tooMuch = info.depth() > Json.MAX_DEPTH || info.arrayLength() > longestArray;
            return tooMuch ? ObjectInputFilter.Status.REJECTED : ObjectInputFilter.Status.UNDECIDED;
        }
    }
}
