package dev.latchkey.benchmark;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RBatch;
import org.redisson.api.RBlockingDeque;
import org.redisson.api.RRateLimiter;
import org.redisson.api.RateType;
import org.redisson.api.RedissonClient;
import org.redisson.api.redisnode.RedisMaster;
import org.redisson.api.redisnode.RedisNodes;
import org.redisson.client.codec.StringCodec;
import org.redisson.config.Config;

/** Redis with Redisson. */
final class RedissonSubject extends Subject {
    private final RedissonClient redisson;
    private final RBlockingDeque<String> deque;
    private volatile @Nullable RRateLimiter limiter;

    RedissonSubject(int port) {
        Config config = new Config();
        config.setCodec(StringCodec.INSTANCE);
        config.useSingleServer().setAddress("redis://127.0.0.1:" + port);
        redisson = Redisson.create(config);
        deque = redisson.getBlockingDeque("deque");
    }

    @Override
    void set(String key, String value) {
        redisson.<String>getBucket(key).set(value);
    }

    @Override
    @Nullable
    String get(String key) {
        return redisson.<String>getBucket(key).get();
    }

    @Override
    void setAll(Map<String, String> entries) {
        RBatch batch = redisson.createBatch();
        entries.forEach((key, value) -> {
            var unused = batch.<String>getBucket(key).setAsync(value);
        });
        batch.execute();
    }

    @Override
    Future<?> setLater(String key, String value) {
        return redisson.<String>getBucket(key).setAsync(value).toCompletableFuture();
    }

    @Override
    @SuppressWarnings("LockNotBeforeTry") // another command releases it
    void acquire(String name) {
        redisson.getLock(name).lock();
    }

    @Override
    void release(String name) {
        redisson.getLock(name).unlock();
    }

    @Override
    void offer(String value) {
        deque.addLast(value);
    }

    @Override
    @Nullable
    String poll() {
        return deque.poll();
    }

    @Override
    String take() throws InterruptedException {
        return deque.take();
    }

    @Override
    String settings() {
        RedisMaster server = redisson.getRedisNodes(RedisNodes.SINGLE).getInstance();
        return "save '" + server.getConfig("save").get("save") + "', appendonly "
                + server.getConfig("appendonly").get("appendonly");
    }

    @Override
    void pass(int perSecond) {
        RRateLimiter limit = limiter;
        if (limit == null) {
            limit = redisson.getRateLimiter("limiter");
            limit.trySetRate(RateType.OVERALL, 1, Duration.ofSeconds(1).dividedBy(perSecond));
            limiter = limit;
        }
        limit.acquire();
    }
}
