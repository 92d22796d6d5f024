package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Holder;
import dev.latchkey.coordination.Lock;
import dev.latchkey.coordination.WorkQueue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The worker processes: starts them, listens to what they say, kills one in the middle of its work, starts another one when none
 * is left, and ends when all files are merged.
 */
final class WorkerCrew implements AutoCloseable {
    private final DemoOptions options;
    private final DemoDirectory directory;
    private final Display display;
    private final List<String> items;
    private final Cache cache;
    private final WorkQueue<String> queue;
    private final Lock lock;
    private final SharedIndex index;
    private final BlockingQueue<Said> events = new LinkedBlockingQueue<>();
    private final List<WorkerProcess> living = new ArrayList<>();
    private final List<WorkerProcess> ready = new ArrayList<>();
    private final Map<String, Claimed> claims = new HashMap<>();
    private final Handovers handovers = new Handovers();
    private final Signals signals;
    private Optional<Victim> victim = Optional.empty();
    private int kills;
    private int deaths;
    private int merged;
    private boolean begun;
    private boolean ending;
    private boolean closed;

    private record Said(WorkerProcess worker, WorkerEvent event) {}

    private record Claimed(WorkerProcess worker, long attempt) {}

    WorkerCrew(DemoOptions options, DemoDirectory directory, Display display, List<String> items) throws IOException {
        this.options = options;
        this.directory = directory;
        this.display = display;
        this.items = items;
        this.signals = new Signals();
        this.cache = directory.open(this::close);
        this.queue = IndexWorker.queue(cache);
        this.lock = new Lock(cache, IndexWorker.LOCK);
        this.index = new SharedIndex(cache);
    }

    SharedIndex index() {
        return index;
    }

