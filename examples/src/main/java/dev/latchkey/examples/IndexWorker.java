package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Claim;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.LockHandle;
import dev.latchkey.coordination.WorkQueue;
import dev.latchkey.examples.SharedIndex.Shard;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A worker of {@link WordIndexDemo}: claims files, counts their words and merges them into the shared index, until its stdin
 * ends, be it that the parent has closed it or died.
 *
 * <p>It does not know that it may be killed, and nothing in it waits for that. It says on stdout what it does, see {@link
 * WorkerEvent}.
 */
final class IndexWorker {
    static final String QUEUE = "files";
    static final String LOCK = "index";
    static final String UNLOCKED = "--without-lock";

    /** More than a patient person kills workers: an item that is given up would be missing. */
    static final int MAX_ATTEMPTS = 1000;

    private final Cache cache;
    private final WorkQueue<String> queue;
    private final Lock lock;
    private final SharedIndex index;
    private final Path files;
    private final boolean locking;
    private final PrintStream out =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

    private IndexWorker(Cache cache, Path files, boolean locking) {
        this.cache = cache;
        this.queue = queue(cache);
        this.lock = new Lock(cache, LOCK);
        this.index = new SharedIndex(cache);
        this.files = files;
        this.locking = locking;
    }

    static WorkQueue<String> queue(Cache cache) {
        return WorkQueue.withMaxAttempts(cache, QUEUE, String.class, MAX_ATTEMPTS);
    }

    /**
     * Runs a worker.
     *
     * @param args the directory of the cache, the folder of the files, and perhaps {@value #UNLOCKED}
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            IndexWorker worker = new IndexWorker(cache, Path.of(args[1]), args.length == 2);
            worker.say(WorkerEvent.Kind.READY, 0, "");
            if (System.in.read() != -1) { // the starting gun
                endWithParent(Thread.currentThread());
                worker.work();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            // the parent wants no more or is gone; a claimed item was given back
        }
    }

    private static void endWithParent(Thread worker) {
        Thread watch = new Thread(() -> {
            awaitEndOfInput();
            worker.interrupt();
        });
        watch.setDaemon(true);
        watch.start();
    }

    private static void awaitEndOfInput() {
        try {
            System.in.transferTo(PrintStream.nullOutputStream());
        } catch (IOException e) {
            // is an end, too
        }
    }

    private void work() throws IOException, InterruptedException {
        while (true) {
            Optional<Claim<String>> next = queue.claim(Duration.ofSeconds(10));
            if (next.isPresent()) {
                try (Claim<String> claim = next.get()) {
                    say(WorkerEvent.Kind.CLAIMED, claim.attempt(), claim.value());
                    merge(claim, WordCount.of(files.resolve(claim.value())));
                }
            }
        }
    }

    private void merge(Claim<String> claim, WordCount file) throws InterruptedException {
        if (!locking) {
            Map<String, Shard> merged = index.plus(file);
            cache.transact(() -> store(claim, file, merged));
            say(WorkerEvent.Kind.MERGED, 0, claim.value());
            return;
        }
        say(WorkerEvent.Kind.WAITING, 0, claim.value());
        try (LockHandle handle = lock.acquire()) {
            say(WorkerEvent.Kind.LOCKED, handle.fencingToken(), claim.value());
            Map<String, Shard> merged = index.plus(file);
            // The index, the counters and the acknowledgement are one transaction: whoever dies before its commit has
            // changed nothing, and the item goes to another worker; whoever dies after it has left nothing to do. And
            // it
            // commits only while the lock is held.
            handle.runFenced(() -> store(claim, file, merged));
            say(WorkerEvent.Kind.MERGED, handle.fencingToken(), claim.value());
        }
    }

    private void store(Claim<String> claim, WordCount file, Map<String, Shard> merged) {
        index.store(claim.value(), file, merged);
        claim.ack();
    }

    private void say(WorkerEvent.Kind kind, long number, String item) {
        out.println(new WorkerEvent(kind, System.nanoTime(), number, item).toLine());
    }
}
