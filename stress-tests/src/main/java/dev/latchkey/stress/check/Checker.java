package dev.latchkey.stress.check;

import java.util.List;

/** Judges a run by one promise. */
@FunctionalInterface
public interface Checker {
    /** What in the run broke the promise; empty if nothing did. */
    List<Violation> check(Run run);
}
