package dev.latchkey.cache.sqlite;

import com.google.common.math.LongMath;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The shards of one directory that this process has open. The first one has the session and the hints of all of them; what is
 * the limit of each in a {@link Settings} is that of all together.
 */
final class Family {
    private final int wanted;
    private final Map<Engine, Settings> stored = new HashMap<>();
    private volatile @Nullable Engine first;
    private volatile List<Engine> members = List.of();

    /** The argument is stored if the first shard is created now. */
    Family(int wanted) {
        this.wanted = wanted;
    }

    int wanted() {
        return wanted;
    }

    /** Whether the engine that is being opened is the first one. */
    boolean isNew() {
        return first == null;
    }

    /** The first engine to be opened is the first one. */
    void opened(Engine engine, Settings settings) {
        if (isNew()) {
            first = engine;
        }
        loaded(engine, settings);
    }

    Engine first() {
        return Objects.requireNonNull(first);
    }

    boolean isFirst(Engine engine) {
        return engine.equals(first);
    }

    /** In their order; none until all are open. */
    List<Engine> members() {
        return members;
    }

    /** From now on they are one. */
    synchronized void unite(List<Engine> all) {
        members = List.copyOf(all);
        stored.keySet().retainAll(members);
        obeyLimit();
    }

    /** What a shard has stored; its part of the limit counts with the parts of the others. */
    synchronized void loaded(Engine engine, Settings settings) {
        stored.put(engine, settings);
        obeyLimit();
    }

    private void obeyLimit() {
        long limit = limit();
        stored.forEach((engine, settings) -> engine.obey(settings.withSizeLimit(limit)));
    }

    /** While some are missing there is none. */
    private long limit() {
        if (members.isEmpty() || !stored.keySet().containsAll(members)) {
            return Long.MAX_VALUE;
        }
        return members.stream()
                .mapToLong(member -> Objects.requireNonNull(stored.get(member)).sizeLimit())
                .reduce(0, LongMath::saturatedAdd);
    }
}
