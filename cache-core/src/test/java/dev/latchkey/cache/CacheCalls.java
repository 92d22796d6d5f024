package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/** One call, or several, of each method of {@link Cache}. */
@SuppressWarnings({"NullAway", "DataFlowIssue"}) // some pass null on purpose
final class CacheCalls {
    private static final EntryOptions NONE = EntryOptions.none();
    private static final TypeToken<List<String>> LIST = new TypeToken<>() {};

    private CacheCalls() {}

    private static InputStream stream() {
        return new ByteArrayInputStream(new byte[10]);
    }

    /** Those that change something, by the name of the method; there is an entry "a" that is text, and an item in the queue "q". */
    static Map<String, List<Consumer<Cache>>> writing() {
        Map<String, List<Consumer<Cache>>> calls = new LinkedHashMap<>();
        calls.put("set", List.of(c -> c.set("n", 1), c -> c.set("n", new byte[50_000], NONE)));
        calls.put("setAll", List.of(c -> c.setAll(Map.of("n", 1)), c -> c.setAll(Map.of("n", 1), NONE)));
        calls.put("add", List.of(c -> c.add("n", 1), c -> c.add("n", 1, NONE)));
        calls.put(
                "incr", List.of(c -> c.incr("n"), c -> c.incr("n", 1), c -> c.incr("n", 1, 1), c -> c.incr("n", 1.5)));
        calls.put("decr", List.of(c -> c.decr("n"), c -> c.decr("n", 1), c -> c.decr("n", 1, 1)));
        calls.put("touch", List.of(c -> c.touch("a", Duration.ofHours(1))));
        calls.put("persist", List.of(c -> c.persist("a")));
        calls.put("delete", List.of(c -> c.delete("a")));
        calls.put("pop", List.of(c -> c.pop("a", String.class), c -> c.pop("a", TypeToken.of(String.class))));
        calls.put(
                "popEntry",
                List.of(c -> c.popEntry("a", String.class), c -> c.popEntry("a", TypeToken.of(String.class))));
        calls.put("write", List.of(c -> c.write("n", stream()), c -> c.write("n", stream(), NONE)));
        calls.put(
                "push",
                List.of(
                        c -> c.push(1),
                        c -> c.push(1, "q", Side.FRONT, NONE),
                        c -> c.push(stream(), null, Side.BACK, NONE)));
        calls.put(
                "pull",
                List.of(
                        c -> c.pull("q", Side.FRONT, String.class),
                        c -> c.pull("q", Side.BACK, TypeToken.of(String.class))));
        calls.put("expire", List.of(Cache::expire));
        calls.put("evict", List.of(c -> c.evict("t")));
        calls.put("cull", List.of(Cache::cull));
        calls.put("clear", List.of(Cache::clear));
        calls.put("resetStats", List.of(Cache::resetStats));
        calls.put("alter", List.of(c -> c.alter(Setting.CULL_LIMIT, 5)));
        calls.put("createTagIndex", List.of(Cache::createTagIndex));
        calls.put("dropTagIndex", List.of(Cache::dropTagIndex));
        return calls;
    }

    /** Those that change nothing, by the name of the method. */
    static Map<String, List<Consumer<Cache>>> reading() {
        Map<String, List<Consumer<Cache>>> calls = new LinkedHashMap<>();
        calls.put("get", List.of(c -> c.get("a"), c -> c.get("a", String.class), c -> c.get("l", LIST)));
        calls.put("getOrDefault", List.of(c -> c.getOrDefault("a", String.class, "b")));
        calls.put("getAll", List.of(c -> c.getAll(List.of("a"), String.class), c -> c.getAll(List.of("l"), LIST)));
        calls.put("entry", List.of(c -> c.entry("a", String.class), c -> c.entry("l", LIST)));
        calls.put("async", List.of(Cache::async));
        calls.put("addListener", List.of(c -> c.addListener(new CacheListener() {})));
        calls.put("containsKey", List.of(c -> c.containsKey("a")));
        calls.put("read", List.of(c -> close(c.read("a"))));
        calls.put(
                "peek",
                List.of(
                        c -> c.peek("q", Side.FRONT, String.class),
                        c -> c.peek("q", Side.BACK, TypeToken.of(String.class))));
        calls.put(
                "peekItem",
                List.of(
                        c -> c.peekItem(Side.FRONT, String.class),
                        c -> c.peekItem(Side.FRONT, TypeToken.of(String.class))));
        calls.put("keys", List.of(c -> c.keys().forEach(key -> {})));
        calls.put("keysReversed", List.of(c -> c.keysReversed().forEach(key -> {})));
        calls.put("sortedKeys", List.of(c -> c.sortedKeys().forEach(key -> {})));
        calls.put("sortedKeysReversed", List.of(c -> c.sortedKeysReversed().forEach(key -> {})));
        calls.put("keysByTag", List.of(c -> c.keysByTag("t").forEach(key -> {})));
        calls.put("check", List.of(c -> c.check(false)));
        calls.put("stats", List.of(Cache::stats));
        calls.put("volume", List.of(Cache::volume));
        calls.put("size", List.of(Cache::size));
        calls.put("settings", List.of(Cache::settings));
        return calls;
    }

