package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.CheckReport;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.HostClock;
import dev.latchkey.testing.Listing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Checks of a directory at a later time, and what is in it. */
final class Damage {
    static final Duration LATER = Duration.ofHours(2);
    private static final Duration LONG = Duration.ofSeconds(60);

    private Damage() {}

    /** A clock that is ahead: nobody can set the time at which a file was changed last. */
    static Grace ahead(Duration ahead) {
        return new Grace(new HostClock() {
            @Override
            public long nanos() {
                return System.nanoTime();
            }

            @Override
            public long wallMillis() {
                return System.currentTimeMillis() + ahead.toMillis();
            }
        });
    }

    static Engine engine(Cache cache) {
        return (Engine) cache.unwrap(CoordinationEngine.class);
    }

    static CheckReport checkLater(Cache cache, boolean repair) {
        return checkLater(cache, repair, LATER);
    }

    static CheckReport checkLater(Cache cache, boolean repair, Duration later) {
        Engine engine = engine(cache);
        return repair
                ? new Repair(engine, LONG, ahead(later)).report()
                : new Inspection(engine, LONG, ahead(later), Mending.NONE).report();
    }

    static Map<CheckReport.Kind, Integer> kinds(CheckReport report) {
        Map<CheckReport.Kind, Integer> kinds = new TreeMap<>();
        report.findings().forEach(finding -> kinds.merge(finding.kind(), 1, Integer::sum));
        return kinds;
    }

    static List<String> files(Path directory) {
        return Listing.filesOf(directory).stream()
                .filter(path -> path.endsWith(".val"))
                .sorted()
                .toList();
    }

    /** Makes a file, and the folders above it. */
    static Path create(Path file) {
        try {
            Files.createDirectories(file.getParent());
            return Files.write(file, new byte[3]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes a value file and the folders that it was alone in. */
    static void delete(Path directory, String name) {
        new ValueFiles(directory, directory).remove(name);
    }

    static String fileOf(Path directory, String key) {
        return Rows.one(directory, "SELECT filename FROM Cache WHERE key = '" + key + "'");
    }
}
