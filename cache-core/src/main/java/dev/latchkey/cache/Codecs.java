package dev.latchkey.cache;

import java.util.Collection;

/** The codecs that come with Latchkey. The name of a codec is stored in the directory that is created with it. */
public final class Codecs {
    private static final Codec JSON = new JsonCodec();

    private Codecs() {}

    /**
     * The codec that is used when none is given. Python reads everything it writes, and {@code sqlite3} shows it as
     * plain text.
     *
     * <p><b>Keys</b> are {@code String}, {@code long} and the smaller integers, {@code double} and {@code float}, and
     * {@code byte[]}. All integers are one kind of key; as in Python, 1 and 1.0 are the same key, and so are 0.0 and
     * -0.0 (the key that was stored first is the one that is listed). Infinities are keys like any other. NaN, a string
     * with an unpaired surrogate and all other types are refused with an {@code IllegalArgumentException}. A key that
     * Python pickled is shown as a {@link StoredKey}, which is accepted as a key too.
     *
     * <p><b>Values</b> of these types are stored natively, NaN as the text {@code NaN}; everything else is stored as
     * JSON text: {@code boolean}, {@code char}, {@code BigInteger}, {@code BigDecimal}, records, beans, enums, arrays,
     * collections, maps, {@code Optional} and the types of {@code java.time} (as ISO-8601). A value that could not be
     * read back (a cycle, more than 500 levels, a number of more than 1000 digits, an unpaired surrogate, two equal
     * names in one object) is refused with a {@link CodecException} when it is stored.
     *
     * <p><b>Reading.</b> INTEGER reads as any number type that holds it exactly, {@code BigInteger} included, but not
     * as {@code char}, {@code boolean} or an enum. REAL reads as {@code double}, and as {@code float} rounded as by a
     * cast, unless its size is out of range. TEXT reads as itself if {@code String}, {@code CharSequence} or
     * {@code Object} is wanted; for all other types it is parsed as JSON. BLOB reads as {@code byte[]}.
     *
     * <p><b>Pickles.</b> What Python pickled, in protocols 0 to 5, is read if it is a plain tree: {@code None} as null,
     * {@code bool} as {@code Boolean}, {@code int} as {@code Long}, or as {@code BigInteger} beyond 64 bits,
     * {@code float} as {@code Double}, {@code str} as {@code String}, {@code bytes} and {@code bytearray} as
     * {@code byte[]}, {@code list} and {@code tuple} as {@code List}, {@code dict} as {@code Map} and {@code set} and
     * {@code frozenset} as {@code Set}, both in the order of the pickle. Without a wanted type, or with a class of which the
     * tree is an instance, such as {@code Map.class}, it is the tree that is answered. Otherwise a number is read as
     * from a column, and all else as if it were JSON, with sets as arrays, and keys of a dict ({@code str}, numbers and
     * {@code bool}) as names. A pickle that holds any other Python object is refused with a {@link CodecException},
     * and so is one with a cycle, more than 500 levels, an integer of more than 1000 digits, or so much that is shared
     * that it would be 16 times its size and a million nodes and characters when written out. No class is looked up and
     * nothing is called.
     *
     * <p><b>Changing classes.</b> Entries outlive the program that wrote them. A JSON property that the class does not
     * have is ignored, and one that is missing becomes null, zero or false, so that an old and a new version of a
     * program can share a cache. Numbers are not truncated, strings are not turned into numbers, and numbers not into
     * enums.
     *
     * <p><b>Types.</b> Values are built from the wanted type alone; no class is ever looked up by a name in the
     * cache. Subclasses need {@code @JsonTypeInfo} with names ({@code Id.NAME}, {@code @JsonSubTypes}), since
     * {@code Id.CLASS} is refused, and inside a collection they need a record or bean around the collection, since
     * Jackson does not know its element type when it writes.
     *
     * @return the codec named {@code json}
     */
    public static Codec json() {
        return JSON;
    }

    /**
     * Keys and values as compressed JSON, the format of python-diskcache's {@code JSONDisk}, with its default level 1.
     *
     * @return the codec named {@code jsonZip}, see {@link #jsonZip(int)}
     */
    public static Codec jsonZip() {
        return jsonZip(JsonZipCodec.DEFAULT_LEVEL);
    }

    /**
     * Keys and values as compressed JSON, the format of python-diskcache's {@code JSONDisk}: Python opens the same directory with
     * {@code disk=diskcache.JSONDisk}.
     *
     * <pre>{@code
     * Cache cache = Cache.builder(Path.of("/var/cache/app")).codec(Codecs.jsonZip(6)).open();
     * cache.set(List.of("user", 4711), Map.of("name", "Ada"));
     * }</pre>
     *
     * <p><b>Keys</b> are String, numbers, {@code boolean}, {@code List} and, with strings for names, {@code Map} of such; 1 and 1.0
     * are two keys, and maps with another order too. A key is found by its compressed bytes: two versions of zlib
     * that compress differently do not find each other's. The key of a queue's item is listed as a {@link StoredKey}, which is
     * accepted as a key too.
     *
     * <p><b>Values</b> are stored as by {@link #json()}, strings and numbers as JSON as well, and NaN and the infinities as
     * Python writes them; an array of bytes is base64 inside. What a stream stored has no JSON and is read as a stream,
     * which shows other values as they are stored. Without a wanted type a value is the plain tree of its JSON.
     *
     * @param level 1 is fast, 9 small, 0 does not compress, and -1 is what zlib thinks best; in a directory that exists the level
     *     stored there holds
     * @return the codec named {@code jsonZip}
     * @throws IllegalArgumentException if the level is another number
     */
    public static Codec jsonZip(int level) {
        return new JsonZipCodec(level);
    }

    /**
     * Values as Java serializes them, for classes that JSON does not hold. Keys, strings, numbers and arrays of bytes are
     * stored as by {@link #json()}.
     *
     * <pre>{@code
     * Codec codec = Codecs.javaSerialization(List.of(Order.class, ArrayList.class));
     * }</pre>
     *
     * <p>Whoever writes to a directory decides what is deserialized from it, and some classes do harm by that alone. So only
     * classes of the list are, with what they extend, the boxes of numbers, arrays of these, and {@code Object[]}; any other class,
     * also inside of an object, is a {@link CodecException}, when it is stored as well as when it is read, and is not
     * looked up. List final classes that check themselves when they are read; a class in the list is trusted with whatever its
     * {@code readObject} does.
     *
     * <p>A type that is asked for is checked, the elements of a collection are not. Whatever is asked for, other than
     * {@code byte[]}, is taken for a serialized object. Python sees bytes.
     *
     * @param allowList the classes that may be stored
     * @return the codec named {@code javaSerialization}
     * @throws IllegalArgumentException if the list is empty
     */
    public static Codec javaSerialization(Collection<? extends Class<?>> allowList) {
        return new SerializationCodec(allowList);
    }
}
