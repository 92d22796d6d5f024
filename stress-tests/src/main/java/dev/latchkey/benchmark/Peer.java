package dev.latchkey.benchmark;

import dev.latchkey.testing.Requirements;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A library that is measured, and what a user of it must know beside its figures. */
enum Peer {
    LATCHKEY("Latchkey", "yes", "all but the last moments; all with `sqlite_synchronous` 2"),
    /** To see what the group commit is good for: a build whose transactions carry one call each. */
    UNGROUPED("Latchkey, no group commit", "yes", "as Latchkey"),
    /** To see what the gate is good for: a build whose processes do not wait for each other's turns. */
    UNGATED("Latchkey, no gate", "yes", "as Latchkey"),
    /** To see what the wake-ups are good for, and that they are not needed: a build that wakes nobody who waits for a lock. */
    UNRUNG("Latchkey, no wake-ups", "yes", "as Latchkey"),
    DISKCACHE("python-diskcache", "yes; a lock stays held for ever", "all but the last moments"),
    JEDIS("Redis, Jedis", "of the client; not of the server as it is run here", "no, as it is run here"),
    REDISSON(
            "Redis, Redisson",
            "of the client, whose locks stay held for 30 s; not of the server as it is run here",
            "no, as it is run here"),
    CHRONICLE("Chronicle Map", "the entries; a segment whose owner was killed waits for a time-out", "no"),
    LMDB("LMDB, lmdbjava (NOSYNC)", "yes", "no: the file may be damaged"),
    FILE_LOCK("java.nio FileLock", "yes, it is free", "yes, it is free");

    /** What Chronicle Map asks for on a modular JDK; lmdbjava needs some of it too. */
    private static final List<String> OPENED = List.of(
            "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
            "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
            "--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED",
            "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
            "--add-opens=jdk.compiler/com.sun.tools.javac=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
            "--add-opens=java.base/java.io=ALL-UNNAMED",
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "--add-opens=java.base/java.util=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            "-Dchronicle.analytics.disable=true",
            "-Dchronicle.announcer.disable=true");

    private final String title;
    private final String survivesKill;
    private final String survivesPowerLoss;

    Peer(String title, String survivesKill, String survivesPowerLoss) {
        this.title = title;
        this.survivesKill = survivesKill;
        this.survivesPowerLoss = survivesPowerLoss;
    }

    String title() {
        return title;
    }

    /** Whether what was written is there after {@code kill -9}. */
    String survivesKill() {
        return survivesKill;
    }

    String survivesPowerLoss() {
        return survivesPowerLoss;
    }

    boolean needsRedis() {
        return this == JEDIS || this == REDISSON;
    }

    /** Whether it is this project; it can be opened or the run has failed. */
    boolean isOurs() {
        return this == LATCHKEY || this == UNGROUPED || this == UNGATED || this == UNRUNG;
    }

    boolean isPython() {
        return this == DISKCACHE;
    }

    /** Why it cannot be measured here; empty if it can. */
    String missing(RedisServer redis) {
        if (isPython() && Requirements.pythonIfAny().isEmpty()) {
            return "there is no python3 with the module diskcache";
        }
        return needsRedis() ? redis.missing() : "";
    }

    List<String> jvmOptions() {
        return this == CHRONICLE || this == LMDB ? OPENED : List.of();
    }

    /** Opens it in this process. */
    Subject open(Path directory, int redisPort) throws IOException {
        return switch (this) {
            case LATCHKEY, UNGROUPED, UNGATED, UNRUNG -> new LatchkeySubject(directory);
            case JEDIS -> new JedisSubject(redisPort);
            case REDISSON -> new RedissonSubject(redisPort);
            case CHRONICLE -> new ChronicleSubject(directory);
            case LMDB -> new LmdbSubject(directory);
            case FILE_LOCK -> new FileLockSubject(directory);
            case DISKCACHE -> throw new IllegalArgumentException("python-diskcache is opened by a script");
        };
    }
}
