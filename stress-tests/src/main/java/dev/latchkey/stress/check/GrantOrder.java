package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import dev.latchkey.stress.referee.Seats;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/*
 * The grants of one name are put in the order of their tokens. Of each is known the latest instant before which it cannot have
 * been made (`notBefore`): its own invocation, what is known of the one before, and the end of those before that it could not have
 * been held together with.
 *
 * A wait is judged by the grants that could not be held together with it: all of them for a lock or a writer, writers for a reader.
 * Whoever is granted besides is let through because there is enough for both.
 *
 * A process waits from the invocation of an operation, plus some slack to get into the line, until that is granted or given
 * up; only the stretch since the process's last grant is looked at, for its own threads pass each other. In that stretch
 * every other process may have its turn, a row of grants; nobody may have many, or a very long one.
 *
 * Excused, because a history does not show who stands in line:
 *   - a stop of anybody, or of the machine, while the process is getting into the line: he may be in a write transaction;
 *   - the waiter itself stopped: its turn lapses;
 *   - an idle lock: a turn lapses when the process that is named does not come within 50 ms, then it is passed over until its
 *     next poll. So after an idle stretch the count begins again, a poll later;
 *   - the first wait of a process: it opens its session and loads its classes;
 *   - a forced holder, or one whose lease was over: its own threads wait for it until it learns that, within a second.
 *
 * Not judged: waits for several locks, which hold up nobody, and names of which some grants have no token.
 */
/**
 * Waiters are served first come, first served across processes, with bounded local passing, for locks, readers, writers and permits
 * alike. While a process waits, no other gets more than some extra turns, nor a turn of more than some grants in a row.
 */
public final class GrantOrder implements Checker {
    private static final Set<String> WAITING = Set.of("lock", "interruptibly", "handle", "tryFor", "async", "asyncFor");
    private static final long LAPSE_NANOS = Duration.ofMillis(40).toNanos();
    private static final long POLL_NANOS = Duration.ofMillis(50).toNanos();
    private static final long FIRST_SLACK_NANOS = Duration.ofSeconds(2).toNanos();
    private static final long FORCE_NOTICED_NANOS = Duration.ofSeconds(2).toNanos();

    private final int allowedTurns;
    private final int mostInARow;
    private final long slackNanos;

    /** Three extra turns, twice the 16 grants in a row that a process may have, 20 ms to get into the line. */
    public GrantOrder() {
        this(3, 32, Duration.ofMillis(20));
    }

    /**
     * With other bounds.
     *
     * @param allowedTurns how many turns beyond the first another process may have during one wait
     * @param mostInARow how many grants one turn may have
     * @param slack how long it may take to get into the line
     */
    public GrantOrder(int allowedTurns, int mostInARow, Duration slack) {
        this.allowedTurns = allowedTurns;
        this.mostInARow = mostInARow;
        this.slackNanos = slack.toNanos();
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("GRANT_ORDER");
        List<Operation> operations = run.operations();
        Lives lives = new Lives(run, operations);
        Map<Seats, List<Operation>> givenUp = operations.stream()
                .filter(operation -> isWait(operation) && !operation.isUnknown() && !operation.isOk())
                .collect(Collectors.groupingBy(
                        operation -> Hold.places(operation).get(0)));
        Hold.byName(operations, lives).forEach((name, holds) -> {
            if (!holds.stream().allMatch(Hold::hasToken)) {
                return;
            }
            for (Seats seats : holds.stream().map(Hold::seats).distinct().toList()) {
                Grants grants = new Grants(holds, seats.units());
                for (int i = 0; i < holds.size(); i++) {
                    if (grants.holds.get(i).seats().equals(seats)) {
                        judge(grants.holds.get(i).grant(), grants, i, lives, violations);
                    }
                }
                for (Operation wait : givenUp.getOrDefault(seats, List.of())) {
                    judge(wait, grants, grants.returnedBy(wait.returned()), lives, violations);
                }
            }
        });
        return violations.list();
    }

    private static boolean isWait(Operation operation) {
        return operation.name().equals("lock")
                && WAITING.contains(operation.arguments().get(1));
    }

    /** The grants of one name in the order of their tokens, as they concern who waits for so many seats. */
    private static final class Grants {
        final List<Hold> holds;
        final int[] process;
        /** Whether it could not be held together with what is waited for. */
        final boolean[] excludes;

        final long[] notBefore;
        /** The latest return up to this grant. */
        final long[] returned;
        /** For how long nobody held what could not be held together with what is waited for, before this grant. */
        final long[] idle;

