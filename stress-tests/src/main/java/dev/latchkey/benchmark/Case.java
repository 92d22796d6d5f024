package dev.latchkey.benchmark;

import java.util.List;
import java.util.Optional;

/** Something that is measured with several peers, round by round. */
interface Case {
    /** How it is called on the command line. */
    String word();

    /** What is measured, for people. */
    String title();

    List<Peer> peers();

    /** Measures once. */
    Round round(Site site) throws Exception;

    /** To be done once with a new store. */
    default void prepare(Site site) throws Exception {}

    /** How many entries or calls one operation stands for. */
    default int each() {
        return 1;
    }

    /** Whether its figures are latencies, or others only. */
    default boolean hasLatencies() {
        return true;
    }

    /** Whether the short form leaves it out. */
    default boolean isLong() {
        return false;
    }

    /** Where its result stands in a picture that several cases share. */
    default Optional<Place> place() {
        return Optional.empty();
    }

    /**
     * A place in a picture that several cases share.
     *
     * @param picture its name, and that of the file
     * @param axis what the number is
     * @param at the number
     * @param isRate whether the picture shows the rate, not the median of the latencies
     */
    record Place(String picture, String axis, long at, boolean isRate) {}
}
