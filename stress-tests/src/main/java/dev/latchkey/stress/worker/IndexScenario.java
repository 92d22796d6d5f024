package dev.latchkey.stress.worker;

import dev.latchkey.cache.Index;
import org.jspecify.annotations.Nullable;

/** The entries of an index are counted up by threads of many processes, by all methods that compute: none is left out. */
final class IndexScenario implements Scenario {
    private static final int KEYS = 3;

    @Override
    public void step(Actor actor) {
        String key = "counter-" + actor.random().nextInt(KEYS);
        count(actor, key);
        if (actor.oneIn(4)) {
            actor.attempt("get", () -> index(actor).getOrDefault(key, 0L), key);
        }
    }

    private static Index<String, Long> index(Actor actor) {
        return new Index<>(actor.cache(), String.class, Long.class);
    }

    private static void count(Actor actor, String key) {
        int way = actor.random().nextInt(4);
        Long value = actor.attempt("incr", () -> count(index(actor), key, way), key, 1);
        if (value != null) {
            actor.referee().once(key, value);
        }
    }

    private static @Nullable Long count(Index<String, Long> index, String key, int way) {
        return switch (way) {
            case 0 -> index.compute(key, (same, old) -> old == null ? 1 : old + 1);
            case 1 -> index.merge(key, 1L, Long::sum);
            case 2 -> {
                Long present = index.computeIfPresent(key, (same, old) -> old + 1);
                yield present == null ? index.merge(key, 1L, Long::sum) : present;
            }
            default -> replace(index, key);
        };
    }

    /** Until nobody has been faster. */
    private static Long replace(Index<String, Long> index, String key) {
        while (true) {
            Long old = index.get(key);
            if (old == null ? index.putIfAbsent(key, 1L) == null : index.replace(key, old, old + 1)) {
                return old == null ? 1 : old + 1;
            }
        }
    }

    @Override
    public void drain(Actor actor) {
        for (int i = 0; i < KEYS; i++) {
            count(actor, "counter-" + i);
        }
    }
}
