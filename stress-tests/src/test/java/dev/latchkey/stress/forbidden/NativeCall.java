package dev.latchkey.stress.forbidden;

import com.sun.jna.Native;

/** Calls native code of its own. */
final class NativeCall {
    int error() {
        return Native.getLastError();
    }
}
