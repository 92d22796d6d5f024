package dev.latchkey.stress.worker;

/** Threads of many processes count the same numbers up: nobody sees a number twice, and none is left out. */
final class CounterScenario implements Scenario {
    private static final int KEYS = 3;

    @Override
    public void step(Actor actor) {
        String key = "counter-" + actor.random().nextInt(KEYS);
        count(actor, key);
        if (actor.oneIn(4)) {
            actor.attempt("get", () -> actor.cache().getOrDefault(key, Long.class, 0L), key);
        }
    }

    private static void count(Actor actor, String key) {
        boolean inTransaction = actor.oneIn(4);
        Long value = actor.attempt(
                "incr",
                () -> inTransaction
                        ? actor.cache().transact(() -> {
                            Long before = actor.cache().getOrDefault(key, Long.class, 0L);
                            actor.cache().set(key, before + 1);
                            return before + 1;
                        })
                        : Long.valueOf(actor.cache().incr(key, 1, 0)),
                key,
                1);
        if (value != null) {
            actor.referee().once(key, value);
        }
    }

    @Override
    public void drain(Actor actor) {
        for (int i = 0; i < KEYS; i++) {
            count(actor, "counter-" + i);
        }
    }
}
