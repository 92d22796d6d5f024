package dev.latchkey.stress.check;

import java.util.Map;
import org.junit.jupiter.api.Test;

class EntryValuesCheckerTest {
    private final Checker checker = new EntryValues(1_000_000);

    /** Two stores one after the other, the second of which is there in the end. */
    private static Story twoStores() {
        return new Story()
                .ok("w1", 10, 20, "store a 1 50")
                .ok("w1", 30, 40, "store a 2 50")
                .values(Map.of("a", "2"));
    }

    @Test
    void whatWasStoredLastIsRead() {
        twoStores()
                .ok("w2", 21, 22, "read a -> 1")
                .ok("w2", 41, 42, "read a -> 2")
                .ok("w2", 43, 44, "read a -> missing")
                .keeps(checker);
    }

    @Test
    void aReadBesideAStoreSeesEither() {
        twoStores()
                .ok("w2", 31, 39, "read a -> 1")
                .ok("w3", 31, 39, "read a -> 2")
                .ok("w3", 39.5, 41, "read a -> 1")
                .keeps(checker);
    }

    @Test
    void anOldValueIsNoticed() {
        twoStores().ok("w2", 41, 42, "read a -> 1").breaks(checker, "read though w1.t0 store[a, 2, 50]");
        twoStores().values(Map.of("a", "1")).breaks(checker, "a is 1 in the end, though");
    }

    @Test
    void aRemovedValueIsNoticed() {
        Story removed = new Story()
                .ok("w1", 10, 20, "store a 1 50")
                .ok("w2", 21, 22, "remove a -> true")
                .ok("w2", 22, 23, "read a -> 1");
        removed.keeps(checker);
        removed.ok("w2", 24, 25, "read a -> 1").breaks(checker, "read though w2.t0 remove[a]");
        new Story()
                .ok("w1", 10, 20, "store a 1 50")
                .ok("w2", 21, 22, "remove a -> true")
                .values(Map.of("a", "1"))
                .breaks(checker, "a is 1 in the end, though");
    }

    @Test
    void aStoreThatAKillCutOffMayComeLater() {
        new Story()
                .unknown("w2", 5, "store a 1 50")
                .kill("w2", 6)
                .ok("w1", 10, 20, "store a 2 50")
                .ok("w1", 21, 22, "read a -> 2")
                .ok("w1", 23, 24, "read a -> 1")
                .values(Map.of("a", "1"))
                .keeps(checker);
    }

    @Test
    void whatNobodyStoredIsNoticed() {
        twoStores().ok("w2", 41, 42, "read a -> 3").breaks(checker, "not what was stored before");
        twoStores().ok("w2", 5, 9, "read a -> 1").breaks(checker, "not what was stored before");
        twoStores().ok("w2", 41, 42, "read a -> damaged").breaks(checker, "not what was stored before");
        twoStores().values(Map.of("a", "damaged")).breaks(checker, "a is damaged in the end");
        new Story()
                .fail("w1", 10, 20, "store a 1 50")
                .ok("w2", 21, 22, "read a -> 1")
                .breaks(checker, "not what was stored before");
    }

    @Test
    void aKeptEntryThatIsMissingIsNoticed() {
        Map<String, String> left = Map.of("kept-1", "1");
        new Story()
                .ok("w1", 10, 20, "store kept-1 1 50")
                .ok("w2", 19, 21, "read kept-1 -> missing")
                .values(left)
                .keeps(checker);
        new Story()
                .ok("w1", 10, 20, "store kept-1 1 50")
                .ok("w2", 21, 22, "read kept-1 -> missing")
                .values(left)
                .breaks(checker, "gone, though it was stored by w1.t0");
        new Story().ok("w1", 10, 20, "store kept-1 1 50").breaks(checker, "kept-1 is gone in the end");
    }

    @Test
    void anEntryThatWasJustWrittenIsEvictedOnlyByMuch() {
        new Story()
                .ok("w1", 10, 20, "store own-w1 1 50")
                .ok("w1", 21, 22, "read_own own-w1 1 -> missing")
                .ok("w2", 1, 9, "store b 2 600000")
                .ok("w2", 15, 16, "store b 3 500000")
                .breaks(checker, "only 500000 bytes meanwhile");
        new Story()
                .ok("w1", 10, 20, "store own-w1 1 50")
                .ok("w1", 21, 22, "read_own own-w1 1 -> missing")
                .ok("w2", 15, 16, "store b 3 300000")
                .ok("w2", 17, 18, "push line BACK 2 1 150000")
                .ok("w2", 19, 20, "read c -> missing")
                .keeps(checker);
        new Story()
                .ok("w1", 10, 20, "store own-w1 1 50")
                .ok("w1", 21, 22, "read_own own-w1 1 -> 2")
                .breaks(checker, "not what was stored");
    }
}
