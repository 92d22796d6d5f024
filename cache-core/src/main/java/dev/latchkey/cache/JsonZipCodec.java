package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/** Keys and values as compressed JSON, in the form of python-diskcache's JSONDisk. */
final class JsonZipCodec implements Codec {
    static final int DEFAULT_LEVEL = 1;
    private static final String LEVEL = "disk_compress_level";
    private static final int BUFFER = 8192;
    /** More than zlib adds to what it cannot compress. */
    private static final int OVERHEAD = 1024;

    private final int level;
    private final Json json = Json.ofPython();

    JsonZipCodec(int level) {
        if (level < Deflater.DEFAULT_COMPRESSION || level > Deflater.BEST_COMPRESSION) {
            throw new IllegalArgumentException("level must be 0 to 9, or -1 for what zlib thinks best, was " + level);
        }
        this.level = level;
    }

    @Override
    public String name() {
        return "jsonZip";
    }

    @Override
    public Map<String, Object> diskSettings() {
        return Map.of(LEVEL, (long) level);
    }

    /** A key is found by its compressed bytes, which the level changes. Without a stored level Python uses its default. */
    @Override
    public Codec withDiskSettings(Map<String, Object> stored) {
        Object known = stored.getOrDefault(LEVEL, (long) DEFAULT_LEVEL);
        if (known instanceof Long number && number == number.intValue()) {
            return new JsonZipCodec(number.intValue());
        }
        throw new IllegalArgumentException(LEVEL + " must be a number from -1 to 9, was " + known);
    }

    @Override
    public StoredKey encodeKey(Object key) {
        return key instanceof StoredKey stored
                ? stored
                : StoredKey.raw(deflate(
                        PythonJson.write(Objects.requireNonNull(key, "key")).getBytes(StandardCharsets.US_ASCII)));
    }

    @Override
    public Object decodeKey(StoredKey stored) {
        if (stored.raw() && stored.column() instanceof byte[] bytes) {
            try {
                Object key = json.readTree(inflate(bytes));
                return key == null ? stored : key;
            } catch (CodecException e) {
                return stored; // somebody else's
            }
        }
        return stored;
    }

    @Override
    public StoredValue encode(Object value) {
        Objects.requireNonNull(value, "value");
        return compressed(json.write(value));
    }

    @Override
    public StoredValue encodeNull() {
        return compressed("null");
    }

    private StoredValue compressed(String text) {
        return StoredValue.raw(deflate(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public <V> @Nullable V decode(StoredValue stored, TypeToken<V> type) {
        @SuppressWarnings("unchecked") // read() answers an instance of the wanted type
        V value = (V) json.read(text(stored), Objects.requireNonNull(type, "type"));
        return value;
    }

    @Override
    public @Nullable Object decode(StoredValue stored) {
        return json.readTree(text(stored));
    }

    private static String text(StoredValue stored) {
        if (stored.mode() != StoredValue.Mode.PICKLE && stored.column() instanceof byte[] bytes) {
            return inflate(bytes);
        }
        throw new CodecException("stored " + Column.typeOf(stored.column()) + " is not compressed JSON");
    }

    /** In one step, as Python does it. */
    private byte[] deflate(byte[] bytes) {
        Deflater deflater = new Deflater(level);
        try {
            deflater.setInput(bytes);
            deflater.finish();
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] buffer = new byte[bytes.length / 8 * 9 + OVERHEAD];
            while (!deflater.finished()) {
                out.write(buffer, 0, deflater.deflate(buffer));
            }
            return out.toByteArray();
        } finally {
            deflater.end();
        }
    }

    /** What a few bytes become is bounded, since anybody may have written them. */
    private static String inflate(byte[] bytes) {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(bytes);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] buffer = new byte[BUFFER];
            while (!inflater.finished()) {
                int length = inflater.inflate(buffer);
                if (length == 0 && !inflater.finished()) {
                    throw new CodecException("stored BLOB is not compressed JSON: it is cut short");
                }
                out.write(buffer, 0, length);
                if (out.size() > Json.MAX_LENGTH) {
                    throw new CodecException("stored BLOB of " + bytes.length
                            + " bytes is compressed JSON of more than " + Json.MAX_LENGTH + " bytes");
                }
            }
            return out.toString(StandardCharsets.UTF_8);
        } catch (DataFormatException e) {
            throw new CodecException(
                    "stored BLOB is not compressed JSON: " + e.getMessage()
                            + "; what was stored as a stream is read as a stream",
                    e);
        } finally {
            inflater.end();
        }
    }
}
