package dev.latchkey.cache.spi;

/** What a caller gives to an engine as a value to store null, which no argument of a cache may be. */
public enum StoredNull {
    /** Stored as {@link dev.latchkey.cache.Codec#encodeNull()} says. */
    NULL
}