        Grants(List<Hold> unordered, long units) {
            holds = unordered.stream()
                    .sorted(Comparator.comparingLong(Hold::token))
                    .toList();
            int count = holds.size();
            process = new int[count];
            excludes = new boolean[count];
            notBefore = new long[count];
            returned = new long[count];
            idle = new long[count];
            Map<String, Integer> numbers = new HashMap<>();
            Map<Long, Long> ends = new HashMap<>(); // the last of those with so many seats
            long free = Long.MIN_VALUE;
            for (int i = 0; i < count; i++) {
                Hold hold = holds.get(i);
                process[i] = numbers.computeIfAbsent(hold.process(), absent -> numbers.size());
                excludes[i] = hold.excludes(units);
                notBefore[i] = Math.max(
                        i == 0 ? Long.MIN_VALUE : notBefore[i - 1], hold.grant().invoked());
                for (Map.Entry<Long, Long> end : ends.entrySet()) {
                    if (hold.excludes(end.getKey()) && !hold.isDowngrade()) {
                        notBefore[i] = Math.max(notBefore[i], end.getValue());
                    }
                }
                returned[i] = i == 0 ? hold.from() : Math.max(returned[i - 1], hold.from());
                ends.merge(hold.seats().units(), end(hold), Math::max);
                if (excludes[i]) {
                    idle[i] = free == Long.MIN_VALUE ? 0 : hold.from() - free;
                    free = Math.max(free, Math.max(notBefore[i], end(hold)));
                }
            }
        }

        /** Before that nobody else can have got it; a process lives until its grant has returned. */
        private static long end(Hold hold) {
            if (hold.to() == Long.MAX_VALUE) {
                return hold.from();
            }
            return hold.isLostAtOnce() ? hold.to() : Math.max(hold.from(), hold.to());
        }

        int returnedBy(long nanos) {
            int found = Arrays.binarySearch(returned, nanos);
            return found < 0 ? -found - 1 : found;
        }
    }

    /** Judges the grants before {@code end} that were made while an operation certainly waited. */
    private void judge(Operation wait, Grants grants, int end, Lives lives, Violations violations) {
        if (!isWait(wait) || end == 0 || lives.wasStopped(wait.process(), wait.invoked(), wait.returned())) {
            return;
        }
        boolean isNew = lives.isNew(wait.process(), wait.invoked());
        long start = inLine(wait.invoked(), isNew ? FIRST_SLACK_NANOS : slackNanos, lives);
        int first = end;
        while (first > 0
                && grants.returned[first - 1] > wait.invoked()
                && !grants.holds.get(first - 1).process().equals(wait.process())) {
            first--;
        }
        if (first > 0 && grants.holds.get(first - 1).process().equals(wait.process())) {
            long taken = grants.holds.get(first - 1).taken();
            start = taken == Long.MAX_VALUE ? start : Math.max(start, taken + FORCE_NOTICED_NANOS);
        }
        String unfair = unfair(grants, first, end, start);
        if (!unfair.isEmpty()) {
            violations.add(unfair + " during " + Violations.text(wait));
        }
    }

    /** When an operation stands in line for certain. */
    private long inLine(long invoked, long slack, Lives lives) {
        long start = invoked + slack;
        for (Lives.Span stop : lives.stops()) {
            if (stop.overlaps(invoked, start)) {
                start = stop.to() == Long.MAX_VALUE ? Long.MAX_VALUE : stop.to() + slack;
            }
        }
        return start;
    }

    /** Who had too much of the grants from {@code first} to {@code end}, in words. */
    private String unfair(Grants grants, int first, int end, long start) {
        Map<Integer, Integer> turns = new HashMap<>();
        long from = start;
        int row = 0;
        int last = -1;
        for (int i = first; i < end; i++) {
            if (grants.idle[i] >= LAPSE_NANOS) {
                turns.clear();
                row = 0;
                from = Math.max(from, grants.returned[i] + POLL_NANOS + slackNanos);
            }
            if (grants.notBefore[i] < from || !grants.excludes[i]) {
                continue;
            }
            int process = grants.process[i];
            boolean goesOn = row > 0 && last == process;
            last = process;
            row = goesOn ? row + 1 : 1;
            int turn = goesOn ? turns.getOrDefault(process, 0) : turns.merge(process, 1, Integer::sum);
            String who = grants.holds.get(i).process();
            if (row > mostInARow) {
                return who + " had more than " + mostInARow + " grants in a row";
            }
            if (turn - 1 > allowedTurns) {
                return who + " had " + (turn - 1) + " turns beyond its first";
            }
        }
        return "";
    }
}
