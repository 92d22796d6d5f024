package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.MemoizeStampede;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Computes a page once, although many ask for it at the same time. */
public final class MemoizeStampedeMain {
    private MemoizeStampedeMain() {}

    /**
     * Runs the example.
     *
     * @param args the directory
     */
    public static void main(String[] args) {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            AtomicInteger rendered = new AtomicInteger();
            MemoizeStampede pages = MemoizeStampede.builder(cache, "page")
                    .expireAfter(Duration.ofMinutes(10))
                    .staleFor(Duration.ofMinutes(1))
                    .build();
            Function<String, @Nullable String> page = pages.wrap(String.class, path -> {
                rendered.incrementAndGet();
                return "<h1>" + path + "</h1>";
            });
            long pagesRead = IntStream.range(0, 100)
                    .parallel()
                    .mapToObj(i -> page.apply("/" + i % 3))
                    .filter(html -> html != null)
                    .count();
            System.out.println(pagesRead + " pages, rendered " + rendered);
        }
    }
}
