package dev.latchkey.coordination.resilience4j;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.util.Map;

final class SharedBulkheadContractTest extends BulkheadContract {
    @Override
    Bulkhead bulkhead(BulkheadConfig config, Map<String, String> tags) {
        return SharedBulkhead.of(cache, "backend", config, tags);
    }
}
