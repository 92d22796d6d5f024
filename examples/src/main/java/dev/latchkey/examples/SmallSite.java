package dev.latchkey.examples;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A web site for {@link CrawlerMain}: pages that link to each other, on this host alone. */
final class SmallSite implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(4);
    private final AtomicInteger requests = new AtomicInteger();
    private final int pages;

    private SmallSite(HttpServer server, int pages) {
        this.server = server;
        this.pages = pages;
    }

    static SmallSite start(int pages) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        SmallSite site = new SmallSite(server, pages);
        server.createContext("/", site::answer);
        server.setExecutor(site.threads);
        server.start();
        return site;
    }

    /** The page from which all others can be reached. */
    String url() {
        InetSocketAddress address = server.getAddress();
        return "http://" + address.getAddress().getHostAddress() + ":" + address.getPort() + "/0";
    }

    int requests() {
        return requests.get();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            requests.incrementAndGet();
            int page = Integer.parseInt(exchange.getRequestURI().getPath().substring(1));
            byte[] html = html(page).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, html.length);
            exchange.getResponseBody().write(html);
        }
    }

    private String html(int page) {
        StringBuilder links = new StringBuilder("<title>page " + page + "</title>");
        for (int to : new int[] {page / 2, 2 * page + 1, 2 * page + 2, 0}) {
            if (to < pages) {
                links.append("<a href=\"/")
                        .append(to)
                        .append("\">page ")
                        .append(to)
                        .append("</a>\n");
            }
        }
        return links.toString();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
