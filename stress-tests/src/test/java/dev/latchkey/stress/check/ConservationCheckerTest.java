package dev.latchkey.stress.check;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ConservationCheckerTest {
    private final Checker checker = new Conservation(100);

    private static Story story(String first, String second) {
        return new Story().values(Map.of("account-0", first, "account-1", second, "c", "17"));
    }

    @Test
    void whatIsTransferredIsConserved() {
        story("-20", "120")
                .ok("w1", 10, 11, "transfer account-0 account-1 70")
                .fail("w1", 12, 13, "transfer account-0 account-1 70")
                .unknown("w2", 12, "transfer account-1 account-0 5")
                .kill("w2", 13)
                .ok("w1", 14, 15, "audit -> 100")
                .ok("w1", 16, 17, "read account-0 -> -20")
                .fail("w1", 18, 19, "audit")
                .keeps(checker);
    }

    @Test
    void anAuditThatSawHalfATransferIsNoticed() {
        story("50", "50").ok("w1", 14, 15, "audit -> 93").breaks(checker, "expected 100: w1.t0 audit");
    }

    @Test
    void aMissingOrDamagedAccountIsNoticed() {
        story("50", "50")
                .ok("w1", 14, 15, "read account-0 -> missing")
                .ok("w1", 16, 17, "read account-0 -> damaged")
                .breaks(checker, "missing", "damaged");
    }

    @Test
    void aWrongSumInTheEndIsNoticed() {
        story("50", "51").breaks(checker, "come to 101 in the end, not to 100");
        story("100", "damaged").breaks(checker, "account-1 is damaged in the end");
        new Story().breaks(checker, "come to 0");
    }
}
