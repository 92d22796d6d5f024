package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.core.ConfigurationNotFoundException;
import io.github.resilience4j.core.registry.AbstractRegistry;
import io.github.resilience4j.core.registry.RegistryEventConsumer;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A registry of Resilience4j whose bulkheads are {@link SharedBulkhead}s: whoever takes them by name, as annotations do, shares them with all
 * processes which open the directory.
 *
 * <pre>{@code
 * BulkheadRegistry registry = SharedBulkheadRegistry.of(cache, config);
 * Bulkhead backend = registry.bulkhead("backend"); // of all processes
 *
 * // Spring Boot: the starter's bean steps aside for this one, and @Bulkhead(name = "backend") counts in all JVMs
 * @Bean
 * BulkheadRegistry bulkheadRegistry(Cache cache, RegistryEventConsumer<Bulkhead> consumer) {
 *     return SharedBulkheadRegistry.of(cache, Map.of("default", config), List.of(consumer), Map.of());
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> The registry is an object of this process, with its configurations, tags and event consumers, as the stock one is. Meters
 * that are bound to it belong to the shared instances, also to one that is put in by {@code replace}.
 *
 * <p><b>Blocking and thread safety.</b> An instance is read from the directory, or stored there, when its name is asked for the first time. Any
 * thread may use a registry at any time.
 *
 * <p><b>Errors.</b> As of {@link SharedBulkhead}, when its name is asked for the first time. An unknown name of a configuration: {@link
 * ConfigurationNotFoundException}.
 *
 * <p><b>Source.</b> Resilience4j's {@code InMemoryBulkheadRegistry}.
 */
public final class SharedBulkheadRegistry extends AbstractRegistry<Bulkhead, BulkheadConfig>
        implements BulkheadRegistry {
    private final Cache cache;

    private SharedBulkheadRegistry(
            Cache cache,
            Map<String, BulkheadConfig> configs,
            List<RegistryEventConsumer<Bulkhead>> consumers,
            Map<String, String> tags) {
        super(configs.getOrDefault(DEFAULT_CONFIG, BulkheadConfig.ofDefaults()), consumers, tags);
        this.cache = Objects.requireNonNull(cache, "cache");
        configurations.putAll(configs);
    }

    /**
     * A registry.
     *
     * @param cache the directory that the bulkheads live in
     * @param defaultConfig the configuration of those that are made without one
     * @return the registry
     */
    public static SharedBulkheadRegistry of(Cache cache, BulkheadConfig defaultConfig) {
        return of(cache, Map.of(DEFAULT_CONFIG, defaultConfig), List.of(), Map.of());
    }

    /**
     * A registry with several configurations, that tells of what it makes.
     *
     * @param cache the directory that the bulkheads live in
     * @param configs configurations by their names; the one of the name {@code default} is that of those that are made without one
     * @param consumers who is told, such as what binds meters
     * @param tags of all bulkheads
     * @return the registry
     */
    public static SharedBulkheadRegistry of(
            Cache cache,
            Map<String, BulkheadConfig> configs,
            List<RegistryEventConsumer<Bulkhead>> consumers,
            Map<String, String> tags) {
        return new SharedBulkheadRegistry(cache, configs, consumers, tags);
    }

    @Override
    public Set<Bulkhead> getAllBulkheads() {
        return new HashSet<>(entryMap.values());
    }

    @Override
    public Bulkhead bulkhead(String name) {
        return bulkhead(name, getDefaultConfig());
    }

    @Override
    public Bulkhead bulkhead(String name, Map<String, String> tags) {
        return bulkhead(name, getDefaultConfig(), tags);
    }

    @Override
    public Bulkhead bulkhead(String name, BulkheadConfig config) {
        return bulkhead(name, config, Map.of());
    }

    @Override
    public Bulkhead bulkhead(String name, BulkheadConfig config, Map<String, String> tags) {
        return bulkhead(name, () -> config, tags);
    }

    @Override
    public Bulkhead bulkhead(String name, Supplier<BulkheadConfig> configSupplier) {
        return bulkhead(name, configSupplier, Map.of());
    }

    @Override
    public Bulkhead bulkhead(String name, Supplier<BulkheadConfig> configSupplier, Map<String, String> tags) {
        Objects.requireNonNull(configSupplier, SUPPLIER_MUST_NOT_BE_NULL);
        return computeIfAbsent(
                name,
                () -> make(
                        name, Objects.requireNonNull(configSupplier.get(), CONFIG_MUST_NOT_BE_NULL), getAllTags(tags)));
    }

    @Override
    public Bulkhead bulkhead(String name, String configName) {
        return bulkhead(name, configName, Map.of());
    }

    @Override
    public Bulkhead bulkhead(String name, String configName, Map<String, String> tags) {
        return bulkhead(
                name,
                () -> getConfiguration(configName).orElseThrow(() -> new ConfigurationNotFoundException(configName)),
                tags);
    }

    private Bulkhead make(String name, BulkheadConfig config, Map<String, String> tags) {
        return SharedBulkhead.of(cache, name, config, tags);
    }
}
