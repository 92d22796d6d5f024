package dev.latchkey.stress.worker;

import dev.latchkey.cache.CacheException;
import dev.latchkey.coordination.MemoizeStampede;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Threads of many processes ask for few results. Those of the one memoizer expire all the time, those of another are computed anew before
 * they do, and those of the third are invalidated, often while they are computed.
 */
final class MemoizeScenario implements Scenario {
    private static final int KEYS = 2;
    private static final int LONGEST_MICROS = 8_000;

    /** The memoizers, by the end of their results. */
    private enum Kind {
        EXPIRED,
        RENEWED,
        INVALIDATED;

        MemoizeStampede memoizer(Actor actor) {
            MemoizeStampede.Builder builder = MemoizeStampede.builder(actor.cache(), name());
            return switch (this) {
                case EXPIRED ->
                    builder.expireAfter(Duration.ofMillis(30)).beta(0).build();
                case RENEWED ->
                    builder.expireAfter(Duration.ofMillis(60))
                            .staleFor(Duration.ofMillis(60))
                            .build();
                case INVALIDATED -> builder.build();
            };
        }
    }

    @Override
    public void step(Actor actor) {
        Kind kind = actor.oneIn(2) ? Kind.INVALIDATED : actor.oneIn(2) ? Kind.EXPIRED : Kind.RENEWED;
        int key = actor.random().nextInt(KEYS);
        if (kind == Kind.INVALIDATED && actor.oneIn(4)) {
            invalidate(actor, kind, key);
        } else {
            ask(actor, kind, key);
            actor.spend(actor.random().nextInt(3_000));
        }
    }

    private static String place(Kind kind, int key) {
        return kind + "-" + key;
    }

    /** The result of a computation is a number that no other has. */
    private static void ask(Actor actor, Kind kind, int key) {
        String place = place(kind, key);
        long number = actor.nextNumber();
        int micros = 1 + actor.random().nextInt(LONGEST_MICROS);
        actor.attempt(
                "ask",
                () -> {
                    Function<Integer, @Nullable Long> function = kind.memoizer(actor)
                            .wrap(Long.class, (Integer argument) -> {
                                actor.note("computing", place, number);
                                actor.reached("computing");
                                actor.spend(micros);
                                actor.note("computed", place, number);
                                return number;
                            });
                    return applied(function, key);
                },
                place);
    }

    private static @Nullable Long applied(Function<Integer, @Nullable Long> function, int key)
            throws InterruptedException {
        try {
            return function.apply(key);
        } catch (CacheException e) {
            if (e.getCause() instanceof InterruptedException interrupted) {
                throw interrupted;
            }
            throw e;
        }
    }

    private static void invalidate(Actor actor, Kind kind, int key) {
        actor.attempt(
                "invalidate",
                () -> {
                    boolean unused = kind.memoizer(actor).invalidate(key);
                    return Actor.DONE;
                },
                place(kind, key));
    }

    /** Ends what the dead were computing. */
    @Override
    public void drain(Actor actor) {
        for (Kind kind : Kind.values()) {
            for (int key = 0; key < KEYS; key++) {
                invalidate(actor, kind, key);
                ask(actor, kind, key);
            }
        }
    }
}
