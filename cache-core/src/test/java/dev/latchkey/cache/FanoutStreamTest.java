package dev.latchkey.cache;

import java.nio.file.Path;
import java.util.List;

/** The cache in shards: streams in and out. */
class FanoutStreamTest extends StreamContract {
    @Override
    FanoutCacheBuilder builder(Path path) {
        return FanoutFixture.builder(path);
    }

    @Override
    List<Object> inOrderOfInsertion(List<Object> inserted) {
        return FanoutFixture.inOrderOfInsertion(inserted);
    }
}
