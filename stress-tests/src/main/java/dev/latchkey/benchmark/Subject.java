package dev.latchkey.benchmark;

import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** A library, as a process uses it that shares a store with others. A call that the library has no counterpart for is refused. */
abstract class Subject {
    abstract void set(String key, String value) throws Exception;

    abstract @Nullable String get(String key) throws Exception;

    void setAll(Map<String, String> entries) throws Exception {
        throw lacks("setAll");
    }

    void setBytes(String key, byte[] value) throws Exception {
        throw lacks("setBytes");
    }

    byte @Nullable [] getBytes(String key) throws Exception {
        throw lacks("getBytes");
    }

    /** From now on the store may not take more space than it does. */
    void limit() throws Exception {
        throw lacks("limit");
    }

    /** How many entries there are. */
    long count() throws Exception {
        throw lacks("count");
    }

    /** A read that sees what is there now, and lasts until it is closed. */
    AutoCloseable snapshot() throws Exception {
        throw lacks("snapshot");
    }

    Future<?> setLater(String key, String value) {
        throw lacks("setLater");
    }

    void acquire(String name) throws Exception {
        throw lacks("acquire");
    }

    void release(String name) throws Exception {
        throw lacks("release");
    }

    void offer(String value) throws Exception {
        throw lacks("offer");
    }

    @Nullable
    String poll() throws Exception {
        throw lacks("poll");
    }

    /** Waits for an element. */
    String take() throws Exception {
        throw lacks("take");
    }

    /** Waits until the limit of so many a second lets it pass. */
    void pass(int perSecond) throws Exception {
        throw lacks("pass");
    }

    /** Looks a result up, or computes it. */
    String memoized(String key, Callable<String> function) throws Exception {
        throw lacks("memoized");
    }

    /** How the library writes to the disk, as it says now; not all can say. */
    String settings() throws Exception {
        return "-";
    }

    private UnsupportedOperationException lacks(String call) {
        return new UnsupportedOperationException(getClass().getSimpleName() + " has no " + call);
    }
}
