package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;

/*
 *   permit mixed 2 now                       admitted with a slot at some time of the call
 *   reserve mixed 1 17 -> 81230 81295        reservation 17 has a slot from 81230 to 81295
 *   use mixed 17                             waits for that slot
 *   cancel mixed 17                          gives it back
 *
 * The slots of all admissions in any window of length t are to cost at most burst x interval + t, if each permit costs an interval. Where
 * in its stretch a slot was is not known; so the question is whether some choice keeps the limit. A machine that works for an interval on
 * each permit, which comes when the stretch begins and must be done burst x interval after its end, is in the same position: it can do
 * all in time if and only if no window has more than that, and it can if it can by always doing first what must be done first.
 */
/** A throttle admits, in every window of length t, at most burst + rate x t permits, whoever asks; and nobody before the slot. */
public final class AdmissionRate implements Checker {
    private final Map<String, Rate> rates;

    /** What each throttle is to keep. */
    public AdmissionRate(Map<String, Rate> rates) {
        this.rates = Map.copyOf(rates);
    }

    /** So many permits in so much time, and so many at once. */
    public record Rate(long count, Duration period, long burst) {
        /** The time between two permits. */
        long intervalNanos() {
            return (period.toNanos() - 1) / count + 1;
        }
    }

    /** Permits whose slot was in a stretch of time. */
    private record Admission(Operation operation, long permits, long from, long to) {}

    /** What is left to do for an admission. */
    private static final class Job {
        final Admission admission;
        final long deadline;
        long left;

        Job(Admission admission, Rate rate) {
            this.admission = admission;
            this.deadline = admission.to + rate.burst * rate.intervalNanos();
            this.left = admission.permits * rate.intervalNanos();
        }
    }

    private record Reservation(String process, String number) {
        /** The one that an operation is about, whose number is its argument at an index. */
        static Reservation of(Operation operation, int index) {
            return new Reservation(operation.process(), operation.arguments().get(index));
        }
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("ADMISSION_RATE");
        List<Operation> operations = run.operations();
        judgeUses(operations, violations);
        admissions(operations).forEach((name, all) -> {
            Rate rate = rates.get(name);
            if (rate == null) {
                throw new IllegalStateException("no rate of " + name + " is known");
            }
            judge(all, rate, violations);
        });
        return violations.list();
    }

    private static void judgeUses(List<Operation> operations, Violations violations) {
        Map<Reservation, Operation> reservations = new HashMap<>();
        for (Operation operation : operations) {
            if (operation.name().equals("reserve") && operation.isOk()) {
                reservations.put(Reservation.of(operation, 2), operation);
            } else if (operation.name().equals("use") && operation.isOk()) {
                Operation reserved = reservations.get(Reservation.of(operation, 1));
                if (reserved != null
                        && operation.returned()
                                < Long.parseLong(reserved.result().get(0))) {
                    violations.add("before its slot in " + Violations.text(reserved) + " returned "
                            + Violations.text(operation));
                }
            }
        }
    }

    /** What was admitted for certain, by name; what may have been given back is not. */
    private static Map<String, List<Admission>> admissions(List<Operation> operations) {
        Set<Reservation> givenBack = new HashSet<>();
        for (Operation operation : operations) {
            if (operation.name().equals("cancel") && (operation.isOk() || operation.isUnknown())) {
                givenBack.add(Reservation.of(operation, 1));
            }
        }
        Map<String, List<Admission>> admissions = new TreeMap<>();
        for (Operation operation : operations) {
            boolean asked = operation.name().equals("permit");
            boolean reserved = operation.name().equals("reserve");
            if (operation.isOk() && (asked || reserved && !givenBack.contains(Reservation.of(operation, 2)))) {
                List<String> result = operation.result();
                admissions
                        .computeIfAbsent(operation.arguments().get(0), absent -> new ArrayList<>())
                        .add(new Admission(
                                operation,
                                Long.parseLong(operation.arguments().get(1)),
                                asked ? operation.invoked() : Long.parseLong(result.get(0)),
                                asked ? operation.returned() : Long.parseLong(result.get(1))));
            }
        }
        return admissions;
    }

    private static void judge(List<Admission> all, Rate rate, Violations violations) {
        PriorityQueue<Job> due = new PriorityQueue<>(Comparator.comparingLong(job -> job.deadline));
        long now = Long.MIN_VALUE;
        for (Admission admission :
                all.stream().sorted(Comparator.comparingLong(Admission::from)).toList()) {
            work(due, now, admission.from, violations);
            now = admission.from;
            due.add(new Job(admission, rate));
        }
        work(due, now, Long.MAX_VALUE, violations);
    }

    /** What can be done from one instant to another. */
    private static void work(PriorityQueue<Job> due, long from, long to, Violations violations) {
        long now = from;
        while (now < to && !due.isEmpty()) {
            Job job = due.element();
            long spent = Math.min(job.left, to - now);
            now += spent;
            job.left -= spent;
            if (job.left == 0) {
                due.remove();
                if (now > job.deadline) {
                    violations.add("admitted " + (now - job.deadline) / 1_000 + " us too early: "
                            + Violations.text(job.admission.operation));
                }
            }
        }
    }
}
