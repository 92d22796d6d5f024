package dev.latchkey.cache;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** The cache in shards: calls on other threads. */
class FanoutAsyncTest extends AsyncContract {
    @Override
    FanoutCacheBuilder builder(Path path) {
        return FanoutFixture.builder(path);
    }

    @Override
    List<Path> databases() {
        return IntStream.range(0, FanoutFixture.SHARDS)
                .mapToObj(shard ->
                        cache.directory().resolve("%03d".formatted(shard)).resolve("cache.db"))
                .toList();
    }

    @Override
    List<Object> inOrderOfInsertion(List<Object> inserted) {
        return FanoutFixture.inOrderOfInsertion(inserted);
    }
}
