package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Operations of chance on a cache. The same number makes the same operation, whatever the cache, and its outcome is a line of
 * text, so that two caches can be compared, in this process or another.
 */
final class ModelSteps {
    /** From this length on values are in files. */
    static final int MIN_FILE_SIZE = 200;

    private static final List<@Nullable String> QUEUES = Arrays.asList(null, "q", "a%b");
    private static final List<Object> TAGS = List.of("t", 7L, 0.5);
    private static final List<Class<?>> TYPES =
            List.of(String.class, Long.class, Double.class, byte[].class, Object.class);
    private static final EntryOptions BRIEFLY = EntryOptions.none().expireAfter(Duration.ofMillis(2));

    private final Cache cache;
    private final Consumer<Cache> elapse;
    private final boolean expiring;

    /**
     * Operates on a cache.
     *
     * @param elapse lets a few milliseconds pass
     * @param expiring whether entries expire
     */
    ModelSteps(Cache cache, Consumer<Cache> elapse, boolean expiring) {
        this.cache = cache;
        this.elapse = elapse;
        this.expiring = expiring;
    }

    /** Thrown by a transaction that is to be rolled back. */
    private static final class Rollback extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** Does one operation, of which at most one part changes the contents. */
    String run(long number) {
        return step(new Random(number * 0x9E3779B97F4A7C15L), 0);
    }

    private String step(Random random, int depth) {
        int operation = random.nextInt(100);
        Object key = key(random);
        EntryOptions options = options(random);
        Object value = value(random);
        Object tag = TAGS.get(random.nextInt(TAGS.size()));
        String queue = QUEUES.get(random.nextInt(QUEUES.size()));
        Side side = random.nextBoolean() ? Side.FRONT : Side.BACK;
        TypeToken<?> type = TypeToken.of(TYPES.get(random.nextInt(TYPES.size())));
        List<Object> keys = Stream.generate(() -> key(random)).limit(5).toList();
        if (operation < 6 && depth < 3) {
            return transact(random, depth);
        }
        if (operation < 9 && expiring) {
            return run("expires " + text(key), () -> {
                cache.set(key, value, BRIEFLY);
                elapse.accept(cache);
                return null;
            });
        }
        return change(operation, key, value, options, keys, tag, queue, side, type);
    }

    private String change(
            int operation,
            Object key,
            Object value,
            EntryOptions options,
            List<Object> keys,
            Object tag,
            @Nullable String queue,
            Side side,
            TypeToken<?> type) {
        String at = " " + text(key) + " ";
        String in = " " + queue + " " + side + " ";
        if (operation < 22) {
            return run("set" + at + text(value), () -> {
                cache.set(key, value, options);
                return null;
            });
        }
        if (operation < 26) {
            return run("add" + at + text(value), () -> cache.add(key, value, options));
        }
        if (operation < 29) {
            Map<Object, Object> values = new LinkedHashMap<>();
            keys.forEach(one -> values.put(one, value));
            return run("setAll " + text(values), () -> {
                cache.setAll(values, options);
                return null;
            });
        }
        if (operation < 34) {
            return run("incr" + at, () -> cache.incr(key, operation - 31, 5));
        }
        if (operation < 36) {
            return run("decr" + at, () -> cache.decr(key, Long.MAX_VALUE));
        }
        if (operation < 38) {
            return run("incr double" + at, () -> cache.incr(key, operation == 36 ? 0.25 : 1e300));
        }
        if (operation < 40) {
            return run("touch" + at, () -> cache.touch(key, Duration.ofHours(2)));
        }
        if (operation < 42) {
            return run("persist" + at, () -> cache.persist(key));
        }
        if (operation < 47) {
            return run("delete" + at, () -> cache.delete(key));
        }
        if (operation < 50) {
            return run("pop" + at + type, () -> cache.pop(key, type));
        }
        if (operation < 52) {
            return run("popEntry" + at + type, () -> cache.popEntry(key, type));
        }
        if (operation < 56) {
            return run("write" + at + text(value), () -> {
                cache.write(
                        key,
                        new ByteArrayInputStream(
                                text(value).repeat(operation).getBytes(java.nio.charset.StandardCharsets.UTF_8)),
                        options);
                return null;
            });
        }
        if (operation < 60) {
            return run("push" + in + text(value), () -> cache.push(value, queue, side, options));
        }
        if (operation < 61) {
            return run(
                    "push stream" + in,
                    () -> cache.push(new ByteArrayInputStream(new byte[250]), queue, side, options));
        }
        if (operation < 66) {
            return run("pull" + in + type, () -> cache.pull(queue, side, type));
        }
        return read(operation, key, keys, tag, queue, side, type);
    }

