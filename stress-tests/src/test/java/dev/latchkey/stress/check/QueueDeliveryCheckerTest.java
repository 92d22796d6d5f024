package dev.latchkey.stress.check;

import org.junit.jupiter.api.Test;

class QueueDeliveryCheckerTest {
    private final Checker drained = new QueueDelivery(true);
    private final Checker open = new QueueDelivery(false);

    /** Items put by p.t0, all with return. */
    private static Story put(int count) {
        Story story = new Story();
        for (int i = 1; i <= count; i++) {
            story.ok("p", i, i + 0.5, "put p.t0-" + i);
        }
        return story;
    }

    @Test
    void everyItemAcknowledgedOnceIsFine() {
        put(3).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .ok("w1", 12, 13, "ack p.t0-1 1")
                .ok("w2", 10, 12, "claim -> p.t0-2 1")
                .ok("w2", 12, 13, "nack p.t0-2 1")
                .ok("w1", 14, 15, "claim -> p.t0-2 2")
                .ok("w1", 16, 17, "ack p.t0-2 2")
                .ok("w2.t1", 10, 18, "claim -> p.t0-3 1")
                .ok("w2.t2", 20, 21, "ack p.t0-3 1")
                .fail("w2.t1", 30, 40, "claim")
                .keeps(drained);
    }

    @Test
    void theItemOfADeadClaimerIsClaimedAgain() {
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .kill("w1", 12)
                .ok("w2", 10, 13, "claim -> p.t0-1 2")
                .ok("w2", 14, 15, "ack p.t0-1 2")
                .keeps(drained);
    }

    @Test
    void anAcknowledgementCutOffByAKillMayHaveHappenedOrNot() {
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .unknown("w1", 12, "ack p.t0-1 1")
                .kill("w1", 13)
                .keeps(drained);
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .unknown("w1", 12, "ack p.t0-1 1")
                .kill("w1", 13)
                .ok("w2", 14, 15, "claim -> p.t0-1 2")
                .ok("w2", 16, 17, "ack p.t0-1 2")
                .keeps(drained);
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .unknown("w1", 12, "ack p.t0-1 1")
                .kill("w1", 13)
                .ok("w2", 12.2, 12.5, "claim -> p.t0-1 2")
                .ok("w2", 16, 17, "ack p.t0-1 2")
                .breaks(drained, "claimed until 13000000 by w1.t0");
    }

    @Test
    void aGivingBackCutOffByAKillMayBeFollowedByAClaimBeforeTheKill() {
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .unknown("w1", 12, "nack p.t0-1 1")
                .kill("w1", 13)
                .ok("w2", 12.2, 12.5, "claim -> p.t0-1 2")
                .ok("w2", 16, 17, "ack p.t0-1 2")
                .keeps(drained);
    }

    @Test
    void aClaimCutOffByAKillMayHaveCounted() {
        for (int attempt = 1; attempt <= 2; attempt++) {
            put(1).unknown("w1", 10, "claim")
                    .kill("w1", 12)
                    .ok("w2", 10, 13, "claim -> p.t0-1 " + attempt)
                    .ok("w2", 14, 15, "ack p.t0-1 " + attempt)
                    .keeps(drained);
        }
        put(1).unknown("w1", 10, "claim")
                .kill("w1", 12)
                .ok("w2", 10, 13, "claim -> p.t0-1 3")
                .ok("w2", 14, 15, "ack p.t0-1 3")
                .breaks(drained, "an attempt was counted that nobody made before", "2 attempts were counted");
        put(1).unknown("w1", 20, "claim")
                .kill("w1", 22)
                .ok("w2", 10, 13, "claim -> p.t0-1 2")
                .ok("w2", 14, 15, "ack p.t0-1 2")
                .breaks(drained, "an attempt was counted");
    }

    @Test
    void oneCutOffClaimExplainsOneGapOnly() {
        put(2).unknown("w1", 10, "claim")
                .kill("w1", 12)
                .ok("w2", 13, 14, "claim -> p.t0-1 2")
                .ok("w2", 14, 15, "ack p.t0-1 2")
                .ok("w2", 16, 17, "claim -> p.t0-2 2")
                .ok("w2", 18, 19, "ack p.t0-2 2")
                .breaks(drained, "2 attempts were counted that nobody made; claims of unknown outcome: 1");
    }

    @Test
    void anUncertainPutMayHaveHappened() {
        new Story().unknown("p", 1, "put p.t0-1").kill("p", 2).keeps(drained);
        new Story().unknown("p", 1, "put p.t0-1").kill("p", 2).keeps(open);
        new Story().unknown("p", 1, "put p.t0-1").kill("p", 2).items(1).keeps(open);
        new Story()
                .unknown("p", 1, "put p.t0-1")
                .kill("p", 2)
                .ok("w1", 1.5, 1.8, "claim -> p.t0-1 1")
                .ok("w1", 4, 5, "ack p.t0-1 1")
                .keeps(drained);
        new Story()
                .unknown("p", 1, "put p.t0-1")
                .kill("p", 2)
                .ok("w1", 3, 4, "claim -> p.t0-1 1")
                .kill("w1", 5)
                .breaks(drained, "never acknowledged: p.t0-1");
    }

