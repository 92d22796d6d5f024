package dev.latchkey.cache.spi;

/**
 * A committed transition.
 *
 * @param <R> what the caller learns
 * @param state the state after the commit
 * @param result the transition's answer
 */
public record Update<R>(State state, R result) {}
