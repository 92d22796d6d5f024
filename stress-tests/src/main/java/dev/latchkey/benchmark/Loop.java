package dev.latchkey.benchmark;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

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
    private static final String RESULT = "RESULT";
    private static final String GET = "get";
    private static final String SET_NEW = "set-new";

    @Override
    public void prepare(Site site) {
        if (entries > 0) {
            site.witness().ask("fill " + entries, "FILLED " + entries);
        }
        if (operation.equals(SET_NEW)) {
            site.witness().ask("limit", "LIMITED");
        }
    }

    private boolean isForJmh() {
        return processes == 1 && threads == 1 && !operation.equals("set-async");
    }

    @Override
    public Round round(Site site) throws IOException {
        List<Party> parties = site.join(processes);
        int millis = site.arena().options().millis();
        int calls = site.arena().options().warmUpCalls() / processes / threads;
        String how = isForJmh() ? "jmh" : "measure";
        if (operation.equals(GET)) {
            site.witness().ask("set k0 " + Operations.value(0), "SET"); // the round before has changed it
        }
        begin(parties, "%s %s %d %d %d %d %d".formatted(how, operation, threads, millis, millis, parameter, calls));
        if (operation.equals(GET)) {
            change(site, parties.get(0));
        }
        List<Round.Result> results = results(parties);
        parties.forEach(Party::halt);
        site.verify(results);
        if (operation.equals(SET_NEW)) {
            long count = Long.parseLong(site.witness().ask("count", "COUNTED"));
            site.require(
                    Math.abs(count - entries) < entries / 4, count + " entries, where " + entries + " were the limit");
        }
        return Round.of(results);
    }

    /** Every now and then another process changes what is read, and the reader must see it from the next read on. */
    private static void change(Site site, Party reader) {
        long latest = System.nanoTime() + site.arena().patience().toNanos();
        for (long number = 1; !reader.hasSaid(RESULT) && System.nanoTime() < latest; number++) {
            site.witness().ask("set k0 " + Operations.value(number), "SET");
            reader.tell("expect " + number);
            pause(BETWEEN_CHANGES_MILLIS);
        }
    }

    static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while measuring", e);
        }
    }

    /** The processes contend for some other lock until it is compiled what they do and how they wait. */
    static void warmUpLocks(Site site, List<Party> parties) {
        BenchmarkOptions options = site.arena().options();
        if (!options.isShort()) {
            int calls = options.warmUpCalls() / parties.size();
            begin(parties, "measure lock 1 %d 1 1 %d".formatted(options.millis() / 2, calls));
            List<Round.Result> unused = results(parties);
        }
    }

    /** All begin at once, when all are ready. */
    static void begin(List<Party> parties, String command) {
        parties.forEach(party -> party.tell(command));
        parties.forEach(party -> party.hear("READY"));
        parties.forEach(party -> party.tell("GO"));
    }

    static List<Round.Result> results(List<Party> parties) {
        return parties.stream()
                .map(party -> Round.Result.parse(RESULT + " " + party.hear(RESULT)))
                .toList();
    }
}
