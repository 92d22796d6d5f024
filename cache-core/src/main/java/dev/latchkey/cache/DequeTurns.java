package dev.latchkey.cache;

import com.google.common.collect.MapMaker;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.StoredQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The threads of this process that wait for the deques of one directory. Of those that wait for the same thing one at a time sleeps
 * until it is rung and looks now and then, and the others wait in order for that one to leave: so all of them cost as much as one.
 */
final class DequeTurns implements AutoCloseable {
    private final CoordinationEngine engine;
    /** Kept as long as some deque of the name is. */
    private final ConcurrentMap<String, ReentrantLock> byName =
            new MapMaker().weakValues().makeMap();

    private DequeTurns(CoordinationEngine engine) {
        this.engine = engine;
    }

    private static DequeTurns of(CoordinationEngine engine) {
        return engine.attachment(DequeTurns.class, DequeTurns::new);
    }

    /** Held by the thread that waits for an item. */
    static ReentrantLock forItems(StoredQueue queue) {
        return of(queue.engine()).turn(queue.itemName());
    }

    /** Held by the thread that waits for room. */
    static ReentrantLock forRoom(StoredQueue queue) {
        return of(queue.engine()).turn(queue.roomName());
    }

    private ReentrantLock turn(String name) {
        return byName.computeIfAbsent(name, missing -> new ReentrantLock(true));
    }

    /** Whoever sleeps finds that the engine is closed. */
    @Override
    public void close() {
        byName.keySet().forEach(engine.signal()::ring);
    }
}
