package dev.latchkey.stress.check;

import dev.latchkey.stress.history.Operation;
import java.util.List;
import java.util.Map;

/**
 * Transfers between accounts are transactions. Every audit, which reads all accounts in one transaction, and the balances of
 * {@code account-<n>} in the end come to the expected sum; no account is ever read as missing or damaged.
 */
public final class Conservation implements Checker {
    private final long expectedSum;

    /** Expects the sum of the first balances. */
    public Conservation(long expectedSum) {
        this.expectedSum = expectedSum;
    }

    @Override
    public List<Violation> check(Run run) {
        Violations violations = new Violations("CONSERVATION");
        for (Operation operation : run.operations()) {
            if (operation.isOk() && isWrong(operation)) {
                violations.add("expected " + expected(operation) + ": " + Violations.text(operation));
            }
        }
        judgeEnd(run.remains().values(), violations);
        return violations.list();
    }

    private boolean isWrong(Operation operation) {
        return switch (operation.name()) {
            case "audit" -> !operation.result().equals(List.of(String.valueOf(expectedSum)));
            case "read" -> !isNumber(operation.result().get(0));
            default -> false;
        };
    }

    private String expected(Operation operation) {
        return operation.name().equals("audit") ? String.valueOf(expectedSum) : "a balance";
    }

    private void judgeEnd(Map<String, String> values, Violations violations) {
        long sum = 0;
        for (var entry : values.entrySet()) {
            if (entry.getKey().startsWith("account-")) {
                if (isNumber(entry.getValue())) {
                    sum += Long.parseLong(entry.getValue());
                } else {
                    violations.add(entry.getKey() + " is " + entry.getValue() + " in the end");
                }
            }
        }
        if (sum != expectedSum) {
            violations.add("the balances come to " + sum + " in the end, not to " + expectedSum);
        }
    }

    private static boolean isNumber(String text) {
        return text.matches("-?\\d{1,18}");
    }
}
