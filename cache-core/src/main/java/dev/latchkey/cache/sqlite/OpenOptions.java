package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.AbstractCacheBuilder;
import dev.latchkey.cache.Codec;
import dev.latchkey.cache.Setting;
import java.time.Duration;
import java.util.Map;

/**
 * What an {@link AbstractCacheBuilder} hands to an engine.
 *
 * @param settings in their stored form, for a directory that is created now
 * @param timeout how long a call waits for the database
 * @param codec how keys and values are stored
 * @param readOnly whether the directory is opened for reading alone
 * @param networkFileSystem whether it may be on a network file system
 * @param asyncThreads how many threads make the calls of the asynchronous face
 */
public record OpenOptions(
        Map<Setting, Object> settings,
        Duration timeout,
        Codec codec,
        boolean readOnly,
        boolean networkFileSystem,
        int asyncThreads) {
    /** The same with other settings. */
    OpenOptions with(Map<Setting, Object> others) {
        return new OpenOptions(others, timeout, codec, readOnly, networkFileSystem, asyncThreads);
    }
}
