package dev.latchkey.benchmark;

import java.util.List;
import java.util.Optional;

/** What came of a case. */
record Outcome(Case measured, List<Measured> peers) {

    Optional<Measured> of(Peer peer) {
        return peers.stream().filter(result -> result.peer() == peer).findFirst();
    }
}
