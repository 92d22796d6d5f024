package dev.latchkey.coordination.resilience4j;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.core.Registry;
import java.util.Map;
import java.util.Set;

abstract class BulkheadRegistryContract extends RegistryContract<Bulkhead, BulkheadConfig> {
    @Override
    BulkheadConfig config(int number) {
        return BulkheadConfig.custom().maxConcurrentCalls(number).build();
    }

    @Override
    int number(Bulkhead instance) {
        return instance.getBulkheadConfig().getMaxConcurrentCalls();
    }

    @Override
    String nameOf(Bulkhead instance) {
        return instance.getName();
    }

    @Override
    Map<String, String> tagsOf(Bulkhead instance) {
        return instance.getTags();
    }

    @Override
    Set<Bulkhead> all(Registry<Bulkhead, BulkheadConfig> registry) {
        return ofKind(registry).getAllBulkheads();
    }

    @Override
    Bulkhead get(Registry<Bulkhead, BulkheadConfig> registry, String name) {
        return ofKind(registry).bulkhead(name);
    }

    @Override
    Bulkhead get(Registry<Bulkhead, BulkheadConfig> registry, String name, Map<String, String> tags) {
        return ofKind(registry).bulkhead(name, tags);
    }

    @Override
    Bulkhead getOf(Registry<Bulkhead, BulkheadConfig> registry, String name, BulkheadConfig config) {
        return ofKind(registry).bulkhead(name, config);
    }

    @Override
    Bulkhead getSupplied(Registry<Bulkhead, BulkheadConfig> registry, String name, BulkheadConfig config) {
        return ofKind(registry).bulkhead(name, () -> config);
    }

    @Override
    Bulkhead getNamed(Registry<Bulkhead, BulkheadConfig> registry, String name, String configName) {
        return ofKind(registry).bulkhead(name, configName);
    }

    private static BulkheadRegistry ofKind(Registry<Bulkhead, BulkheadConfig> registry) {
        return (BulkheadRegistry) registry;
    }
}
