package dev.latchkey.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Deque;
import dev.latchkey.coordination.CyclicBarrier;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Processes;
import dev.latchkey.testing.Requirements;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@Tag("process")
final class ExamplesTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @RegisterExtension
    final Processes processes = new Processes();

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @Test
    void cacheMainFindsWhatItsFirstRunHasStored() {
        run(CacheMain.class);
        List<String> second = run(CacheMain.class);
        assertTrue(
                second.containsAll(List.of("hello", "runs so far: 2", "sold: 2", "added again: false")),
                second::toString);
    }

    @Test
    void codecMainReadsWhatEachCodecHasStored() {
        assertEquals(
                List.of("zipped: {name=Ada}", "another codec is refused", "serialized: Point[x=1, y=2]"),
                run(CodecMain.class));
    }

    @Test
    void asyncMainStoresAHundredPages() {
        assertEquals(List.of("100 pages, the last one: text 99"), run(AsyncMain.class));
    }

    @Test
    void listenerMainPrintsWhatHappensToItsEntry() {
        assertEquals(
                List.of("missed greeting", "stored greeting", "found greeting", "expired greeting"),
                run(ListenerMain.class));
    }

    @Test
    void lockMainHoldsTheLockAndWritesUnderIt() {
        List<String> output = run(LockMain.class);
        assertTrue(output.stream().anyMatch(line -> line.startsWith("holding: pid ")), output::toString);
        assertTrue(output.stream().anyMatch(line -> line.endsWith("reports: 1")), output::toString);
    }

    @Test
    void lockMainTakesOverFromOneThatIsKilled() {
        JavaProcess holder =
                processes.start(LockMain.class, directory.resolve("shared").toString(), "60");
        holder.await("holding", LIMIT);
        JavaProcess waiter =
                processes.start(LockMain.class, directory.resolve("shared").toString());
        waiter.await("waiting for pid " + holder.pid(), LIMIT);
        holder.kill();
        assertEquals(0, waiter.exitCode(LIMIT));
    }

    @Test
    void multiLockMainTransfersInBothDirections() {
        assertEquals(List.of("holding: [alice, bob]", "alice has 80, bob has 120"), run(MultiLockMain.class));
        assertEquals(List.of("holding: [alice, bob]", "alice has 60, bob has 140"), run(MultiLockMain.class));
    }

    @Test
    void multiLockMainTakesOverFromOneThatIsKilled() {
        String shared = directory.resolve("shared").toString();
        JavaProcess holder = processes.start(MultiLockMain.class, shared, "60");
        holder.await("holding", LIMIT);
        JavaProcess waiter = processes.start(MultiLockMain.class, shared);
        holder.kill();
        waiter.await("alice has 60", LIMIT);
        assertEquals(0, waiter.exitCode(LIMIT));
    }

    @Test
    void inspectorMainShowsWhatItHoldsAndFreesIt() {
        assertEquals(
                List.of(
                        "lock report: thread main",
                        "queue pages: attempt 1",
                        "session of dev.latchkey.examples.InspectorMain: alive true",
                        "freed: true",
                        "lost",
                        "queues: 1, locks: 0"),
                run(InspectorMain.class));
    }

    @Test
    void resilience4jMainKeepsTheLimitsInThreeProcesses() {
        String shared = directory.resolve("shared").toString();
        long start = System.nanoTime();
        List<JavaProcess> processesOfAll = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processesOfAll.add(processes.start(Resilience4jMain.class, shared));
        }
        for (JavaProcess process : processesOfAll) {
            process.await("calls: 20, attempts: 22, never more than 2 at once: true", LIMIT);
            process.await("breaker: CLOSED", LIMIT);
            assertEquals(0, process.exitCode(LIMIT));
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        try (Cache cache = Cache.open(directory.resolve("shared"))) {
            assertEquals(66, cache.get("served", Integer.class));
        }
        assertTrue(took.toMillis() >= 6 * 200 - 200, "66 of 10 in each 200 ms took " + took);
    }

    @Test
    void semaphoreMainTakesOnePermitAndThenBoth() {
        assertEquals(List.of("got a permit, free: 1", "alone, downloads: 1"), run(SemaphoreMain.class));
    }

    @Test
    void semaphoreMainGetsThePermitOfOneThatIsKilled() {
        String shared = directory.resolve("shared").toString();
        List<JavaProcess> inside = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            inside.add(processes.start(SemaphoreMain.class, shared, "60"));
            inside.get(i).await("got a permit", LIMIT);
        }
        JavaProcess waiter = processes.start(SemaphoreMain.class, shared, "60");
        waiter.await("inside: pid " + inside.get(0).pid(), LIMIT);
        waiter.await("inside: pid " + inside.get(1).pid(), LIMIT);
        inside.get(0).kill();
        waiter.await("got a permit, free: 0", LIMIT);
    }

    @Test
    void throttleMainSpacesItsCallsAndRefillsNothing() {
        List<String> more = List.of("the next one in more than a minute: true", "reserved: true", "given back: true");
        for (int sent : new int[] {3, 0}) { // the second run is another process
            List<String> expected = new ArrayList<>(List.of(
                    "fetched a",
                    "fetched b",
                    "fetched c",
                    "fetched d",
                    "four pages took at least 150 ms: true",
                    "mails sent: " + sent));
            expected.addAll(more);
            assertEquals(expected, run(ThrottleMain.class));
        }
    }

    @Test
    void averagerMainAddsUpOverSeveralRuns() {
        assertEquals(List.of("average: OptionalDouble[0.25]"), run(AveragerMain.class, "0.125", "0.375"));
        assertEquals(List.of("average: OptionalDouble[2.0]"), run(AveragerMain.class, "5.5"));
        assertEquals(List.of("taken: OptionalDouble[2.0]", "average: OptionalDouble.empty"), run(AveragerMain.class));
    }

    @Test
    void rLockMainLocksWithinALock() {
        assertEquals(List.of("balance: 100, held 1 time, locked: true", "locked: false"), run(RLockMain.class));
    }

    @Test
    void readWriteLockMainReadsTogetherAndWritesAlone() {
        assertEquals(
                List.of("reading twice: true, writing: false", "written: edition 1"), run(ReadWriteLockMain.class));
    }

    @Test
    void conditionMainPassesEveryLetterOn() {
        String box = directory.resolve("box").toString();
        JavaProcess taker = processes.start(ConditionMain.class, box, "take", "20");
        JavaProcess putter = processes.start(ConditionMain.class, box, "put", "20");
        assertEquals(0, putter.exitCode(LIMIT));
        assertEquals(0, taker.exitCode(LIMIT));
        assertEquals(
                20,
                taker.output().stream()
                        .filter(line -> line.startsWith("took letter "))
                        .count());
    }

    @Test
    void countDownLatchMainCountsEachShardOnce() {
        String shared = directory.resolve("shared").toString();
        JavaProcess waiter = processes.start(CountDownLatchMain.class, shared);
        waiter.await("waiting for 3 shards", LIMIT);
        assertEquals(List.of("loaded a, counted: true, to go: 2"), run(CountDownLatchMain.class, "a"));
        assertEquals(List.of("loaded a, counted: false, to go: 2"), run(CountDownLatchMain.class, "a"));
        run(CountDownLatchMain.class, "b");
        assertEquals(List.of("loaded c, counted: true, to go: 0"), run(CountDownLatchMain.class, "c"));
        waiter.await("all shards are loaded", LIMIT);
        assertEquals(0, waiter.exitCode(LIMIT));
    }

    private List<JavaProcess> waitingAtTheBarrier(int number) {
        List<JavaProcess> parties = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            parties.add(processes.start(
                    CyclicBarrierMain.class, directory.resolve("shared").toString()));
        }
        parties.forEach(party -> party.await("waiting for the others", LIMIT));
        return parties;
    }

    @Test
    void cyclicBarrierMainTakesThreeStepsTogether() {
        assertThreeStepsAreTakenTogether();
    }

    private void assertThreeStepsAreTakenTogether() {
        List<JavaProcess> parties = waitingAtTheBarrier(3);
        parties.forEach(party -> assertEquals(0, party.exitCode(LIMIT)));
        List<String> steps = new ArrayList<>();
        for (JavaProcess party : parties) {
            assertTrue(party.output().contains("through"), party.output()::toString);
            steps.addAll(party.output().stream()
                    .filter(line -> line.startsWith("step "))
                    .toList());
        }
        assertEquals(
                List.of("step 1: merged 3 parts", "step 2: merged 3 parts", "step 3: merged 3 parts"),
                steps.stream().sorted().toList());
    }

    @Test
    void cyclicBarrierMainLearnsThatAnotherHasDied() {
        List<JavaProcess> parties = waitingAtTheBarrier(2);
        try (Cache cache = Cache.open(directory.resolve("shared"))) {
            Awaitility.await().atMost(LIMIT).until(() -> new CyclicBarrier(cache, "step", 3).getNumberWaiting() == 2);
        }
        parties.get(0).kill();
        parties.get(1).await("one of the others has died", LIMIT);
        assertEquals(0, parties.get(1).exitCode(LIMIT));
        assertThreeStepsAreTakenTogether();
    }

    @Test
    void barrierMainBuildsOneAfterTheOtherAlsoIfOneIsKilled() {
        assertEquals(List.of("fetched, places left: 1", "building alone", "built edition 1"), run(BarrierMain.class));
        JavaProcess builder =
                processes.start(BarrierMain.class, directory.resolve("shared").toString(), "60");
        builder.await("building alone", LIMIT);
        JavaProcess next =
                processes.start(BarrierMain.class, directory.resolve("shared").toString());
        next.await("fetched", LIMIT);
        builder.kill();
        next.await("built edition 2", LIMIT);
        assertEquals(0, next.exitCode(LIMIT));
    }

    @Test
    void leaderElectionMainFollowsALeaderThatIsKilled() {
        String shared = directory.resolve("shared").toString();
        JavaProcess leader = processes.start(LeaderElectionMain.class, shared, "60");
        leader.await("leading, jobs: 1", LIMIT);
        JavaProcess next = processes.start(LeaderElectionMain.class, shared);
        next.await("standing by for pid " + leader.pid(), LIMIT);
        leader.kill();
        next.await("leading, jobs: 2", LIMIT);
        next.await("resigned after job 2", LIMIT);
        assertEquals(0, next.exitCode(LIMIT));
    }

    @Test
    void asyncLockMainWritesAllReportsAndHearsOfTheEndOfItsLease() {
        assertEquals(List.of("reports: 50", "lost in time: true"), run(AsyncLockMain.class));
    }

    @Test
    void memoizeMainComputesOnce() {
        assertEquals(
                List.of("computing 2^10", "1024.0", "1024.0", "stored as power:[2,10]", "forgotten: 1"),
                run(MemoizeMain.class));
    }

    @Test
    void memoizeStampedeMainRendersEachPageOnce() {
        assertEquals(List.of("100 pages, rendered 3"), run(MemoizeStampedeMain.class));
    }

    @Test
    void workQueueMainDoesAllItemsAndGivesUpTheBrokenOne() {
        List<String> output = run(WorkQueueMain.class);
        assertTrue(
                output.containsAll(List.of(
                        "attempt 1 at https://example.org/",
                        "attempt 1 at https://example.org/broken",
                        "attempt 2 at https://example.org/broken")),
                output::toString);
        assertTrue(output.get(output.size() - 1).contains("no such page"), output::toString);
    }

    @Test
    void workQueueOptionsMainSendsEveryMailOnceAndInOrder() {
        assertEquals(
                List.of(
                        "report: true",
                        "report again: false",
                        "ready: 2, delayed: 1",
                        "sent password to alice",
                        "sent report to bob",
                        "attempt 2 at reminder to bob",
                        "given up: reminder to bob, closed without ack",
                        "redriven: 1",
                        "sent reminder to bob"),
                run(WorkQueueOptionsMain.class));
    }

    @Test
    void dequeMainShowsEndsAndBounds() {
        assertEquals(
                List.of(
                        "rotated: [3, 4, 0, 1, 2], second: 4",
                        "first: 3, last: 2",
                        "rest: [4, 0, 1]",
                        "offered: true, true, false",
                        "recent: [tuesday, wednesday]"),
                run(DequeMain.class));
    }

    @Test
    void dequeMainWakesOneThatWaits() {
        String shared = directory.resolve("shared").toString();
        JavaProcess taker = processes.start(DequeMain.class, shared, "take", "60");
        taker.await("waiting", LIMIT);
        assertEquals(0, processes.start(DequeMain.class, shared, "put", "hello").exitCode(LIMIT));
        taker.await("took hello", LIMIT);
        assertEquals(0, taker.exitCode(LIMIT));
    }

    @Test
    void indexMainCountsWords() {
        assertEquals(
                List.of(
                        "in the order of their first occurrence: [the, cat, and, dog, bird]",
                        "the: 3",
                        "fish: null, then 1",
                        "last: fish=1",
                        "long words: 3"),
                run(IndexMain.class));
    }

    @Test
    void crawlerMainFetchesItsOwnSite() {
        List<String> output = run(CrawlerMain.class);
        assertEquals("fetched 100 pages, open: 0", output.get(output.size() - 1));
    }

    @Test
    void severalCrawlersFetchEachPageOnceAndEndTogether() throws IOException {
        int pages = 300;
        try (SmallSite site = SmallSite.start(pages)) {
            String shared = directory.resolve("shared").toString();
            List<JavaProcess> crawlers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                crawlers.add(processes.start(CrawlerMain.class, shared, site.url()));
            }
            crawlers.forEach(crawler -> assertEquals(0, crawler.exitCode(LIMIT)));
            assertEquals(pages, site.requests());
            int fetched = 0;
            for (JavaProcess crawler : crawlers) {
                String[] last = lastLine(crawler).split("[ ,]+", -1);
                fetched += Integer.parseInt(last[1]);
                assertEquals("0", last[4], () -> lastLine(crawler));
            }
            assertEquals(pages, fetched);
        }
    }

    @Test
    void aCrawlerThatIsKilledLosesNoMoreThanItsPageAndTheOthersEnd() throws IOException {
        try (SmallSite site = SmallSite.start(400)) {
            String shared = directory.resolve("shared").toString();
            JavaProcess victim = processes.start(CrawlerMain.class, shared, site.url());
            victim.await("fetched", LIMIT);
            victim.kill();
            JavaProcess heir = processes.start(CrawlerMain.class, shared, site.url());
            assertEquals(0, heir.exitCode(LIMIT));
            assertTrue(lastLine(heir).matches("fetched \\d+ pages, open: [01]"), () -> lastLine(heir));
        }
        try (Cache cache = Cache.open(directory.resolve("shared"))) {
            assertTrue(new Deque<>(cache, "frontier", String.class).isEmpty());
            assertTrue(cache.check(false).isClean());
        }
    }

    private static String lastLine(JavaProcess process) {
        List<String> lines = process.output();
        return lines.get(lines.size() - 1);
    }

    @Test
    void streamMainCountsTheLinesOfAFileThatItStored() throws IOException {
        Path file = Files.writeString(directory.resolve("lines.txt"), "one of many lines\n".repeat(20_000));
        assertEquals(List.of("lines: 20000", "still there: false"), run(StreamMain.class, file.toString()));
    }

    @Test
    void batchMainStoresReadsAndWalksOverManyEntries() {
        assertEquals(
                List.of(
                        "{12=12 times 12 is 144, 7=7 times 7 is 49}",
                        "first: [1, 2, 3]",
                        "last: [0, 1000, 999]",
                        "sorted: [0, 1, 2]",
                        "left: 501"),
                run(BatchMain.class));
    }

    @Test
    void expiryMainLosesOnlyWhatHasExpired() {
        assertEquals(
                List.of("login expires: true", "draft expires: false", "code: null", "removed: 1"),
                run(ExpiryMain.class));
    }

    @Test
    void tagsMainFindsAndRemovesByTag() {
        assertEquals(
                List.of("alice has [/home, /cart]", "tag of /mail: bob", "removed: 2", "left: [/mail]"),
                run(TagsMain.class));
    }

    @Test
    void fanoutMainSpreadsACacheOverShards() {
        assertEquals(
                List.of(
                        "sorted: [a, b, c, jobs-500000000000000]",
                        "changed my mind: a is still 1",
                        "thumbnails: 1",
                        "4 shards, report: done",
                        "refused"),
                run(FanoutMain.class));
    }

    @Test
    void queueMainServesItsQueuesInOrder() {
        assertEquals(
                List.of(
                        "key: jobs-500000000000000",
                        "key: jobs-500000000000001",
                        "key: jobs-499999999999999",
                        "key: 500000000000000",
                        "last: test",
                        "next: think",
                        "next: write",
                        "next: test",
                        "left: of the queue without a name"),
                run(QueueMain.class));
    }

    @Test
    void transactionMainUndoesATransferThatFails() {
        assertEquals(
                List.of("alice has 30", "alice is short of 41", "alice has 30", "bob has 70", "statement: sent 70"),
                run(TransactionMain.class));
    }

    @Test
    void evictionMainKeepsWhatIsPinnedPopularOrNew() {
        List<String> output = run(EvictionMain.class);
        assertEquals(
                List.of("pinned: true", "popular: true", "oldest: false", "newest: true", "kept more than ten: true"),
                output.subList(0, 5));
        assertTrue(output.get(5).contains("2048000 bytes, more than the limit of 1024000"), output::toString);
    }

    @Test
    void statisticsMainCountsAndAltersSettings() {
        assertEquals(
                List.of(
                        "Stats[hits=1, misses=1]",
                        "entries: 1",
                        "is on the disk: true",
                        "limit: 200000000",
                        "Stats[hits=0, misses=0]"),
                run(StatisticsMain.class));
    }

    @Test
    void checkMainFindsAndRepairsDamage() {
        List<String> output = run(CheckMain.class);
        assertEquals(List.of("no damage found", "large is there: false"), output.subList(0, 2));
        assertTrue(
                output.stream().anyMatch(line -> line.startsWith("FILE_MISSING: ") && line.endsWith(" (repaired)")),
                output::toString);
        assertEquals(List.of("clean again: true", "left: [small]"), output.subList(output.size() - 2, output.size()));
    }

    @Test
    void readOnlyMainSeesWhatOthersWriteAndWritesNothing() {
        assertEquals(List.of("hello", "good morning", "refused"), run(ReadOnlyMain.class));
    }

    @Test
    void pythonMainSharesItsDirectoryWithPython() {
        assertEquals(
                List.of(
                        "Java counts 1",
                        "Python reads ['Elbe']",
                        "Python counts 2",
                        "Java has mail from Python",
                        "Java reads {pi=3.14}"),
                run(PythonMain.class, Requirements.python()));
    }

    @Test
    void pythonMainSaysWhatItNeeds() {
        assertEquals(
                List.of("Java counts 1", "this example needs a no-such-python with the module diskcache"),
                run(PythonMain.class, "no-such-python"));
    }

    /** What a main prints to stdout. */
    private List<String> run(Class<?> main, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of(directory.resolve("shared").toString()));
        arguments.addAll(List.of(more));
        JavaProcess process = processes.start(main, arguments.toArray(String[]::new));
        assertEquals(0, process.exitCode(LIMIT), () -> process.output().toString());
        return process.output().stream()
                .filter(line -> !line.startsWith("stderr: "))
                .toList();
    }
}
