package dev.latchkey.examples;

import java.util.Optional;

/** A worker that was killed in the middle of its work, and who went on with it. */
final class Victim {
    private final WorkerProcess worker;
    private final String item;
    private final boolean heldLock;
    private final long killedNanos;
    private Optional<Takeover> itemTakeover = Optional.empty();
    private Optional<Takeover> lockTakeover = Optional.empty();
    private long status;

    Victim(WorkerProcess worker, String item, boolean heldLock, long killedNanos) {
        this.worker = worker;
        this.item = item;
        this.heldLock = heldLock;
        this.killedNanos = killedNanos;
    }

    private record Takeover(long pid, long nanos) {
        @Override
        public String toString() {
            return String.format("pid %d after %.1f ms", pid, nanos / 1e6);
        }
    }

    /** Sees who goes on with what the victim held. */
    void saw(WorkerProcess by, WorkerEvent event) {
        if (by == worker) {
            status = event.kind() == WorkerEvent.Kind.ENDED ? event.number() : status;
        } else if (event.nanos() >= killedNanos) {
            Optional<Takeover> takeover = Optional.of(new Takeover(by.pid(), event.nanos() - killedNanos));
            if (event.kind() == WorkerEvent.Kind.CLAIMED && event.item().equals(item)) {
                itemTakeover = itemTakeover.or(() -> takeover);
            } else if (event.kind() == WorkerEvent.Kind.LOCKED && heldLock) {
                lockTakeover = lockTakeover.or(() -> takeover);
            }
        }
    }

    WorkerProcess worker() {
        return worker;
    }

    String item() {
        return item;
    }

    /** In lines for people. */
    String report() {
        String text = "killed pid " + worker.pid() + " while it held " + (heldLock ? "the lock and " : "") + item
                + "; its exit status is " + status + " = 128 + " + (status - 128);
        if (heldLock) {
            text += "\n    the lock was taken over by " + describe(lockTakeover);
        }
        return text + "\n    the item was taken over by " + describe(itemTakeover);
    }

    private static String describe(Optional<Takeover> takeover) {
        return takeover.map(Takeover::toString).orElse("nobody");
    }
}