    private String read(
            int operation,
            Object key,
            List<Object> keys,
            Object tag,
            @Nullable String queue,
            Side side,
            TypeToken<?> type) {
        String at = " " + text(key) + " ";
        if (operation < 68) {
            return run("peek " + queue + " " + side, () -> cache.peek(queue, side, type));
        }
        if (operation < 70) {
            return run("peekItem " + side, () -> cache.peekItem(side, Object.class));
        }
        if (operation < 74) {
            return run("get" + at, () -> cache.get(key));
        }
        if (operation < 78) {
            return run("get" + at + type, () -> cache.get(key, type));
        }
        if (operation < 80) {
            return run("entry" + at + type, () -> cache.entry(key, type));
        }
        if (operation < 83) {
            return run("getAll " + text(keys), () -> cache.getAll(keys, Object.class));
        }
        if (operation < 86) {
            return run("read" + at, () -> readAll(cache.read(key)));
        }
        if (operation < 88) {
            return run("containsKey" + at, () -> cache.containsKey(key));
        }
        if (operation < 90) {
            return run("sortedKeys", () -> cache.sortedKeys().toList());
        }
        if (operation < 92) {
            return run("sortedKeysReversed", () -> cache.sortedKeysReversed().toList());
        }
        if (operation < 93) {
            return run("keys", () -> cache.keys().toList());
        }
        if (operation < 94) {
            return run("keysReversed", () -> cache.keysReversed().toList());
        }
        if (operation < 96) {
            return run("keysByTag " + tag, () -> cache.keysByTag(tag).toList());
        }
        return maintain(operation, keys, tag);
    }

    /** What has expired is removed at first: when it went before is nobody's business. */
    private String maintain(int operation, List<Object> keys, Object tag) {
        if (operation < 97) {
            return run("evict " + tag, () -> {
                cache.expire();
                return cache.evict(tag);
            });
        }
        if (operation < 98) {
            return run("size", () -> {
                cache.expire();
                return cache.size();
            });
        }
        boolean rare = keys.get(0).equals(keys.get(1));
        return run(rare ? "clear" : "cull", () -> {
            cache.expire();
            return rare ? cache.clear() : cache.cull();
        });
    }

    private String transact(Random random, int depth) {
        List<String> outcomes = new ArrayList<>();
        int fate = random.nextInt(6);
        int length = random.nextInt(6);
        String end;
        try {
            end = cache.transact(() -> {
                for (int i = 0; i < length; i++) {
                    outcomes.add(step(random, depth + 1));
                }
                if (fate == 0) {
                    throw new Rollback();
                }
                if (fate == 1) {
                    throw new IOException("checked");
                }
                return "committed";
            });
        } catch (Rollback e) {
            end = "rolled back";
        } catch (CacheException e) {
            end = e.getCause() instanceof IOException ? "failed" : "doomed";
        }
        return "transact " + outcomes + " " + end;
    }

    private static String run(String what, Callable<@Nullable Object> call) {
        try {
            return what + " -> " + text(call.call());
        } catch (CodecException | ArithmeticException e) {
            return what + " -> " + e.getClass().getSimpleName();
        } catch (Exception e) {
            throw new IllegalStateException(what, e);
        }
    }

