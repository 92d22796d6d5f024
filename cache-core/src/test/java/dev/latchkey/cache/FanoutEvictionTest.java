package dev.latchkey.cache;

import java.nio.file.Path;
import java.util.List;

/** The cache in shards: what goes when there is no room. */
class FanoutEvictionTest extends EvictionContract {
    @Override
    FanoutCacheBuilder builder(Path path) {
        return FanoutFixture.builder(path);
    }

    @Override
    boolean mayLeaveEvictionForLater() {
        return true;
    }

    @Override
    List<Object> inOrderOfInsertion(List<Object> inserted) {
        return FanoutFixture.inOrderOfInsertion(inserted);
    }
}
