package dev.latchkey.coordination.resilience4j;

import io.github.resilience4j.core.Registry;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import java.util.Map;
import java.util.Set;

abstract class RateLimiterRegistryContract extends RegistryContract<RateLimiter, RateLimiterConfig> {
    @Override
    RateLimiterConfig config(int number) {
        return RateLimiterConfig.custom().limitForPeriod(number).build();
    }

    @Override
    int number(RateLimiter instance) {
        return instance.getRateLimiterConfig().getLimitForPeriod();
    }

    @Override
    String nameOf(RateLimiter instance) {
        return instance.getName();
    }

    @Override
    Map<String, String> tagsOf(RateLimiter instance) {
        return instance.getTags();
    }

    @Override
    Set<RateLimiter> all(Registry<RateLimiter, RateLimiterConfig> registry) {
        return ofKind(registry).getAllRateLimiters();
    }

    @Override
    RateLimiter get(Registry<RateLimiter, RateLimiterConfig> registry, String name) {
        return ofKind(registry).rateLimiter(name);
    }

    @Override
    RateLimiter get(Registry<RateLimiter, RateLimiterConfig> registry, String name, Map<String, String> tags) {
        return ofKind(registry).rateLimiter(name, tags);
    }

    @Override
    RateLimiter getOf(Registry<RateLimiter, RateLimiterConfig> registry, String name, RateLimiterConfig config) {
        return ofKind(registry).rateLimiter(name, config);
    }

    @Override
    RateLimiter getSupplied(Registry<RateLimiter, RateLimiterConfig> registry, String name, RateLimiterConfig config) {
        return ofKind(registry).rateLimiter(name, () -> config);
    }

    @Override
    RateLimiter getNamed(Registry<RateLimiter, RateLimiterConfig> registry, String name, String configName) {
        return ofKind(registry).rateLimiter(name, configName);
    }

    private static RateLimiterRegistry ofKind(Registry<RateLimiter, RateLimiterConfig> registry) {
        return (RateLimiterRegistry) registry;
    }
}