    private static @Nullable Object readAll(@Nullable InputStream in) {
        try (in) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // Chance

    private static Object key(Random random) {
        int i = random.nextInt(8);
        return switch (random.nextInt(4)) {
            case 0 -> "key" + i;
            case 1 -> (long) i;
            case 2 -> i + 0.5;
            default -> new byte[] {(byte) i, (byte) (i * 60)};
        };
    }

    private static EntryOptions options(Random random) {
        EntryOptions options = EntryOptions.none();
        if (random.nextInt(4) == 0) {
            options = options.tag(TAGS.get(random.nextInt(TAGS.size())));
        }
        if (random.nextInt(4) == 0) {
            options = options.expireAfter(Duration.ofHours(1 + random.nextInt(1000)));
        }
        return random.nextInt(8) == 0 ? options.pinned() : options;
    }

    private static Object value(Random random) {
        int i = random.nextInt(1000);
        return switch (random.nextInt(8)) {
            case 0, 1 -> (long) i;
            case 2 -> i / 8.0;
            case 3 -> "text" + i;
            case 4 -> new byte[] {(byte) i};
            case 5 -> ("long text " + i + " ").repeat(MIN_FILE_SIZE / 8);
            case 6 -> bytes(i);
            default -> List.of(i, "ü");
        };
    }

    private static byte[] bytes(int seed) {
        byte[] bytes = new byte[MIN_FILE_SIZE + seed];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    // Text

    /** A line for a result, short if it is long. */
    static String text(@Nullable Object value) {
        if (value instanceof byte[] bytes) {
            return bytes.length < 4 ? Arrays.toString(bytes) : "bytes " + bytes.length + " " + Arrays.hashCode(bytes);
        }
        if (value instanceof String string && string.length() > 40) {
            return "text " + string.length() + " " + string.hashCode();
        }
        if (value instanceof List<?> list) {
            return list.stream().map(ModelSteps::text).toList().toString();
        }
        if (value instanceof Map<?, ?> map) {
            return text(map.entrySet().stream()
                    .map(entry -> text(entry.getKey()) + "=" + text(entry.getValue()))
                    .toList());
        }
        if (value instanceof Optional<?> optional) {
            return optional.isPresent() ? text(optional.get()) : "none";
        }
        if (value instanceof Cache.Entry<?> entry) {
            return parts(entry.value(), entry.tag(), entry.expiry().isPresent());
        }
        if (value instanceof Cache.Item<?> item) {
            return text(item.key()) + " "
                    + parts(item.value(), item.tag(), item.expiry().isPresent());
        }
        return String.valueOf(value);
    }

    private static String parts(@Nullable Object value, Optional<Object> tag, boolean expires) {
        return text(value) + " tag " + text(tag) + (expires ? " expires" : "");
    }

    /** All entries by their keys, in the order of insertion. */
    static Map<String, String> contents(Cache cache) {
        Map<String, String> contents = new LinkedHashMap<>();
        cache.keys().forEach(key -> contents.put(text(key), text(cache.entry(key, Object.class))));
        return contents;
    }

    /** The difference between a cache and the model of it; empty if there is none. */
    static String difference(ModelCache model, Cache cache) {
        Map<String, String> expected = contents(model);
        Map<String, String> actual = contents(cache);
        List<String> differences = new ArrayList<>();
        if (!expected.equals(actual)) {
            differences.add("expected " + without(expected, actual) + ", was " + without(actual, expected));
        }
        compare("order", text(model.keys().toList()), text(cache.keys().toList()), differences);
        compare(
                "reversed",
                text(model.keysReversed().toList()),
                text(cache.keysReversed().toList()),
                differences);
        for (Object tag : TAGS) {
            compare(
                    "tag " + tag,
                    text(model.keysByTag(tag).toList()),
                    text(cache.keysByTag(tag).toList()),
                    differences);
        }
        compare(
                "sorted",
                text(model.sortedKeys().toList()),
                text(cache.sortedKeys().toList()),
                differences);
        return String.join("\n", differences);
    }

    private static Map<String, String> without(Map<String, String> all, Map<String, String> others) {
        Map<String, String> rest = new LinkedHashMap<>(all);
        rest.entrySet().removeAll(others.entrySet());
        return rest;
    }

    private static void compare(String what, String expected, String actual, List<String> differences) {
        if (!expected.equals(actual)) {
            differences.add(what + ": expected " + expected + ", was " + actual);
        }
    }

    /** Waits until what was to expire within two milliseconds has. */
    static void waitForExpiry() {
        long end = System.currentTimeMillis() + 3;
        while (System.currentTimeMillis() < end) {
            Thread.onSpinWait();
        }
    }
}
