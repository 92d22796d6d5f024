package dev.latchkey.coordination.resilience4j;

import io.github.resilience4j.core.Registry;
import io.github.resilience4j.core.registry.RegistryEventConsumer;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.internal.InMemoryRateLimiterRegistry;
import java.util.List;
import java.util.Map;

final class StockRateLimiterRegistryContractTest extends RateLimiterRegistryContract {
    @Override
    Registry<RateLimiter, RateLimiterConfig> registry(
            Map<String, RateLimiterConfig> configs,
            List<RegistryEventConsumer<RateLimiter>> consumers,
            Map<String, String> tags) {
        return new InMemoryRateLimiterRegistry(configs, consumers, tags);
    }
}
