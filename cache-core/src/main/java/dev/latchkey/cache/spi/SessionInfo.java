package dev.latchkey.cache.spi;

/**
 * A session in words, for people; liveness is another matter.
 *
 * @param session its number
 * @param pid the process, in its own PID name space
 * @param host the host name
 * @param label what the process calls itself
 * @param startedMillis when it was opened, wall clock
 */
public record SessionInfo(long session, long pid, String host, String label, long startedMillis) {}
