package dev.latchkey.coordination;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CacheException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The command line of {@link Inspector}. */
final class InspectorCommand {
    private static final int DONE = 0;
    private static final int FAILED = 1;
    private static final int WRONG_USAGE = 2;

    private static final String USAGE = """
            usage: java -cp ... dev.latchkey.coordination.Inspector DIRECTORY [--release NAME TOKEN]

            Shows who holds, waits for and has claimed what in the cache directory DIRECTORY, beside live processes.
            --release NAME TOKEN frees the lock or permits of NAME that have this TOKEN, or takes back the item that
            was claimed with it, whoever holds them: the way out when a holder is stopped for ever.

            Exit status: 0 done; 1 no cache in DIRECTORY, or nothing has this token; 2 wrong usage.""";

    private InspectorCommand() {}

    static int run(String[] args, PrintStream out, PrintStream err) {
        if (args.length == 1 && args[0].equals("--help")) {
            out.println(USAGE);
            return DONE;
        }
        boolean releases = args.length == 4 && args[1].equals("--release");
        if (args.length != 1 && !releases || args[0].startsWith("-")) {
            err.println(USAGE);
            return WRONG_USAGE;
        }
        try {
            Path directory = Path.of(args[0]);
            return releases
                    ? release(directory, args[2], Long.parseLong(args[3]), out, err)
                    : show(directory, out, err);
        } catch (NumberFormatException e) {
            err.println("TOKEN must be a number, was '" + args[3] + "'\n" + USAGE);
            return WRONG_USAGE;
        } catch (InvalidPathException e) {
            err.println("DIRECTORY must be a path: " + e.getMessage() + "\n" + USAGE);
            return WRONG_USAGE;
        } catch (CacheException | IllegalArgumentException e) {
            err.println(e.getMessage());
            return FAILED;
        }
    }

    /** Looking for something must not create it. */
    private static boolean exists(Path directory, PrintStream err) {
        boolean exists = Files.isRegularFile(directory.resolve("cache.db"));
        if (!exists) {
            err.println("there is no cache in " + directory.toAbsolutePath());
        }
        return exists;
    }

    private static int release(Path directory, String name, long token, PrintStream out, PrintStream err) {
        if (!exists(directory, err)) {
            return FAILED;
        }
        try (Cache cache = Cache.open(directory)) {
            if (Inspector.of(cache).forceRelease(name, token)) {
                out.println("released '" + name + "' with token " + token);
                return DONE;
            }
            err.println("nothing of the name '" + name + "' has the token " + token);
            return FAILED;
        }
    }

    private static int show(Path directory, PrintStream out, PrintStream err) {
        if (!exists(directory, err)) {
            return FAILED;
        }
        try (Cache cache = Cache.open(directory)) {
            print(Inspector.of(cache), out);
            return DONE;
        }
    }

