package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns keys and values into what the database holds, and back. A codec must be safe for use by several threads. It
 * does not decide where a value is stored: {@link #encode} answers {@link StoredValue.Mode#RAW}, and the cache moves a
 * long text or array into a file; {@code decode} is given what the cache found, and goes by the type of the column.
 *
 * <p>The name is stored in the directory, which can afterwards only be opened with a codec of the same name. Change
 * the name whenever the stored form changes.
 */
public interface Codec {
    /**
     * The name that is stored in the directory.
     *
     * @return the same name for the same stored form, always
     */
    String name();

    /**
     * Turns a key into columns. Keys that should name the same entry must become equal columns.
     *
     * @param key the key
     * @return the columns to store and to look up
     * @throws IllegalArgumentException if this codec does not take such a key
     */
    StoredKey encodeKey(Object key);

    /**
     * Turns columns back into a key.
     *
     * @param stored columns written by this codec, or by Python
     * @return the key; the argument itself if the key was pickled by Python
     */
    Object decodeKey(StoredKey stored);

    /**
     * Turns a value into a column.
     *
     * @param value the value
     * @return the column, with mode {@link StoredValue.Mode#RAW}
     * @throws CodecException if the value has no stored form
     */
    StoredValue encode(Object value);

    /**
     * Turns null, which is Python's {@code None}, into a column. Only results of memoized functions are ever null.
     *
     * @return NULL, unless this codec stores it in another way; with mode {@link StoredValue.Mode#RAW}
     */
    default StoredValue encodeNull() {
        return StoredValue.raw(null);
    }

    /**
     * What python-diskcache's {@code Disk} must be told so that it reads what this codec writes. Stored with the settings of a
     * directory that is created.
     *
     * @return numbers and strings by their names, which begin with {@code disk_}
     */
    default Map<String, Object> diskSettings() {
        return Map.of();
    }

    /**
     * This codec as a directory needs it that has been created already, by Python perhaps.
     *
     * @param stored the settings of that directory whose names begin with {@code disk_}
     * @return a codec of the same name
     */
    default Codec withDiskSettings(Map<String, Object> stored) {
        return this;
    }

    /**
     * Reads a stored value as a type. A primitive type means its wrapper.
     *
     * @param <V> the wanted type
     * @param stored what the database or a file holds
     * @param type the wanted type
     * @return the value; null for a stored NULL or a pickled one, which are Python's {@code None}
     * @throws CodecException if the stored form cannot be read as the type
     */
    <V> @Nullable V decode(StoredValue stored, TypeToken<V> type);

    /**
     * Reads a stored value as it is, without a wanted type.
     *
     * @param stored what the database or a file holds
     * @return a {@code String}, {@code Long}, {@code Double}, {@code byte[]} or null, and whatever else this codec makes of it,
     *     as of a pickle
     * @throws CodecException if the value is malformed or more than this codec reads
     */
    @Nullable
    Object decode(StoredValue stored);
}
