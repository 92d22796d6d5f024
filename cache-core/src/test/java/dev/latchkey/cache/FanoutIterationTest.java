package dev.latchkey.cache;

import java.nio.file.Path;
import java.util.List;

/** The cache in shards: streams of keys. */
class FanoutIterationTest extends IterationContract {
    @Override
    FanoutCacheBuilder builder(Path path) {
        return FanoutFixture.builder(path);
    }

    @Override
    List<Object> inOrderOfInsertion(List<Object> inserted) {
        return FanoutFixture.inOrderOfInsertion(inserted);
    }
}
