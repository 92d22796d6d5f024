package dev.latchkey.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CpuTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @RegisterExtension
    final Processes processes = new Processes();

    static final class Worker {
        public static void main(String[] args) throws InterruptedException {
            Child.start();
            Child.say("idle");
            Child.hear();
            Child.say("busy");
            while (Child.hearNow() == null) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void aBusyChildUsesTimeAndAnIdleOneDoesNot() {
        JavaProcess worker = processes.start(Worker.class);
        worker.await("idle", LONG);
        Cpu idle = Cpu.required(worker.pid());
        worker.send("work");
        worker.await("busy", LONG);
        Awaitility.await().atMost(LONG).until(() -> used(worker, idle).time().toMillis() >= 100);
        assertTrue(used(worker, idle).voluntarySwitches() >= 1);
        assertTrue(used(worker, idle).writeCalls() >= 1);
    }

    @Test
    void thereIsNoAnswerForAProcessThatIsGone() {
        JavaProcess worker = processes.start(Worker.class);
        worker.kill();
        assertEquals(Optional.empty(), Cpu.of(worker.pid()));
    }

    private static Cpu used(JavaProcess worker, Cpu earlier) {
        return Cpu.required(worker.pid()).since(earlier);
    }
}
