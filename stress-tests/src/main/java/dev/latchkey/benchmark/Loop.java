package dev.latchkey.benchmark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Some processes with some threads do one operation as fast as they can, from the starting gun on. One thread of one process is measured
 * by JMH, which is started in a process that was made for it.
 *
 * @param parameter of the operation; see {@link Operations#of}
 * @param each how many entries one operation stands for
 * @param entries how many entries there are before
 * @param place in a picture
 * @param isLong whether the short form leaves it out
 */
record Loop(
        String word,
        String title,
        String operation,
        int processes,
        int threads,
        long parameter,
        int each,
        int entries,
        List<Peer> peers,
        Optional<Place> place,
        boolean isLong)
        implements Case {

    static Loop of(String word, String title, String operation, int processes, int threads, Peer... peers) {
        return new Loop(word, title, operation, processes, threads, 0, 1, 0, List.of(peers), Optional.empty(), false);
    }

    Loop parameter(long number) {
        return new Loop(word, title, operation, processes, threads, number, each, entries, peers, place, isLong);
    }

    Loop each(int number) {
        return new Loop(word, title, operation, processes, threads, parameter, number, entries, peers, place, isLong);
    }

    Loop entries(int number) {
        return new Loop(word, title, operation, processes, threads, parameter, each, number, peers, place, isLong);
    }

    /** One of several in a picture; the short form leaves it out. */
    Loop at(String picture, String axis, long at, boolean isRate) {
        return new Loop(
                word,
                title,
                operation,
                processes,
                threads,
                parameter,
                each,
                entries,
                peers,
                Optional.of(new Place(picture, axis, at, isRate)),
                isLong);
    }

    Loop onlyInFull() {
        return new Loop(word, title, operation, processes, threads, parameter, each, entries, peers, place, true);
    }

    private static final long BETWEEN_CHANGES_MILLIS = 50;
    private static final long SPARE_MILLIS = 100;

    @Override
    public void prepare(Site site) {
        if (entries > 0) {
            site.witness().ask("fill " + entries, "FILLED " + entries);
        }
    }

    private boolean isForJmh() {
        return processes == 1 && threads == 1 && !operation.equals("set-async");
    }

    @Override
    public Round round(Site site) throws IOException {
        List<Party> parties = site.join(processes);
        int millis = site.arena().options().millis();
        List<String> lines = isForJmh() ? byJmh(site, parties.get(0), millis) : byOurselves(site, parties, millis);
        parties.forEach(Party::halt);
        List<Round.Result> results = new ArrayList<>();
        for (String line : lines) {
            results.add(Round.Result.parse("RESULT " + line));
        }
        site.verify(results);
        return Round.of(results);
    }

    private List<String> byJmh(Site site, Party party, int millis) {
        int calls = site.arena().options().warmUpCalls();
        party.tell("jmh %s %d %d %d %d".formatted(operation, millis, millis, parameter, calls));
        if (operation.equals("get")) {
            change(site.witness(), party, 2L * millis - SPARE_MILLIS);
        }
        return List.of(party.hear("RESULT"));
    }

    /** Every now and then another process changes what is read, and the reader must see it from the next read on. */
    private static void change(Party witness, Party reader, long millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (long number = 1; System.nanoTime() < end; number++) {
            witness.ask("set k0 " + Operations.value(number), "SET");
            reader.tell("expect " + number);
            pause(BETWEEN_CHANGES_MILLIS);
        }
        // the next round begins with a smaller number
        reader.tell("expect 0");
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while measuring", e);
        }
    }

    private List<String> byOurselves(Site site, List<Party> parties, int millis) {
        int calls = site.arena().options().warmUpCalls() / processes / threads;
        return all(
                parties, "measure %s %d %d %d %d %d".formatted(operation, threads, millis, millis, parameter, calls));
    }

    /** The processes contend for some other lock until it is compiled what they do and how they wait. */
    static void warmUpLocks(Site site, List<Party> parties) {
        BenchmarkOptions options = site.arena().options();
        if (!options.isShort()) {
            int calls = options.warmUpCalls() / parties.size();
            List<String> unused = all(parties, "measure lock 1 %d 1 1 %d".formatted(options.millis() / 2, calls));
        }
    }

    private static List<String> all(List<Party> parties, String command) {
        parties.forEach(party -> party.tell(command));
        parties.forEach(party -> party.hear("READY"));
        parties.forEach(party -> party.tell("GO"));
        return parties.stream().map(party -> party.hear("RESULT")).toList();
    }
}