    private static void close(InputStream in) {
        try {
            in.close();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Each with one argument that is null and must not be. */
    static List<Consumer<Cache>> withNull() {
        List<Consumer<Cache>> calls = new ArrayList<>();
        Map<Object, Object> nullValue = Collections.singletonMap("a", null);
        Map<Object, Object> nullKey = Collections.singletonMap(null, 1);
        Duration time = Duration.ofHours(1);
        calls.addAll(List.of(
                c -> c.set(null, 1),
                c -> c.set("a", null),
                c -> c.set("a", 1, null),
                c -> c.setAll(null),
                c -> c.setAll(Map.of(), null),
                c -> c.setAll(nullValue),
                c -> c.setAll(nullKey),
                c -> c.add(null, 1),
                c -> c.add("a", null),
                c -> c.add("a", 1, null),
                c -> c.incr(null),
                c -> c.incr(null, 1.5),
                c -> c.decr(null),
                c -> c.touch(null, time),
                c -> c.touch("a", null),
                c -> c.persist(null),
                c -> c.delete(null)));
        calls.addAll(List.of(
                c -> c.pop(null, String.class),
                c -> c.pop("a", (Class<String>) null),
                c -> c.pop("a", (TypeToken<String>) null),
                c -> c.popEntry(null, String.class),
                c -> c.popEntry("a", (Class<String>) null),
                c -> c.popEntry("a", (TypeToken<String>) null),
                c -> c.write(null, stream()),
                c -> c.write("a", null),
                c -> c.write("a", stream(), null),
                c -> c.read(null),
                c -> c.get(null),
                c -> c.get(null, String.class),
                c -> c.get("a", (Class<String>) null),
                c -> c.get("a", (TypeToken<String>) null),
                c -> c.getOrDefault(null, String.class, "b"),
                c -> c.entry(null, String.class),
                c -> c.entry("a", (Class<String>) null),
                c -> c.entry("a", (TypeToken<String>) null)));
        calls.addAll(List.of(
                c -> c.getAll(null, String.class),
                c -> c.getAll(Arrays.asList("a", null), String.class),
                c -> c.getAll(List.of("a"), (Class<String>) null),
                c -> c.getAll(List.of("a"), (TypeToken<String>) null),
                c -> c.containsKey(null),
                c -> c.push(null),
                c -> c.push((Object) null, "q", Side.BACK, NONE),
                c -> c.push((InputStream) null, "q", Side.BACK, NONE),
                c -> c.push(1, "q", null, NONE),
                c -> c.push(1, "q", Side.BACK, null),
                c -> c.push(stream(), "q", null, NONE),
                c -> c.push(stream(), "q", Side.BACK, null)));
        calls.addAll(List.of(
                c -> c.pull("q", null, String.class),
                c -> c.pull("q", Side.BACK, (Class<String>) null),
                c -> c.pull("q", Side.BACK, (TypeToken<String>) null),
                c -> c.peek("q", null, String.class),
                c -> c.peek("q", Side.BACK, (Class<String>) null),
                c -> c.peek("q", Side.BACK, (TypeToken<String>) null),
                c -> c.peekItem(null, String.class),
                c -> c.peekItem(Side.BACK, (Class<String>) null),
                c -> c.peekItem(Side.BACK, (TypeToken<String>) null),
                c -> c.keysByTag(null),
                c -> c.evict(null),
                c -> c.alter(null, 1),
                c -> c.alter(Setting.CULL_LIMIT, null),
                c -> c.transact((Callable<String>) null),
                c -> c.transact((Runnable) null),
                c -> c.unwrap(null)));
        return calls;
    }
}
