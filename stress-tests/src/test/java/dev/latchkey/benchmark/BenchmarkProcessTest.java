package dev.latchkey.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.TestDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The benchmark with real processes. No time is asserted, only that everything was measured and found what it must. */
@Tag("process")
class BenchmarkProcessTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    private Site site(Peer peer, RedisServer redis) throws Exception {
        return new Site(peer, new Arena(BenchmarkOptions.parse(List.of("--short")), directory.path(), redis));
    }

    @Test
    void theShortFormMeasuresEveryCaseWithEveryPeer() throws Exception {
        BenchmarkOptions options = BenchmarkOptions.parse(List.of("--short", "--output", "target/benchmarks"));
        Benchmark.Run run = Benchmark.run(options);
        if (Boolean.getBoolean("latchkey.ci")) {
            assertEquals(Map.of(), run.missing());
        }
        assertEquals(
                Cases.of(options),
                run.outcomes().stream().map(Outcome::measured).toList());
        for (Outcome outcome : run.outcomes()) {
            for (Peer peer : outcome.measured().peers()) {
                assertEquals(
                        !run.missing().containsKey(peer),
                        outcome.of(peer).filter(result -> result.count() > 0).isPresent(),
                        outcome.measured().word() + " with " + peer);
            }
        }
        assertTrue(run.settings().get(Peer.LATCHKEY).contains("synchronous"));
        String page = Files.readString(Path.of("target/benchmarks/benchmarks.md"));
        assertTrue(page.contains("python-diskcache") && page.contains("## Targets"));
        for (String target : Page.targets(run.outcomes()).lines().toList()) {
            boolean growth = target.contains("within 2 x");
            assertTrue(growth || !run.missing().isEmpty() || !target.contains("not measured"), target);
        }
    }

    @Test
    void aReadThatMissesWhatAnotherProcessHasWrittenEndsTheMeasurement() throws Exception {
        try (RedisServer redis = RedisServer.start(directory.path());
                Site site = site(Peer.LATCHKEY, redis)) {
            site.witness().ask("fill 100", "FILLED");
            Party reader = site.join();
            reader.tell("expect 1"); // which nobody has written
            reader.tell("measure get 1 0 60000 0 0");
            reader.hear("READY");
            reader.tell("GO");
            assertEquals(1, reader.process().exitCode(LIMIT));
            assertTrue(String.join("\n", reader.process().output()).contains("but 1 was written before"));
        }
    }

    /** The warm-up is as long as it is with the other lengths, and the changes come after it. */
    @Test
    void aKeyThatIsReadIsChangedWhileItIsMeasuredNotOnlyBefore() throws Exception {
        try (RedisServer redis = RedisServer.start(directory.path());
                Site site = new Site(
                        Peer.LATCHKEY,
                        new Arena(BenchmarkOptions.parse(List.of("--millis", "200")), directory.path(), redis))) {
            Loop get = Loop.of("get", "get", "get", 1, 1, Peer.LATCHKEY).entries(Operations.KEYS);
            get.prepare(site);
            assertTrue(get.round(site).total() > 0);
            Round.Result unchanged = Round.Result.parse("RESULT 1 1 changes=0 10:1");
            assertThrows(IllegalStateException.class, () -> site.verify(List.of(unchanged)));
        }
    }

    @Test
    void aValueAndADequeAreLookedAtByAnotherProcessToo() throws Exception {
        try (RedisServer redis = RedisServer.start(directory.path());
                Site site = site(Peer.LATCHKEY, redis)) {
            Party writer = site.join();
            Loop.begin(List.of(writer), "measure set-bytes 1 0 50 1000 0");
            List<Round.Result> results = Loop.results(List.of(writer));
            site.verify(results);
            Loop.begin(List.of(writer), "measure set-bytes 1 0 50 1001 0");
            Loop.results(List.of(writer));
            assertThrows(IllegalStateException.class, () -> site.verify(results));
            Round.Result emptied = Round.Result.parse("RESULT 1 1 deque=null 10:1");
            site.verify(List.of(emptied));
            site.witness().ask("put", "PUT");
            assertThrows(IllegalStateException.class, () -> site.verify(List.of(emptied)));
        }
    }

    @Test
    void aPeerThatCannotBeOpenedIsNotMeasured() throws Exception {
        RedisServer none = RedisServer.start(directory.path());
        none.close();
        BenchmarkOptions options = BenchmarkOptions.parse(List.of("--short"));
        Map<Peer, String> missing = new EnumMap<>(Peer.class);
        Map<Peer, String> settings = Benchmark.settings(
                List.of(Loop.of("get", "get", "get", 1, 1, Peer.LATCHKEY, Peer.JEDIS)),
                new Arena(options, directory.path(), none),
                missing);
        assertEquals(Map.of(Peer.JEDIS, "cannot be opened here"), missing);
        assertEquals(Set.of(Peer.LATCHKEY), settings.keySet());
    }

    @Test
    void whoWaitsMustNotGetItWhileThatIsMeasured() throws Exception {
        try (RedisServer redis = RedisServer.start(directory.path());
                Site site = site(Peer.LATCHKEY, redis)) {
            site.join().tell("put"); // so that whoever waits for an element has one at once
            Waiting waiting = new Waiting("waiting", "waiting", List.of(Peer.LATCHKEY));
            assertThrows(IllegalStateException.class, () -> waiting.round(site));
        }
    }

    @Test
    void theCasesThatGrowWorkInTheirShortestForm() throws Exception {
        BenchmarkOptions options = BenchmarkOptions.parse(List.of(
                "get-1000",
                "set-1000",
                "lock-names-10",
                "lock-threads-2",
                "bytes-10",
                "lock-2",
                "--short",
                "--output",
                directory.path().toString()));
        Benchmark.Run run = Benchmark.run(options);
        assertEquals(6, run.outcomes().size());
        for (Outcome outcome : run.outcomes()) {
            assertTrue(outcome.of(Peer.LATCHKEY).orElseThrow().count() > 0);
        }
    }

    @Test
    void whatIsNotThereAfterTheLastSetIsNoticed() throws Exception {
        try (RedisServer redis = RedisServer.start(directory.path());
                Site site = site(Peer.LATCHKEY, redis)) {
            site.witness().ask("set s1.0.1 " + Operations.value(7), "SET");
            Round.Result right = Round.Result.parse("RESULT 1 1 s1.0.1=" + Operations.value(7) + " 10:1");
            Round.Result wrong = Round.Result.parse("RESULT 1 1 s1.0.1=" + Operations.value(8) + " 10:1");
            site.verify(List.of(right));
            assertThrows(IllegalStateException.class, () -> site.verify(List.of(wrong)));
        }
    }

    @Test
    void aLockThatTwoHaveAtOnceIsNoticed() throws Exception {
        try (RedisServer redis = RedisServer.start(directory.path());
                Site site = site(Peer.FILE_LOCK, redis)) {
            Party holder = site.join();
            holder.tell("measure lock 1 0 100 1 0");
            holder.hear("READY");
            holder.tell("GO");
            Round.Result result = Round.Result.parse("RESULT " + holder.hear("RESULT"));
            site.verify(List.of(result));
            Round.Result oneMore = Round.Result.parse("RESULT 1 1 tally=1 10:1"); // a grant that was not counted
            assertThrows(IllegalStateException.class, () -> site.verify(List.of(oneMore)));
        }
    }

    /** A thread that loses its processor for longer than it is to measure has measured something all the same. */
    @Test
    void oneOperationAtLeastIsMeasured() throws Exception {
        try (RedisServer redis = RedisServer.start(directory.path())) {
            for (Peer peer : List.of(Peer.LATCHKEY, Peer.DISKCACHE)) {
                if (peer.missing(redis).isEmpty()) {
                    try (Site site = site(peer, redis)) {
                        List<Party> parties = site.join(1);
                        Loop.begin(parties, "measure set 1 0 0 0 0");
                        List<Round.Result> results = Loop.results(parties);
                        assertEquals(1, results.get(0).operations());
                        site.verify(results);
                    }
                }
            }
        }
    }

    /** The short form has no such warm-up. */
    @Test
    void locksThatWereWarmedUpAloneAreCountedByTheContendedCallsOnly() throws Exception {
        try (RedisServer redis = RedisServer.start(directory.path())) {
            for (Peer peer : List.of(Peer.LATCHKEY, Peer.REDISSON, Peer.FILE_LOCK)) {
                if (peer.missing(redis).isEmpty()) {
                    try (Site site = site(peer, redis)) {
                        List<Party> parties = site.join(2);
                        parties.forEach(party -> party.tell("measure lock 1 0 100 1 50"));
                        parties.forEach(party -> party.hear("READY"));
                        parties.forEach(party -> party.tell("GO"));
                        List<Round.Result> results = new java.util.ArrayList<>();
                        for (Party party : parties) {
                            results.add(Round.Result.parse("RESULT " + party.hear("RESULT")));
                        }
                        site.verify(results);
                    }
                }
            }
        }
    }

    @Test
    void aRequiredPeerThatIsMissingFailsTheCommand() {
        JavaCommand command = JavaCommand.of(
                        Benchmark.class,
                        "open",
                        "--short",
                        "--output",
                        directory.path().toString())
                .startedBy("/usr/bin/env", "PATH=" + directory.resolve("nothing"))
                .options("-Dlatchkey.tmp=" + directory.path(), "-Dpeers=required");
        try (JavaProcess process = command.start()) {
            assertEquals(1, process.exitCode(LIMIT));
            assertTrue(String.join("\n", process.output()).contains("there is no redis-server"));
            assertFalse(Files.exists(directory.resolve("benchmarks.md")));
        }
    }
}
