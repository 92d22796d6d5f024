package dev.latchkey.cache;

import java.nio.file.Path;
import java.util.List;

/** The cache in shards: deques, each in the shard of its name. */
class FanoutDequeTest extends DequeContract {
    @Override
    FanoutCacheBuilder builder(Path path) {
        return FanoutFixture.builder(path);
    }

    @Override
    List<Object> inOrderOfInsertion(List<Object> inserted) {
        return FanoutFixture.inOrderOfInsertion(inserted);
    }
}