    /** Does all the work. */
    void run() throws IOException, InterruptedException {
        cache.transact(() -> items.forEach(queue::put));
        for (int i = 0; i < options.workers(); i++) {
            start();
        }
        while (index.files() < items.size()) {
            listen(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(20));
            display.progress(this::status);
        }
        ending = true;
        living.forEach(WorkerProcess::end);
        while (!living.isEmpty()) {
            listen(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private void listen(long untilNanos) throws IOException, InterruptedException {
        for (long left = 1; left > 0; left = untilNanos - System.nanoTime()) {
            Said said = events.poll(left, TimeUnit.NANOSECONDS);
            if (said != null) {
                handle(said.worker, said.event);
            }
        }
    }

    private void handle(WorkerProcess worker, WorkerEvent event) throws IOException {
        WorkerEvent before = worker.saw(event);
        victim.ifPresent(killed -> killed.saw(worker, event));
        switch (event.kind()) {
            case READY -> ready(worker);
            case CLAIMED -> claimed(worker, event);
            case WAITING -> {}
            case LOCKED -> locked(worker, event, before.nanos());
            case MERGED -> merged(event);
            case ENDED -> ended(worker, event, before);
        }
    }

    private void ready(WorkerProcess worker) {
        ready.add(worker);
        fireStartingGun();
    }

    /** All begin at once; who comes later begins when he comes. */
    private void fireStartingGun() {
        if (begun || ready.containsAll(living)) {
            begun = true;
            ready.forEach(WorkerProcess::go);
            ready.clear();
        }
    }

    private void claimed(WorkerProcess worker, WorkerEvent event) throws IOException {
        Claimed before = claims.put(event.item(), new Claimed(worker, event.number()));
        if (before != null) {
            display.say(
                    worker + " took over " + event.item() + " from " + before.worker + ", attempt " + event.number());
        }
        boolean lockHolderWanted = options.locking() && merged < items.size() * 3 / 5;
        if (!lockHolderWanted) {
            kill(worker, event.item(), false);
        }
    }

    private void locked(WorkerProcess worker, WorkerEvent event, long waitingNanos) throws IOException {
        handovers.locked(event.number(), worker.pid(), waitingNanos, event.nanos());
        kill(worker, event.item(), true);
    }

    private void merged(WorkerEvent event) {
        merged++;
        handovers.releasing(event.number(), event.nanos());
    }

    /**
     * Kills a worker if it is in the middle of its work. It is stopped first, so that what the shared directory says about it
     * stays true until it is killed. One that has gone on while this process was late is left alone.
     */
    private void kill(WorkerProcess worker, String item, boolean onlyWithLock) throws IOException {
        boolean wanted = options.killing() && victim.isEmpty() && merged >= items.size() / 4;
        if (!wanted || !worker.isStillAt(item) || !signals.stop(worker.pid())) {
            return;
        }
        boolean holdsLock =
                lock.holder().filter(holder -> holder.pid() == worker.pid()).isPresent();
        if (index.merges(item) == 0 && (holdsLock || !onlyWithLock)) {
            long nanos = worker.kill();
            victim = Optional.of(new Victim(worker, item, holdsLock, nanos));
            kills++;
            display.say("killed " + worker + ", which holds " + (holdsLock ? "the lock and " : "") + item);
        } else {
            signals.resume(worker.pid());
        }
    }

    private void ended(WorkerProcess worker, WorkerEvent event, WorkerEvent before) throws IOException {
        living.remove(worker);
        ready.remove(worker);
        if (ending) {
            return;
        }
        deaths++;
        if (event.number() < 128) {
            throw new IllegalStateException("worker " + worker + " failed with exit status " + event.number());
        }
        String item = before.workingOn();
        display.say(worker + " is dead, exit status " + event.number() + (item.isEmpty() ? "" : "; it held " + item));
        // who was stopped after its commit had nothing left to take over: kill another one
        victim = victim.filter(
                killed -> killed.worker() != worker || index.merges(killed.item()) == 0 || wasTakenOver(killed));
        if (living.isEmpty()) {
            start();
        } else {
            fireStartingGun();
        }
    }

    private boolean wasTakenOver(Victim killed) {
        Claimed claimed = claims.get(killed.item());
        return claimed != null && claimed.worker != killed.worker();
    }

    private synchronized void start() throws IOException {
        if (closed) {
            throw new IllegalStateException("the demo is ending");
        }
        List<String> arguments = new ArrayList<>(
                List.of(directory.cache().toString(), directory.files().toString()));
        if (!options.locking()) {
            arguments.add(IndexWorker.UNLOCKED);
        }
        WorkerProcess worker =
                WorkerProcess.start(directory.temporary(), arguments, (who, event) -> events.add(new Said(who, event)));
        living.add(worker);
        display.say("started worker " + worker);
    }

    private String status() {
        if (!begun) {
            return ready.size() + " of " + living.size() + " workers are ready";
        }
        StringBuilder text = new StringBuilder(Display.bar(index.files(), items.size()));
        Optional<Holder> holder = lock.holder();
        text.append(" lock: ").append(holder.map(now -> "pid " + now.pid()).orElse("free"));
        text.append(" +").append(lock.waiters()).append(" waiting");
        for (WorkerProcess worker : living) {
            String item = worker.item();
            text.append(" | ").append(worker.pid()).append(' ').append(item.substring(item.lastIndexOf('/') + 1));
        }
        return text.toString();
    }

    /** In lines for people. */
    List<String> report() {
        List<String> lines = new ArrayList<>();
        long attempts = claims.values().stream().mapToLong(Claimed::attempt).sum();
        lines.add(items.size() + " items, " + attempts + " attempts, " + kills + " killed by the demo, " + deaths
                + " workers lost in all");
        List<Long> nanos = handovers.nanos();
        if (!nanos.isEmpty()) {
            lines.add(String.format(
                    "%d lock grants, %d hand-overs between processes: median %.2f ms, longest %.2f ms",
                    handovers.grants(),
                    nanos.size(),
                    nanos.get(nanos.size() / 2) / 1e6,
                    nanos.get(nanos.size() - 1) / 1e6));
        }
        victim.ifPresent(killed -> lines.add(killed.report()));
        return lines;
    }

    /** Kills what still lives. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            List<WorkerProcess> left = List.copyOf(living);
            left.forEach(WorkerProcess::kill);
            left.forEach(WorkerProcess::awaitEnd);
            signals.close();
            cache.close();
        }
    }
}
