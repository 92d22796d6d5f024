package dev.latchkey.testing;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The children that have not been closed yet; they are killed when this JVM exits. Most would halt by
 * themselves at the end of their input, but a stopped one cannot.
 */
final class Survivors {
    private static final Set<ProcessHandle> HANDLES = ConcurrentHashMap.newKeySet();

    static {
        Thread end = new Thread(() -> HANDLES.forEach(ProcessHandle::destroyForcibly), "kill survivors");
        Runtime.getRuntime().addShutdownHook(end);
    }

    private Survivors() {}

    static void add(ProcessHandle child) {
        HANDLES.add(child);
    }

    static void remove(ProcessHandle child) {
        HANDLES.remove(child);
    }
}
