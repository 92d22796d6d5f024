package dev.latchkey.coordination.resilience4j;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.util.Map;

final class StockRateLimiterContractTest extends RateLimiterContract {
    @Override
    RateLimiter limiter(RateLimiterConfig config, Map<String, String> tags) {
        return RateLimiter.of("backend", config, tags);
    }
}
