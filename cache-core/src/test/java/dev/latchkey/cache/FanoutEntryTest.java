package dev.latchkey.cache;

import java.nio.file.Path;
import java.util.List;

/** The cache in shards: numbers, expiry and removal. */
class FanoutEntryTest extends EntryContract {
    @Override
    FanoutCacheBuilder builder(Path path) {
        return FanoutFixture.builder(path);
    }

    @Override
    List<Object> inOrderOfInsertion(List<Object> inserted) {
        return FanoutFixture.inOrderOfInsertion(inserted);
    }
}
