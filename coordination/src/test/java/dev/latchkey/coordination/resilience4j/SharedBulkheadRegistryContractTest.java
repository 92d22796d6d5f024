package dev.latchkey.coordination.resilience4j;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.core.Registry;
import io.github.resilience4j.core.registry.RegistryEventConsumer;
import java.util.List;
import java.util.Map;

final class SharedBulkheadRegistryContractTest extends BulkheadRegistryContract {
    @Override
    Registry<Bulkhead, BulkheadConfig> registry(
            Map<String, BulkheadConfig> configs,
            List<RegistryEventConsumer<Bulkhead>> consumers,
            Map<String, String> tags) {
        return SharedBulkheadRegistry.of(cache, configs, consumers, tags);
    }
}
