package dev.latchkey.stress.referee;

import dev.latchkey.testing.Child;
import java.nio.file.Path;
import java.time.Duration;

/** Starts a referee, and is there to be killed. */
final class RefereeStarter {
    private RefereeStarter() {}

    public static void main(String[] args) throws InterruptedException {
        Child.start();
        var referee = RefereeProcess.start(Path.of(args[0]), Duration.ofMinutes(2));
        referee.connect("w1").enter("lock", 1);
        Child.say("STARTED");
        Child.hear();
    }
}
