package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.Operation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Every item is acknowledged exactly once or still there; attempts are counted exactly; items are first claimed in the order
 * in which they were put.
 *
 * <ul>
 *   <li>Nothing is claimed that was not put before, nor acknowledged twice.
 *   <li>Claims of an item do not overlap. One lasts from the return of {@code claim} until {@code ack} or {@code nack} is
 *       invoked, its process is killed or its last cache is closed; after an acknowledgement nobody claims it again. So a
 *       process that lives, stopped or not, is never told that it lost a claim.
 *   <li>Attempts of an item rise from claim to claim. Each gap is a claim of unknown outcome, whose process was killed in it.
 *   <li>Items of one producer are claimed for the first time in the order of their numbers, unless the claims overlap.
 *   <li>In the end, as many items are left as were put and not acknowledged; an acknowledgement or a put of unknown outcome
 *       may have happened or not. A drained queue is empty.
 * </ul>
 */
public final class QueueDelivery implements Checker {
    private final boolean drained;

    /**
     * Judges a run.
     *
     * @param drained whether all items must be gone in the end
     */
    public QueueDelivery(boolean drained) {
        this.drained = drained;
    }

    @Override
    public List<Violation> check(Run run) {
        List<Operation> operations = run.operations();
        Judgement judgement = new Judgement(operations, new Lives(run, operations));
        judgement.judgeItems();
        judgement.judgeFirstDeliveries();
        int left = run.remains().items().values().stream()
                .mapToInt(Integer::intValue)
                .sum();
        judgement.judgeEnd(left, drained);
        return judgement.violations.list();
    }

    /** What is known of one item. */
    private static final class Item {
        final List<Operation> claims = new ArrayList<>();
        /** Acknowledgements and givings back. */
        final List<Operation> ends = new ArrayList<>();

        @Nullable
        Operation put;

        boolean isCertain() {
            return !claims.isEmpty() || put != null && put.isOk();
        }

        List<Operation> acknowledgements() {
            return ends.stream()
                    .filter(end -> end.name().equals("ack") && end.outcome() != Kind.FAIL)
                    .toList();
        }
    }

    private static final class Judgement {
        final Violations violations = new Violations("QUEUE_DELIVERY");
        final Map<String, Item> items = new LinkedHashMap<>();
        final List<Operation> unknownClaims = new ArrayList<>();
        final Lives lives;

        Judgement(List<Operation> operations, Lives lives) {
            this.lives = lives;
            operations.forEach(this::add);
            items.values().forEach(item -> item.claims.sort(Comparator.comparingLong(Operation::returned)));
        }

        private void add(Operation operation) {
            switch (operation.name()) {
                case "put" -> {
                    if (operation.outcome() != Kind.FAIL) {
                        item(operation.arguments()).put = operation;
                    }
                }
                case "claim" -> {
                    if (operation.isOk()) {
                        item(operation.result()).claims.add(operation);
                    } else if (operation.outcome() != Kind.FAIL) {
                        unknownClaims.add(operation);
                    }
                }
                case "ack", "nack" -> item(operation.arguments()).ends.add(operation);
                default -> {}
            }
        }

        private Item item(List<String> words) {
            return items.computeIfAbsent(words.get(0), absent -> new Item());
        }

        void judgeItems() {
            long gaps = 0;
            for (Item item : items.values()) {
                judgePut(item);
                judgeClaims(item);
                judgeEnds(item);
                gaps += judgeAttempts(item);
            }
            if (gaps > unknownClaims.size()) {
                violations.add(gaps + " attempts were counted that nobody made; claims of unknown outcome: "
                        + unknownClaims.size());
            }
        }

        private void judgePut(Item item) {
            for (Operation claim : item.claims) {
                if (item.put == null || item.put.invoked() > claim.returned()) {
                    violations.add("claimed, but not put before: " + Violations.text(claim));
                }
            }
        }

        private void judgeClaims(Item item) {
            Operation longest = null;
            long until = Long.MIN_VALUE;
            for (Operation claim : item.claims) {
                if (longest != null && claim.returned() < until) {
                    String how = until == Long.MAX_VALUE ? "for good" : "until " + until;
                    violations.add("claimed " + how + " by " + Violations.text(longest) + " and again by "
                            + Violations.text(claim));
                }
                long end = end(item, claim);
                if (longest == null || end > until) {
                    longest = claim;
                    until = end;
                }
            }
        }

