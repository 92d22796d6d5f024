package dev.latchkey.stress.worker;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.EntryOptions;
import dev.latchkey.cache.Side;
import dev.latchkey.stress.check.AccountValue;
import dev.latchkey.stress.check.EntryValues;
import dev.latchkey.stress.check.NumberedItem;
import dev.latchkey.stress.worker.Actor.Failed;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What threads do with entries and with the queues of the cache itself. Every value has a number that nobody else writes, and
 * a sum of its bytes, so that whoever reads it knows whose it is and whether it is whole.
 */
final class Entries {
    private static final int SMALL = 200;
    /** Longer values lie in files. */
    private static final int INLINE = 32_000;

    private static final int LARGE = 100_000;

    private Entries() {}

    /** How many bytes there are behind the number: few, almost too many for the database, or so many that they get a file. */
    static int padding(Actor actor) {
        int most =
                switch (actor.random().nextInt(4)) {
                    case 0, 1 -> SMALL;
                    case 2 -> INLINE;
                    default -> LARGE;
                };
        return most == LARGE
                ? INLINE + 1_000 + actor.random().nextInt(LARGE - INLINE)
                : actor.random().nextInt(most);
    }

    /** How a value gets into the cache. */
    @FunctionalInterface
    private interface Way {
        void store(byte[] value);
    }

    /** Stores a new value, as an array or as a stream; answers its number, or null if that failed. */
    static @Nullable Long store(Actor actor, String key, int padding, EntryOptions options) {
        return store(actor, key, padding, value -> {
            if (actor.oneIn(3)) {
                actor.cache().write(key, new ByteArrayInputStream(value), options);
            } else {
                actor.cache().set(key, value, options);
            }
        });
    }

    /** The same in a transaction, in which nobody else can write: what was just written must be there. */
    static void storeAndSee(Actor actor, String key, int padding) {
        store(actor, key, padding, value -> actor.cache().transact(() -> {
            actor.cache().set(key, value);
            if (actor.cache().get(key, byte[].class) == null) {
                throw new AssertionError("evicted by its own write");
            }
        }));
    }

    private static @Nullable Long store(Actor actor, String key, int padding, Way way) {
        long number = actor.nextNumber();
        byte[] value = AccountValue.encode(number, padding, actor.random().nextLong());
        boolean stored = actor.attempt(
                        "store",
                        () -> {
                            way.store(value);
                            return Actor.DONE;
                        },
                        key,
                        number,
                        padding)
                != null;
        return stored ? number : null;
    }

    static void read(Actor actor, String key) {
        actor.attempt("read", () -> content(actor, key), key);
    }

    /** Reads what this thread has stored right before, and nobody else stores. */
    static void readOwn(Actor actor, String key, long number) {
        actor.attempt("read_own", () -> content(actor, key), key, number);
    }

    private static String content(Actor actor, String key) {
        byte[] value =
                actor.oneIn(3) ? streamed(actor.cache(), key) : actor.cache().get(key, byte[].class);
        if (value == null) {
            return EntryValues.MISSING;
        }
        OptionalLong number = AccountValue.decode(value);
        return number.isPresent() ? String.valueOf(number.getAsLong()) : EntryValues.DAMAGED;
    }

    private static byte @Nullable [] streamed(Cache cache, String key) {
        try (InputStream value = cache.read(key)) {
            return value == null ? null : value.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void remove(Actor actor, String key) {
        actor.attempt("remove", () -> actor.cache().delete(key), key);
    }

    /** Counts a number up that is there already. */
    static void count(Actor actor, String key) {
        Long value = actor.attempt("incr", () -> actor.cache().incr(key, 1, 0), key, 1);
        if (value != null) {
            actor.referee().once(key, value);
        }
    }

    /** Puts an item with a new number at one end of a queue; without a name its keys are integers. */
    static void push(Actor actor, String queue, Side side, int padding) {
        long number = actor.nextNumber();
        NumberedItem item = NumberedItem.of(number);
        byte[] value = AccountValue.encode(number, padding, actor.random().nextLong());
        actor.attempt(
                "push",
                () -> {
                    actor.cache().push(value, prefix(queue), side, EntryOptions.none());
                    return Actor.DONE;
                },
                queue,
                side,
                item.producer(),
                item.sequence(),
                padding);
    }

    /** Takes an item from one end of a queue; whether there was one. */
    static boolean pull(Actor actor, String queue, Side side) {
        Object[] pulled = actor.attempt(
                "pull",
                () -> {
                    Cache.Item<byte[]> item = actor.cache()
                            .pull(prefix(queue), side, byte[].class)
                            .orElseThrow(() -> new Failed("none"));
                    byte[] value = item.value();
                    OptionalLong number = value == null ? OptionalLong.empty() : AccountValue.decode(value);
                    NumberedItem of = NumberedItem.of(number.orElseThrow(() -> new AssertionError("damaged")));
                    return new Object[] {"from-" + of.producer(), of.sequence()};
                },
                queue,
                side);
        if (pulled != null) {
            actor.referee().once((String) pulled[0], (Long) pulled[1]);
        }
        return pulled != null;
    }

    /** The queue without a name. */
    static final String INTEGERS = "integers";

    private static @Nullable String prefix(String queue) {
        return queue.equals(INTEGERS) ? null : queue;
    }

    static Side side(Actor actor) {
        return actor.oneIn(2) ? Side.FRONT : Side.BACK;
    }
}
