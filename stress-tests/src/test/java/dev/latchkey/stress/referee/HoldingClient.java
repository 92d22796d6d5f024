package dev.latchkey.stress.referee;

import dev.latchkey.testing.Child;

/** Enters a place and stays there. */
final class HoldingClient {
    private HoldingClient() {}

    public static void main(String[] args) throws InterruptedException {
        Child.start();
        var referee = new RefereeConnection(Integer.parseInt(args[0]), args[1]);
        referee.enter("lock", 1);
        Child.say("HOLDS");
        Child.hear();
    }
}
