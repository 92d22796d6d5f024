package dev.latchkey.cache.sqlite;

import com.google.common.base.Utf8;
import dev.latchkey.cache.StoredValue;
import org.jspecify.annotations.Nullable;

/** A value on its way into a row: inline, or in a file that waits to be published. */
record Columns(
        long mode,
        long size,
        @Nullable String filename,
        @Nullable Object value) {
    static Columns inline(@Nullable Object value) {
        return new Columns(StoredValue.Mode.RAW.code(), 0, null, value);
    }

    static Columns file(StoredValue.Mode mode, ValueFiles.Written written) {
        return new Columns(mode.code(), written.size(), written.name(), null);
    }

    /** About how many bytes it takes, wherever they are. */
    long bytes() {
        return value instanceof String text
                ? size + Utf8.encodedLength(text)
                : value instanceof byte[] bytes ? size + bytes.length : size;
    }
}
