package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import dev.latchkey.stress.referee.Seats;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The time during which a process certainly held something: a lock, a side of one, permits. It begins when {@code lock} returned and
 * lasts until the first of: {@code unlock} or a wait for a condition invoked, its process killed, its token forced (invoked, and not
 * refused), its lease over (counted from when it was asked for), its process's last cache closed.
 *
 * <pre>
 *   lock a lock -> 17                      unlock a 17                     a lock
 *   lock a handle 20 -> 18                 unlock a 18                     for at most 20 ms
 *   lock book*1/1000000 lock -> 19         unlock book*1/1000000 19        one of a million seats: a read lock, a permit
 *   lock a+b together -> 20+7              unlock a+b 20+7                 two locks at once
 *   lock seats*2/3 interruptibly -> -5     unlock seats*2/3 -5             permits without a token
 *   lock a lock -> 21                      await a 21 full 300 -> timed_out 24, unlock a 24
 * </pre>
 *
 * @param seats what of it
 * @param token negative if it has none
 * @param release what gives it up, if it came to that
 * @param taken when it was first forced, over or given back by closing the cache, or {@link Long#MAX_VALUE}
 * @param to {@link Long#MAX_VALUE} if it never ended
 */
public record Hold(
        Operation grant, Seats seats, long token, @Nullable Operation release, long taken, long to) {
    /** How a thread that writes asks to read as well. */
    public static final String DOWNGRADE = "downgrade";

    private record Key(String process, String place, String token) {}

    long from() {
        return grant.returned();
    }

    String process() {
        return grant.process();
    }

    boolean hasToken() {
        return token >= 0;
    }

    /** Whether it was over before its owner knew of it, though that lived. */
    boolean isLostAtOnce() {
        return taken <= from();
    }

    /** Whether it and so many seats more are too much. */
    boolean excludes(long units) {
        return seats.units() + units > seats.limit();
    }

    /** Whether its thread holds the whole already. */
    boolean isDowngrade() {
        return grant.arguments().get(1).equals(DOWNGRADE);
    }

    /** What an operation on something held is about: places, each with its seats. */
    static List<Seats> places(Operation operation) {
        List<Seats> places = new ArrayList<>();
        for (String place : operation.arguments().get(0).split("\\+", -1)) {
            places.add(Seats.of(place));
        }
        return places;
    }

    /** When the lease of a grant is over, if it has one and its holder counts from an instant. */
    static OptionalLong leaseEnd(Operation grant, long nanos) {
        boolean leased = grant.name().equals("lock") && grant.arguments().size() > 2;
        return leased
                ? OptionalLong.of(nanos
                        + TimeUnit.MILLISECONDS.toNanos(
                                Long.parseLong(grant.arguments().get(2))))
                : OptionalLong.empty();
    }

    /** Whether an operation got something: by itself, or again after a wait for a condition that had given it up. */
    private static boolean isGrant(Operation operation) {
        return operation.isOk() && (operation.name().equals("lock") || isRegained(operation));
    }

    private static boolean isRegained(Operation operation) {
        return operation.name().equals("await")
                && operation.isOk()
                && !operation.result().get(1).equals(operation.arguments().get(1));
    }

    /** A wait for a condition that could not begin has not given anything up. */
    private static boolean isRelease(Operation operation) {
        return operation.name().equals("unlock")
                || operation.name().equals("await") && (!operation.isOk() || isRegained(operation));
    }

    private static String[] tokens(Operation grant) {
        return grant.result().get(grant.name().equals("lock") ? 0 : 1).split("\\+", -1);
    }

    /** All grants of a run, by the name of the lock or the semaphore. */
    static Map<String, List<Hold>> byName(List<Operation> operations, Lives lives) {
        Map<Key, List<Operation>> releases = new HashMap<>();
        Map<Key, Long> forces = new HashMap<>();
        for (Operation operation : operations) {
            if (isRelease(operation)) {
                String[] tokens = operation.arguments().get(1).split("\\+", -1);
                List<Seats> places = places(operation);
                for (int i = 0; i < tokens.length; i++) {
                    Key key = new Key(operation.process(), places.get(i).place(), tokens[i]);
                    releases.computeIfAbsent(key, absent -> new ArrayList<>()).add(operation);
                }
            } else if (operation.name().equals("force") && operation.outcome() != Kind.FAIL) {
                Key key = new Key(
                        "", operation.arguments().get(0), operation.arguments().get(1));
                forces.merge(key, operation.invoked(), Math::min);
            }
        }
        Map<String, List<Hold>> holds = new TreeMap<>();
        for (Operation operation : operations) {
            if (isGrant(operation)) {
                String[] tokens = tokens(operation);
                List<Seats> places = places(operation);
                for (int i = 0; i < tokens.length; i++) {
                    String place = places.get(i).place();
                    Operation release =
                            releases.getOrDefault(new Key(operation.process(), place, tokens[i]), List.of()).stream()
                                    .filter(each -> each.invoked() >= operation.returned())
                                    .findFirst()
                                    .orElse(null);
                    long forced = forces.getOrDefault(new Key("", place, tokens[i]), Long.MAX_VALUE);
                    holds.computeIfAbsent(place, absent -> new ArrayList<>())
                            .add(hold(operation, places.get(i), Long.parseLong(tokens[i]), release, forced, lives));
                }
            }
        }
        return holds;
    }

    private static Hold hold(
            Operation grant, Seats seats, long token, @Nullable Operation release, long forced, Lives lives) {
        long over = leaseEnd(grant, grant.invoked()).orElse(Long.MAX_VALUE);
        boolean inTime = release != null && release.returned() <= over;
        long closed = lives.closedAfter(grant.process(), grant.invoked());
        long taken = Math.min(Math.min(forced, inTime ? Long.MAX_VALUE : over), closed);
        long released = release == null ? Long.MAX_VALUE : release.invoked();
        long to = Math.min(Math.min(released, taken), lives.killed(grant.process()));
        return new Hold(grant, seats, token, release, taken, to);
    }
}
