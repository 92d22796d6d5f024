package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import io.github.resilience4j.core.ConfigurationNotFoundException;
import io.github.resilience4j.core.registry.AbstractRegistry;
import io.github.resilience4j.core.registry.RegistryEventConsumer;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A registry of Resilience4j whose rate limiters are {@link SharedRateLimiter}s: whoever takes them by name, as annotations do, shares them with all
 * processes which open the directory.
 *
 * <pre>{@code
 * RateLimiterRegistry registry = SharedRateLimiterRegistry.of(cache, config);
 * RateLimiter backend = registry.rateLimiter("backend"); // of all processes
 *
 * // Spring Boot: the starter's bean steps aside for this one, and @RateLimiter(name = "backend") is one limit for all JVMs
 * @Bean
 * RateLimiterRegistry rateLimiterRegistry(Cache cache, RegistryEventConsumer<RateLimiter> consumer) {
 *     return SharedRateLimiterRegistry.of(cache, Map.of("default", config), List.of(consumer), Map.of());
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> The registry is an object of this process, with its configurations, tags and event consumers, as the stock one is. Meters
 * that are bound to it belong to the shared instances, also to one that is put in by {@code replace}. Rate limiters have
 * fixed periods, or are smooth if the registry was made by {@link #smooth}.
 *
 * <p><b>Blocking and thread safety.</b> An instance is read from the directory, or stored there, when its name is asked for the first time. Any
 * thread may use a registry at any time.
 *
 * <p><b>Errors.</b> As of {@link SharedRateLimiter}, when its name is asked for the first time. An unknown name of a configuration: {@link
 * ConfigurationNotFoundException}.
 *
 * <p><b>Source.</b> Resilience4j's {@code InMemoryRateLimiterRegistry}.
 */
public final class SharedRateLimiterRegistry extends AbstractRegistry<RateLimiter, RateLimiterConfig>
        implements RateLimiterRegistry {
    private final Cache cache;
    private final boolean smooth;

    private SharedRateLimiterRegistry(
            Cache cache,
            Map<String, RateLimiterConfig> configs,
            List<RegistryEventConsumer<RateLimiter>> consumers,
            Map<String, String> tags,
            boolean smooth) {
        super(configs.getOrDefault(DEFAULT_CONFIG, RateLimiterConfig.ofDefaults()), consumers, tags);
        this.cache = Objects.requireNonNull(cache, "cache");
        this.smooth = smooth;
        configurations.putAll(configs);
    }

    /**
     * A registry.
     *
     * @param cache the directory that the rate limiters live in
     * @param defaultConfig the configuration of those that are made without one
     * @return the registry
     */
    public static SharedRateLimiterRegistry of(Cache cache, RateLimiterConfig defaultConfig) {
        return of(cache, Map.of(DEFAULT_CONFIG, defaultConfig), List.of(), Map.of());
    }

    /**
     * A registry with several configurations, that tells of what it makes.
     *
     * @param cache the directory that the rate limiters live in
     * @param configs configurations by their names; the one of the name {@code default} is that of those that are made without one
     * @param consumers who is told, such as what binds meters
     * @param tags of all rate limiters
     * @return the registry
     */
    public static SharedRateLimiterRegistry of(
            Cache cache,
            Map<String, RateLimiterConfig> configs,
            List<RegistryEventConsumer<RateLimiter>> consumers,
            Map<String, String> tags) {
        return new SharedRateLimiterRegistry(cache, configs, consumers, tags, false);
    }

    /**
     * A registry whose rate limiters are smooth, as {@link SharedRateLimiter.Builder#smooth()} makes them.
     *
     * @param cache the directory that the rate limiters live in
     * @param configs configurations by their names; the one of the name {@code default} is that of those that are made without one
     * @param consumers who is told, such as what binds meters
     * @param tags of all rate limiters
     * @return the registry
     */
    public static SharedRateLimiterRegistry smooth(
            Cache cache,
            Map<String, RateLimiterConfig> configs,
            List<RegistryEventConsumer<RateLimiter>> consumers,
            Map<String, String> tags) {
        return new SharedRateLimiterRegistry(cache, configs, consumers, tags, true);
    }

    @Override
    public Set<RateLimiter> getAllRateLimiters() {
        return new HashSet<>(entryMap.values());
    }

    @Override
    public RateLimiter rateLimiter(String name) {
        return rateLimiter(name, getDefaultConfig());
    }

    @Override
    public RateLimiter rateLimiter(String name, Map<String, String> tags) {
        return rateLimiter(name, getDefaultConfig(), tags);
    }

    @Override
    public RateLimiter rateLimiter(String name, RateLimiterConfig config) {
        return rateLimiter(name, config, Map.of());
    }

    @Override
    public RateLimiter rateLimiter(String name, RateLimiterConfig config, Map<String, String> tags) {
        return rateLimiter(name, () -> config, tags);
    }

    @Override
    public RateLimiter rateLimiter(String name, Supplier<RateLimiterConfig> configSupplier) {
        return rateLimiter(name, configSupplier, Map.of());
    }

    @Override
    public RateLimiter rateLimiter(String name, Supplier<RateLimiterConfig> configSupplier, Map<String, String> tags) {
        Objects.requireNonNull(configSupplier, SUPPLIER_MUST_NOT_BE_NULL);
        return computeIfAbsent(
                name,
                () -> make(
                        name, Objects.requireNonNull(configSupplier.get(), CONFIG_MUST_NOT_BE_NULL), getAllTags(tags)));
    }

    @Override
    public RateLimiter rateLimiter(String name, String configName) {
        return rateLimiter(name, configName, Map.of());
    }

    @Override
    public RateLimiter rateLimiter(String name, String configName, Map<String, String> tags) {
        return rateLimiter(
                name,
                () -> getConfiguration(configName).orElseThrow(() -> new ConfigurationNotFoundException(configName)),
                tags);
    }

    private RateLimiter make(String name, RateLimiterConfig config, Map<String, String> tags) {
        SharedRateLimiter.Builder builder =
                SharedRateLimiter.builder(cache, name, config).tags(tags);
        return (smooth ? builder.smooth() : builder).build();
    }
}
