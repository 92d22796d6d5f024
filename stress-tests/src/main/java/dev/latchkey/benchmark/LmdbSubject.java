package dev.latchkey.benchmark;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.Txn;

/** LMDB without a sync at each commit, which is as safe as Latchkey is by default: for kill -9, not for power loss. */
final class LmdbSubject extends Subject {
    private static final int LONGEST_VALUE = 1000;

    private final Env<ByteBuffer> env;
    private final Dbi<ByteBuffer> entries;
    private final ThreadLocal<ByteBuffer> keys;
    private final ThreadLocal<ByteBuffer> values =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(LONGEST_VALUE));

    LmdbSubject(Path directory) {
        env = Env.create().setMapSize(1L << 30).setMaxDbs(1).open(directory.toFile(), EnvFlags.MDB_NOSYNC);
        entries = env.openDbi("entries", DbiFlags.MDB_CREATE);
        keys = ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(env.getMaxKeySize()));
    }

    private static ByteBuffer put(ByteBuffer buffer, String text) {
        buffer.clear();
        buffer.put(text.getBytes(UTF_8)).flip();
        return buffer;
    }

    @Override
    void set(String key, String value) {
        entries.put(put(keys.get(), key), put(values.get(), value));
    }

    @Override
    @Nullable
    String get(String key) {
        try (Txn<ByteBuffer> transaction = env.txnRead()) {
            ByteBuffer found = entries.get(transaction, put(keys.get(), key));
            return found == null ? null : UTF_8.decode(found).toString();
        }
    }
}
