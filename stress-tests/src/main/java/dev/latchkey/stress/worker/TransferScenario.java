package dev.latchkey.stress.worker;

import dev.latchkey.stress.check.AccountValue;
import dev.latchkey.stress.worker.Actor.Failed;
import java.util.OptionalLong;

/**
 * Money moves between accounts whose values are so large that they lie in files: no sum changes, no reader finds an account
 * missing or half written.
 */
public final class TransferScenario implements Scenario {
    private static final int ACCOUNTS = 5;
    private static final long START = 1_000;
    private static final int PADDING = 33_000;
    /** What all accounts together have, at any time. */
    public static final long SUM = ACCOUNTS * START;

    @Override
    public void prepare(Actor actor) {
        for (int i = 0; i < ACCOUNTS; i++) {
            set(actor, "account-" + i, START);
        }
    }

    private static void set(Actor actor, String account, long balance) {
        actor.cache()
                .set(
                        account,
                        AccountValue.encode(balance, PADDING, actor.random().nextLong()));
    }

    private static long balance(Actor actor, String account) throws Failed {
        byte[] value = actor.cache().get(account, byte[].class);
        OptionalLong balance = value == null ? OptionalLong.empty() : AccountValue.decode(value);
        if (balance.isEmpty()) {
            throw new Failed(value == null ? "missing" : "damaged");
        }
        return balance.getAsLong();
    }

    @Override
    public void step(Actor actor) {
        String from = "account-" + actor.random().nextInt(ACCOUNTS);
        String to = "account-" + actor.random().nextInt(ACCOUNTS);
        switch (actor.random().nextInt(4)) {
            case 0 -> audit(actor);
            case 1 -> read(actor, from);
            default -> transfer(actor, from, to, 1 + actor.random().nextInt(10));
        }
    }

    private static void transfer(Actor actor, String from, String to, long amount) {
        boolean changesItsMind = actor.oneIn(10);
        actor.attempt(
                "transfer",
                () -> {
                    try {
                        return actor.cache().transact(() -> move(actor, from, to, amount, changesItsMind));
                    } catch (ChangedMind e) {
                        throw new Failed("changed_mind");
                    }
                },
                from,
                to,
                amount);
    }

    private static String move(Actor actor, String from, String to, long amount, boolean changesItsMind) {
        set(actor, from, known(actor, from) - amount);
        set(actor, to, known(actor, to) + amount);
        if (changesItsMind) {
            throw new ChangedMind();
        }
        return Actor.DONE;
    }

    private static long known(Actor actor, String account) {
        try {
            return balance(actor, account);
        } catch (Failed e) {
            throw new IllegalStateException(account + " is " + e.getMessage());
        }
    }

    private static void audit(Actor actor) {
        actor.attempt("audit", () -> actor.cache().transact(() -> {
            long sum = 0;
            for (int i = 0; i < ACCOUNTS; i++) {
                sum += known(actor, "account-" + i);
            }
            return sum;
        }));
    }

    private static void read(Actor actor, String account) {
        actor.attempt(
                "read",
                () -> {
                    try {
                        return String.valueOf(balance(actor, account));
                    } catch (Failed e) {
                        return String.valueOf(e.getMessage());
                    }
                },
                account);
    }

    @Override
    public void drain(Actor actor) {
        audit(actor);
    }
}