    @Test
    void closingTheLastCacheGivesBackWhatWasClaimed() {
        put(1).ok("w1", 8, 9, "open")
                .ok("w1", 10, 11, "claim -> p.t0-1 1")
                .ok("w1", 12, 13, "close")
                .ok("w2", 12.5, 12.8, "claim -> p.t0-1 2")
                .ok("w2", 14, 15, "ack p.t0-1 2")
                .fail("w1", 16, 17, "ack p.t0-1 1 -> lost")
                .keeps(drained);
    }

    @Test
    void aSecondAcknowledgementIsNoticed() {
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .ok("w1", 12, 13, "ack p.t0-1 1")
                .ok("w1", 14, 15, "ack p.t0-1 1")
                .breaks(drained, "acknowledged by");
    }

    @Test
    void aClaimAfterTheAcknowledgementIsNoticed() {
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .ok("w1", 12, 13, "ack p.t0-1 1")
                .kill("w1", 14)
                .ok("w2", 20, 21, "claim -> p.t0-1 2")
                .breaks(drained, "claimed for good");
    }

    @Test
    void twoClaimersAtOnceAreNoticedThoughOneWasStopped() {
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .stop("w1", 12, 500)
                .ok("w2", 100, 101, "claim -> p.t0-1 2")
                .ok("w2", 102, 103, "ack p.t0-1 2")
                .fail("w1", 501, 502, "ack p.t0-1 1 -> lost")
                .breaks(drained, "claimed until 501000000", "a living process lost a claim");
    }

    @Test
    void aLostItemIsNoticed() {
        put(1).breaks(drained, "never acknowledged: p.t0-1");
        put(1).items(1).breaks(drained, "never acknowledged: p.t0-1", "1 items are left");
        put(2).items(1).breaks(open, "1 items are left; put and not acknowledged: 2");
        put(2).items(2).keeps(open);
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1").kill("w1", 12).breaks(open, "0 items are left");
    }

    @Test
    void anItemThatIsLeftThoughAcknowledgedIsNoticed() {
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .ok("w1", 12, 13, "ack p.t0-1 1")
                .items(1)
                .breaks(open, "1 items are left; put and not acknowledged: 0, possibly 0 more");
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .unknown("w1", 12, "ack p.t0-1 1")
                .kill("w1", 13)
                .items(1)
                .keeps(open);
    }

    @Test
    void whatWasNotPutIsNotClaimed() {
        new Story()
                .ok("w1", 10, 11, "claim -> p.t0-1 1")
                .ok("w1", 12, 13, "ack p.t0-1 1")
                .breaks(drained, "claimed, but not put before");
        put(1).ok("w1", 0.1, 0.2, "claim -> p.t0-1 1")
                .ok("w1", 12, 13, "ack p.t0-1 1")
                .breaks(drained, "claimed, but not put before");
        new Story()
                .fail("p", 1, 2, "put p.t0-1")
                .ok("w1", 10, 11, "claim -> p.t0-1 1")
                .ok("w1", 12, 13, "ack p.t0-1 1")
                .breaks(drained, "claimed, but not put before");
    }

    @Test
    void anAttemptThatDoesNotRiseIsNoticed() {
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 1")
                .kill("w1", 12)
                .ok("w2", 14, 15, "claim -> p.t0-1 1")
                .ok("w2", 16, 17, "ack p.t0-1 1")
                .breaks(drained, "attempt 1 came before");
        put(1).ok("w1", 10, 11, "claim -> p.t0-1 0")
                .ok("w1", 16, 17, "ack p.t0-1 0")
                .breaks(drained, "attempt 0 came before");
    }

    @Test
    void anAcknowledgementWithoutAClaimIsNoticed() {
        put(1).ok("w1", 16, 17, "ack p.t0-1 1").breaks(drained, "not claimed before");
    }

    @Test
    void firstDeliveriesOutOfOrderAreNoticed() {
        put(2).ok("w1", 10, 11, "claim -> p.t0-2 1")
                .ok("w1", 12, 13, "ack p.t0-2 1")
                .ok("w1", 14, 15, "claim -> p.t0-1 1")
                .ok("w1", 16, 17, "ack p.t0-1 1")
                .breaks(
                        drained,
                        "first delivered after w1.t0 claim[] -> OK[p.t0-2, 1]".replace(" ->", " at 10000000 ->"));
    }

    @Test
    void overlappingClaimsAndRedeliveriesHaveAnyOrder() {
        put(2).ok("w1", 10, 11, "claim -> p.t0-2 1")
                .ok("w2", 10.5, 15, "claim -> p.t0-1 1")
                .ok("w2", 16, 17, "nack p.t0-1 1")
                .ok("w1", 18, 19, "ack p.t0-2 1")
                .ok("w1", 20, 21, "claim -> p.t0-1 2")
                .ok("w1", 22, 23, "ack p.t0-1 2")
                .keeps(drained);
    }

    @Test
    void producersAreNotCompared() {
        put(2).ok("p.t1", 1, 2, "put p.t1-7")
                .ok("w1", 10, 11, "claim -> p.t1-7 1")
                .ok("w1", 12, 13, "ack p.t1-7 1")
                .items(2)
                .keeps(open);
    }
}