        /**
         * Until when nobody else can have claimed it; for ever, once it is acknowledged. An acknowledgement that a kill cut
         * off has removed the item, or the claim lasted until the kill.
         */
        private long end(Item item, Operation claim) {
            Operation end = endOf(item, claim);
            if (end != null && end.name().equals("ack") && end.isOk()) {
                return Long.MAX_VALUE;
            }
            boolean cutOff = end != null && end.name().equals("ack") && end.isUnknown();
            long given = end == null || cutOff ? Long.MAX_VALUE : end.invoked();
            long gone = Math.min(lives.killed(claim.process()), lives.closedAfter(claim.process(), claim.invoked()));
            return Math.min(given, gone);
        }

        private static @Nullable Operation endOf(Item item, Operation claim) {
            return item.ends.stream()
                    .filter(end -> isEndOf(end, claim))
                    .findFirst()
                    .orElse(null);
        }

        private static boolean isEndOf(Operation end, Operation claim) {
            return end.process().equals(claim.process())
                    && end.invoked() >= claim.returned()
                    && end.arguments().subList(0, 2).equals(claim.result());
        }

        private void judgeEnds(Item item) {
            List<Operation> done =
                    item.acknowledgements().stream().filter(Operation::isOk).toList();
            if (done.size() > 1) {
                violations.add("acknowledged by " + Violations.text(done.get(0)) + " and again by "
                        + Violations.text(done.get(1)));
            }
            for (Operation end : item.ends) {
                Operation claim = item.claims.stream()
                        .filter(each -> isEndOf(end, each))
                        .findFirst()
                        .orElse(null);
                if (claim == null) {
                    violations.add("not claimed before: " + Violations.text(end));
                } else if (end.outcome() == Kind.FAIL
                        && lives.closedAfter(claim.process(), claim.invoked()) > end.returned()) {
                    violations.add("a living process lost a claim: " + Violations.text(end));
                }
            }
        }

        /** Answers how many attempts nobody is known to have made. */
        private long judgeAttempts(Item item) {
            long last = 0;
            long gaps = 0;
            for (int i = 0; i < item.claims.size(); i++) {
                Operation claim = item.claims.get(i);
                long attempt = attempt(claim);
                gaps = attempt - 1 - i;
                if (attempt <= last) {
                    violations.add("attempt " + last + " came before: " + Violations.text(claim));
                } else if (gaps > unknownClaimsBefore(claim.returned())) {
                    violations.add("an attempt was counted that nobody made before: " + Violations.text(claim));
                }
                last = attempt;
            }
            return Math.max(0, gaps);
        }

        private long unknownClaimsBefore(long nanos) {
            return unknownClaims.stream()
                    .filter(claim -> claim.invoked() < nanos)
                    .count();
        }

        private static long attempt(Operation claim) {
            return Long.parseLong(claim.result().get(1));
        }

        void judgeFirstDeliveries() {
            Map<String, List<Numbered>> byProducer = new TreeMap<>();
            for (Map.Entry<String, Item> entry : items.entrySet()) {
                int dash = entry.getKey().lastIndexOf('-');
                String producer = entry.getKey().substring(0, dash);
                long number = Long.parseLong(entry.getKey().substring(dash + 1));
                entry.getValue().claims.stream()
                        .limit(1)
                        .filter(claim -> attempt(claim) == 1)
                        .forEach(claim -> byProducer
                                .computeIfAbsent(producer, absent -> new ArrayList<>())
                                .add(new Numbered(claim, number)));
            }
            byProducer
                    .values()
                    .forEach(claims -> Numbered.requireRising(
                            claims,
                            (first, second) ->
                                    violations.add("first delivered after " + Violations.text(first.operation())
                                            + ", though put before: " + Violations.text(second.operation()))));
        }

        void judgeEnd(int left, boolean drained) {
            int certain = 0;
            int possible = 0;
            for (Map.Entry<String, Item> entry : items.entrySet()) {
                List<Operation> acknowledged = entry.getValue().acknowledgements();
                if (!entry.getValue().isCertain()) {
                    possible++;
                } else if (acknowledged.isEmpty()) {
                    certain++;
                    if (drained) {
                        violations.add("put, but never acknowledged: " + entry.getKey());
                    }
                } else if (acknowledged.stream().noneMatch(Operation::isOk)) {
                    possible++;
                }
            }
            if (drained && left > 0) {
                violations.add(left + " items are left");
            }
            if (!drained && (left < certain || left > certain + possible)) {
                violations.add(left + " items are left; put and not acknowledged: " + certain + ", possibly " + possible
                        + " more");
            }
        }
    }
}
