package dev.latchkey.coordination;

import dev.latchkey.cache.spi.Decision;
import dev.latchkey.cache.spi.State;
import dev.latchkey.coordination.ThrottleState.Answer;
import dev.latchkey.coordination.ThrottleState.Ask;
import dev.latchkey.coordination.ThrottleState.Reading;
import dev.latchkey.coordination.ThrottleState.Slot;
import dev.latchkey.coordination.ThrottleState.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** One throttle and what is asked of it, one after another: no clock, no database, no thread. */
final class ThrottleTimeline {
    /** When it begins; all other instants are counted from here. */
    static final long START = 1_000_000_000_000L;

    final ThrottleRate rate;
    State row = State.absent(ThrottleState.KIND, "t", 0);
    long nanos = START;
    long wallMillis = 1_700_000_000_000L;
    String boot = "boot-1";

    ThrottleTimeline(ThrottleRate rate) {
        this.rate = rate;
        var unused = apply(ThrottleState.found(row, rate, now()));
    }

    static ThrottleTimeline of(long count, Duration period) {
        return new ThrottleTimeline(ThrottleRate.of(count, period));
    }

    static ThrottleTimeline of(long count, Duration period, long burst) {
        return new ThrottleTimeline(ThrottleRate.of(count, period).withBurst(burst));
    }

    Reading now() {
        return new Reading(nanos, wallMillis, boot);
    }

    void pass(long passedNanos) {
        nanos += passedNanos;
        wallMillis += passedNanos / 1_000_000;
    }

    /** The host clock begins anew. */
    void reboot(long offMillis) {
        boot = boot + "'";
        nanos = 7_000_000_000L;
        wallMillis += offMillis;
    }

    <R> R apply(Decision<R> decision) {
        if (decision.changes(row)) {
            row = decision.next().withVersion(row.version() + 1);
        }
        return decision.result();
    }

    List<Answer> asks(boolean mayBeFar, Ask... asks) {
        return apply(ThrottleState.reserve(row, rate, List.of(asks), mayBeFar, now()));
    }

    /** Reserves, however far ahead that is; the slot. */
    Slot reserve(long permits) {
        Answer answer = asks(true, Ask.ever(permits)).get(0);
        if (!answer.isGranted()) {
            throw new IllegalStateException(answer.toString());
        }
        return answer.slot();
    }

    /** The slot, counted from the start. */
    long slot(long permits) {
        return reserve(permits).nanos() - START;
    }

    boolean takes(long permits) {
        return asks(true, Ask.now(permits, Ask.NEVER_NANOS)).get(0).isGranted();
    }

    Verdict verdict(Ask ask) {
        return asks(true, ask).get(0).verdict();
    }

    boolean cancels(Slot slot) {
        return apply(ThrottleState.cancel(row, rate, slot, now()));
    }

    void alter(ThrottleRate other) {
        var unused = apply(ThrottleState.alter(row, rate, stored -> other, now()));
    }

    long remaining() {
        return state().remaining(now());
    }

    long retryAfter() {
        return state().retryAfterNanos(now());
    }

    ThrottleState state() {
        return ThrottleState.of(row, rate, now());
    }

    List<Long> slots(int number) {
        List<Long> slots = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            slots.add(slot(1));
        }
        return slots;
    }
}
