package dev.latchkey.benchmark;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** The {@code redis-server} of this machine, on a port of its own and without persistence, for as long as the benchmark runs. */
final class RedisServer implements AutoCloseable {
    private static final String PROGRAM = "redis-server";

    private final @Nullable Process process;
    private final String missing;
    private final int port;
    private final String version;

    private RedisServer(@Nullable Process process, String missing, int port, String version) {
        this.process = process;
        this.missing = missing;
        this.port = port;
        this.version = version;
    }

    static RedisServer start(Path directory) throws IOException {
        int port = freePort();
        Process process;
        try {
            process = new ProcessBuilder(
                            PROGRAM,
                            "--port",
                            Integer.toString(port),
                            "--bind",
                            "127.0.0.1",
                            "--save",
                            "",
                            "--appendonly",
                            "no",
                            "--dir",
                            directory.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            return new RedisServer(null, "there is no " + PROGRAM, 0, "");
        }
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!answers(port)) {
            if (System.nanoTime() > end) {
                process.destroyForcibly();
                return new RedisServer(null, PROGRAM + " does not answer", 0, "");
            }
            Loop.pause(20);
        }
        return new RedisServer(process, "", port, version(port));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static boolean answers(int port) {
        try (Jedis jedis = new Jedis("127.0.0.1", port)) {
            return jedis.ping().equals("PONG");
        } catch (JedisConnectionException e) {
            return false;
        }
    }

    private static String version(int port) {
        try (Jedis jedis = new Jedis("127.0.0.1", port)) {
            return jedis.info("server")
                    .lines()
                    .filter(line -> line.startsWith("redis_version:"))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1))
                    .orElse("?");
        }
    }

    /** Why there is none; empty if there is one. */
    String missing() {
        return missing;
    }

    int port() {
        return port;
    }

    String version() {
        return version;
    }

    /** Forgets everything. */
    void clear() {
        if (process != null) {
            try (Jedis jedis = new Jedis("127.0.0.1", port)) {
                jedis.flushAll();
            }
        }
    }

    @Override
    public void close() {
        if (process != null) {
            process.destroy();
            try {
                process.waitFor(10, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            process.destroyForcibly();
        }
    }
}
