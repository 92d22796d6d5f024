package dev.latchkey.coordination;

/** Threads of this process are in the way. */
class WaitingContractTest extends WaitingContract {
    @Override
    Opposition newOpposition() {
        return new Opposition.Here(cache);
    }
}
