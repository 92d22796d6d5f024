package dev.latchkey.benchmark;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;

/** Redis with Jedis, a connection for each thread. */
final class JedisSubject extends Subject {
    private final ThreadLocal<Jedis> connection;

    JedisSubject(int port) {
        connection = ThreadLocal.withInitial(() -> new Jedis("127.0.0.1", port));
    }

    @Override
    void set(String key, String value) {
        connection.get().set(key, value);
    }

    @Override
    @Nullable
    String get(String key) {
        return connection.get().get(key);
    }

    @Override
    void setAll(Map<String, String> entries) {
        connection
                .get()
                .mset(entries.entrySet().stream()
                        .flatMap(entry -> java.util.stream.Stream.of(entry.getKey(), entry.getValue()))
                        .toArray(String[]::new));
    }

    @Override
    void setBytes(String key, byte[] value) {
        connection.get().set(key.getBytes(UTF_8), value);
    }

    @Override
    byte @Nullable [] getBytes(String key) {
        return connection.get().get(key.getBytes(UTF_8));
    }

    @Override
    void offer(String value) {
        connection.get().rpush("deque", value);
    }

    @Override
    @Nullable
    String poll() {
        return connection.get().lpop("deque");
    }

    @Override
    String take() {
        List<String> taken = connection.get().blpop(0, "deque");
        return taken.get(1);
    }

    @Override
    String settings() {
        return "save '" + connection.get().configGet("save").get("save") + "', appendonly "
                + connection.get().configGet("appendonly").get("appendonly");
    }
}
