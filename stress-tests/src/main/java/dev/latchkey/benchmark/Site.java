package dev.latchkey.benchmark;

import dev.latchkey.testing.DirectoryTree;
import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Python;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A store of one peer for one case, and the processes that use it. */
final class Site implements AutoCloseable {
    /** A process ends with the driver; some cases take an hour. */
    private static final Duration LIFETIME = Duration.ofHours(12);

    private final Peer peer;
    private final Arena arena;
    private final Path directory;
    private final Party witness;
    private final List<Party> parties = new ArrayList<>();
    private int started;
    private long grants;

    /** Begins with an empty store. */
    Site(Peer peer, Arena arena) throws IOException {
        this.peer = peer;
        this.arena = arena;
        this.directory = Files.createTempDirectory(arena.folder(), peer.name().toLowerCase(java.util.Locale.ROOT));
        this.witness = join();
    }

    Peer peer() {
        return peer;
    }

    Path directory() {
        return directory;
    }

    Arena arena() {
        return arena;
    }

    /** The process that is not measured: it fills the store, changes it, and reads what the others have left. */
    Party witness() {
        return witness;
    }

    /** Starts another process on the store. */
    Party join(String... moreOptions) {
        String name = Integer.toString(started++);
        String port = Integer.toString(arena.redis().port());
        JavaProcess process;
        if (peer.isPython()) {
            process = Python.start(script(), directory.toString(), port, name);
        } else {
            JavaCommand command = JavaCommand.of(Client.class, peer.name(), directory.toString(), port, name)
                    .options(arena.compiler(), "-Xmx512m", "-Djmh.ignoreLock=true")
                    // what a halted process has unpacked goes away with the folder
                    .options("-Djava.io.tmpdir=" + arena.folder(), "-Djna.tmpdir=" + arena.folder())
                    .options(peer.jvmOptions().toArray(String[]::new))
                    .options(moreOptions)
                    .lifetime(LIFETIME);
            arena.replacedFor(peer).ifPresent(command::inFront);
            process = command.start();
        }
        Party party = new Party(process, arena.patience());
        parties.add(party);
        return party;
    }

    List<Party> join(int count) {
        List<Party> more = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            more.add(join());
        }
        return more;
    }

    private static String script() {
        try (InputStream script = Site.class.getResourceAsStream("client.py")) {
            return new String(Objects.requireNonNull(script).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Another process finds what the last {@code set} that returned has written, and whoever had the lock had it alone. To be asked when
     * the process that measured has halted.
     */
    void verify(List<Round.Result> results) throws IOException {
        for (Round.Result result : results) {
            long changes = -1;
            for (String last : result.last()) {
                String[] entry = last.split("=");
                switch (entry[0]) {
                    case Operations.TALLY -> grants += Long.parseLong(entry[1]);
                    case Operations.CHANGES -> changes = Math.max(changes, Long.parseLong(entry[1]));
                    default -> {
                        String found = witness.ask(question(entry[0]), "GOT");
                        require(found.equals(entry[1]), entry[0] + " has " + found + " instead of " + entry[1]);
                    }
                }
            }
            require(changes != 0 || arena.options().isShort(), "nothing was changed while it was read");
        }
        Path tally = directory.resolve(Operations.TALLY);
        if (Files.exists(tally)) {
            long counted = ByteBuffer.wrap(Files.readAllBytes(tally))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getLong();
            require(
                    counted == grants,
                    grants + " times the lock was held, but counted alone only " + counted + " times");
        }
    }

    private static String question(String about) {
        if (about.equals(Operations.DEQUE)) {
            return "poll";
        }
        return about.startsWith(Operations.SUM_OF)
                ? "sum " + about.substring(Operations.SUM_OF.length())
                : "get " + about;
    }

    /** A measurement of something that does not work is none. */
    void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalStateException(peer.title() + ": " + otherwise);
        }
    }

    @Override
    public void close() {
        parties.forEach(party -> party.process().killNow());
        parties.forEach(Party::close);
        DirectoryTree.delete(directory);
    }
}
