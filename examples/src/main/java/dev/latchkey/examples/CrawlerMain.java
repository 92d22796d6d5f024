package dev.latchkey.examples;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.Deque;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Crawls a web site together with all other processes that run it on the same directory: each page is fetched once. Whatever
 * links to a page puts it into a deque unless it was seen before, and whoever is free takes it out.
 *
 * <p>A page that a crawler has taken is gone with it if it dies. The others notice that pages are open and none comes any more, and
 * say so. For pages that must not be lost there is {@code WorkQueue}.
 */
public final class CrawlerMain {
    private static final Pattern LINK = Pattern.compile("href=\"([^\"]+)\"");
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Cache cache;
    private final Deque<String> frontier;
    private final HttpClient client = HttpClient.newHttpClient();
    private int fetched;

    private CrawlerMain(Cache cache) {
        this.cache = cache;
        this.frontier = new Deque<>(cache, "frontier", String.class);
    }

    /**
     * Runs the example.
     *
     * @param args the directory, and where to begin; without that a small site of its own is crawled
     * @throws IOException if a page cannot be fetched
     * @throws InterruptedException if the thread is interrupted while it waits
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        try (Cache cache = Cache.open(Path.of(args[0]))) {
            CrawlerMain crawler = new CrawlerMain(cache);
            if (args.length > 1) {
                crawler.crawl(args[1]);
            } else {
                try (SmallSite site = SmallSite.start(100)) {
                    System.out.println("site: " + site.url());
                    crawler.crawl(site.url());
                }
            }
        }
    }

    private void crawl(String start) throws IOException, InterruptedException {
        discover(start);
        long last = System.nanoTime();
        while (open() > 0 && System.nanoTime() - last < PATIENCE.toNanos()) {
            String url = frontier.poll(100, TimeUnit.MILLISECONDS);
            if (url != null) {
                visit(url);
                last = System.nanoTime();
            }
        }
        System.out.println("fetched " + fetched + " pages, open: " + open());
    }

    /** How many pages are known and not done. */
    private long open() {
        return cache.getOrDefault("open", Long.class, 0L);
    }

    /** Remembers a page, counts it and puts it into the line: all of it, or, if somebody was faster, nothing. */
    private void discover(String url) {
        cache.transact(() -> {
            if (cache.add("page " + url, "found")) {
                cache.incr("open");
                frontier.add(url);
            }
        });
    }

    private void visit(String url) throws IOException, InterruptedException {
        URI address = URI.create(url);
        String page = client.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString())
                .body();
        LINK.matcher(page)
                .results()
                .forEach(link -> discover(address.resolve(link.group(1)).toString()));
        cache.transact(() -> {
            cache.set("page " + url, page);
            cache.decr("open");
        });
        fetched++;
        System.out.println("fetched " + url);
    }
}
