package dev.latchkey.coordination;

import dev.latchkey.testing.JavaCommand;
import dev.latchkey.testing.JavaProcess;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** All contracts are kept as well when it is another process that holds what is waited for. */
@Tag("process")
class ContractAcrossProcessesTest {
    private static JavaProcess other;

    @BeforeAll
    static void start() {
        other = JavaCommand.of(HolderChild.class)
                .lifetime(Duration.ofMinutes(5))
                .start();
        other.await("OPEN", CacheFixture.SOON);
    }

    @AfterAll
    static void end() {
        other.close();
    }

    private static Opponent opponent(AcquiringContract contract) {
        return new Opponent.Elsewhere(other, contract.what().opponent(), contract.directory.resolve("cache"));
    }

    @Nested
    class OfLock extends LockContractTest {
        @Override
        Opponent newOpponent() {
            return opponent(this);
        }
    }

    @Nested
    class OfReentrantLock extends RLockTest {
        @Override
        Opponent newOpponent() {
            return opponent(this);
        }
    }

    @Nested
    class OfReadLock extends ReadLockTest {
        @Override
        Opponent newOpponent() {
            return opponent(this);
        }
    }

    @Nested
    class OfWriteLock extends WriteLockTest {
        @Override
        Opponent newOpponent() {
            return opponent(this);
        }
    }

    @Nested
    class OfMultiLock extends MultiLockContractTest {
        @Override
        Opponent newOpponent() {
            return opponent(this);
        }
    }

    @Nested
    class OfPermits extends BoundedSemaphoreContractTest {
        @Override
        Opponent newOpponent() {
            return opponent(this);
        }
    }

    @Nested
    class OfWaiting extends WaitingContract {
        @Override
        Opposition newOpposition() {
            return new Opposition.Elsewhere(other, directory.resolve("cache"));
        }
    }
}
