package dev.latchkey.cache;

import java.nio.file.Path;
import java.util.List;

/** The cache in shards: indexes over all shards. */
class FanoutIndexTest extends IndexContract {
    @Override
    FanoutCacheBuilder builder(Path path) {
        return FanoutFixture.builder(path);
    }

    @Override
    List<Object> inOrderOfInsertion(List<Object> inserted) {
        return FanoutFixture.inOrderOfInsertion(inserted);
    }
}
