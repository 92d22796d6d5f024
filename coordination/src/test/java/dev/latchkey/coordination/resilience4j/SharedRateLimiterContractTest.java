package dev.latchkey.coordination.resilience4j;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.util.Map;

final class SharedRateLimiterContractTest extends RateLimiterContract {
    @Override
    RateLimiter limiter(RateLimiterConfig config, Map<String, String> tags) {
        return SharedRateLimiter.builder(cache, "backend", config).tags(tags).build();
    }
}