    private static void print(Inspector inspector, PrintStream out) {
        Table locks = new Table(
                "LOCKS", "name", "kind", "mode", "token", "held for", "pid", "thread", "label", "lease ends in");
        inspector
                .locks()
                .forEach(lock -> locks.row(
                        lock.name(),
                        lock.kind(),
                        lock.mode(),
                        lock.holder().token(),
                        ago(lock.holder().since()),
                        lock.holder().pid(),
                        lock.holder().thread(),
                        lock.holder().label(),
                        lock.leaseEnd().map(InspectorCommand::until).orElse("")));
        locks.print(out);

        Table permits = new Table("PERMITS", "name", "held", "of", "token", "held for", "pid", "thread", "label");
        for (Inspector.Permits semaphore : inspector.permits()) {
            for (Holder holder : semaphore.holders()) {
                permits.row(
                        semaphore.name(),
                        holder.permits(),
                        semaphore.permits(),
                        holder.token(),
                        ago(holder.since()),
                        holder.pid(),
                        holder.thread(),
                        holder.label());
            }
            if (semaphore.holders().isEmpty()) {
                permits.row(semaphore.name(), 0, semaphore.permits(), "", "", "", "", "");
            }
        }
        permits.print(out);

        Table waiters = new Table(
                "WAITERS",
                "name",
                "kind",
                "position",
                "stage",
                "condition",
                "permits",
                "waits for",
                "pid",
                "thread",
                "label");
        inspector
                .waiters()
                .forEach(waiter -> waiters.row(
                        waiter.name(),
                        waiter.kind(),
                        waiter.position(),
                        waiter.stage(),
                        waiter.condition().orElse(""),
                        waiter.permits() == Integer.MAX_VALUE ? "all" : waiter.permits(),
                        ago(waiter.since()),
                        waiter.pid(),
                        waiter.thread(),
                        waiter.label()));
        waiters.print(out);

        Table barriers = new Table(
                "BARRIERS", "name", "waiting", "of", "generation", "phase", "waits for", "pid", "thread", "label");
        for (Inspector.Parties barrier : inspector.barriers()) {
            int waiting = barrier.waiting().size();
            for (Inspector.Party party : barrier.waiting()) {
                barriers.row(
                        barrier.name(),
                        waiting,
                        barrier.parties(),
                        barrier.generation(),
                        barrier.phase(),
                        ago(party.since()),
                        party.pid(),
                        party.thread(),
                        party.label());
            }
            if (waiting == 0) {
                barriers.row(
                        barrier.name(), 0, barrier.parties(), barrier.generation(), barrier.phase(), "", "", "", "");
            }
        }
        barriers.print(out);

        Table queues = new Table("QUEUES", "name", "ready", "delayed", "in flight", "dead");
        inspector
                .queues()
                .forEach(queue ->
                        queues.row(queue.name(), queue.ready(), queue.delayed(), queue.inFlight(), queue.dead()));
        queues.print(out);

        Table claims =
                new Table("CLAIMS", "queue", "item", "attempt", "token", "claimed for", "pid", "thread", "label");
        inspector
                .claims()
                .forEach(claim -> claims.row(
                        claim.queue(),
                        claim.item(),
                        claim.attempt(),
                        claim.token(),
                        ago(claim.since()),
                        claim.pid(),
                        claim.thread(),
                        claim.label()));
        claims.print(out);

        Table throttles = new Table("THROTTLES", "name", "count", "period", "burst", "remaining", "free in");
        inspector
                .throttles()
                .forEach(throttle -> throttles.row(
                        throttle.name(),
                        throttle.count(),
                        throttle.period(),
                        throttle.burst(),
                        throttle.remaining(),
                        throttle.freeAgain().map(InspectorCommand::untilMillis).orElse("")));
        throttles.print(out);

        Table sessions = new Table("SESSIONS", "session", "pid", "host", "label", "open for", "alive");
        inspector
                .sessions()
                .forEach(session -> sessions.row(
                        session.session(),
                        session.pid(),
                        session.host(),
                        session.label(),
                        ago(session.started()),
                        session.alive() ? "yes" : "no"));
        sessions.print(out);
    }

    private static String ago(Instant since) {
        return seconds(Duration.between(since, Instant.now()));
    }

    private static String until(Instant end) {
        return seconds(Duration.between(Instant.now(), end));
    }

    private static String untilMillis(Instant end) {
        return Math.max(0, Duration.between(Instant.now(), end).toMillis()) + " ms";
    }

    private static String seconds(Duration duration) {
        return Math.max(0, duration.toSeconds()) + " s";
    }

    /** Columns as wide as their widest cell. */
    private static final class Table {
        private final String title;
        private final List<List<String>> rows = new ArrayList<>();

        Table(String title, Object... columns) {
            this.title = title;
            row(columns);
        }

        void row(Object... cells) {
            List<String> row = new ArrayList<>();
            for (Object cell : cells) {
                row.add(printable(String.valueOf(cell)));
            }
            rows.add(row);
        }

        /** A name may hold anything, and must not break a line or talk to the terminal. */
        private static String printable(String cell) {
            StringBuilder text = new StringBuilder();
            cell.codePoints()
                    .map(character -> Character.isISOControl(character) ? '?' : character)
                    .forEach(text::appendCodePoint);
            return text.toString();
        }

        void print(PrintStream out) {
            out.println(title + (rows.size() == 1 ? ": none" : ""));
            for (List<String> row : rows.size() == 1 ? List.<List<String>>of() : rows) {
                StringBuilder line = new StringBuilder(" ");
                for (int i = 0; i < row.size(); i++) {
                    line.append(' ')
                            .append(row.get(i))
                            .append(" ".repeat(width(i) - row.get(i).length()));
                }
                out.println(line.toString().stripTrailing());
            }
        }

        private int width(int column) {
            Optional<Integer> widest =
                    rows.stream().map(row -> row.get(column).length()).max(Integer::compareTo);
            return widest.orElse(0);
        }
    }
}
