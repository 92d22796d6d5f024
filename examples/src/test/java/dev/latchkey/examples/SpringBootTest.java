package dev.latchkey.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.resilience4j.SharedBulkhead;
import dev.latchkey.coordination.resilience4j.SharedBulkheadRegistry;
import dev.latchkey.coordination.resilience4j.SharedRateLimiter;
import dev.latchkey.coordination.resilience4j.SharedRateLimiterRegistry;
import dev.latchkey.testing.TestDirectory;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.bulkhead.BulkheadRegistry;
import io.github.resilience4j.bulkhead.annotation.Bulkhead;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import io.github.resilience4j.ratelimiter.RequestNotPermitted;
import io.github.resilience4j.ratelimiter.annotation.RateLimiter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/** Two applications of Spring Boot with one directory: a bean in place of the stock registry, and annotations share what it hands out. */
class SpringBootTest {
    private static final int LIMIT = 3;

    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    /** What an application writes that uses Resilience4j, but for the two registries. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        Cache cache(Environment environment) {
            return Cache.open(Path.of(environment.getRequiredProperty("directory")));
        }

        @Bean
        RateLimiterRegistry rateLimiterRegistry(Cache cache) {
            return SharedRateLimiterRegistry.of(
                    cache,
                    RateLimiterConfig.custom()
                            .limitForPeriod(LIMIT)
                            .limitRefreshPeriod(Duration.ofHours(1))
                            .timeoutDuration(Duration.ZERO)
                            .build());
        }

        @Bean
        BulkheadRegistry bulkheadRegistry(Cache cache) {
            return SharedBulkheadRegistry.of(
                    cache,
                    BulkheadConfig.custom()
                            .maxConcurrentCalls(1)
                            .maxWaitDuration(Duration.ZERO)
                            .build());
        }

        @Bean
        Backend backend() {
            return new Backend();
        }
    }

    static class Backend {
        @RateLimiter(name = "limited")
        public String limited() {
            return "limited";
        }

        @Bulkhead(name = "guarded")
        public String guarded(Supplier<String> inside) {
            return inside.get();
        }
    }

    private ConfigurableApplicationContext start() {
        return new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .bannerMode(Banner.Mode.OFF)
                .properties("directory=" + directory.resolve("cache"))
                .run();
    }

    @Test
    void annotatedMethodsOfTwoApplicationsShareALimitAndABulkhead() {
        try (ConfigurableApplicationContext one = start();
                ConfigurableApplicationContext two = start()) {
            List<Backend> both = List.of(one.getBean(Backend.class), two.getBean(Backend.class));
            for (int i = 0; i < LIMIT; i++) {
                assertEquals("limited", both.get(i % 2).limited());
            }
            both.forEach(backend -> assertThrows(RequestNotPermitted.class, backend::limited));

            String seen = both.get(0).guarded(() -> {
                assertThrows(BulkheadFullException.class, () -> both.get(1).guarded(() -> "inside"));
                return "alone";
            });
            assertEquals("alone", seen);
            assertEquals("inside", both.get(1).guarded(() -> "inside"));

            assertInstanceOf(
                    SharedRateLimiter.class,
                    one.getBean(RateLimiterRegistry.class).rateLimiter("limited"));
            assertInstanceOf(
                    SharedBulkhead.class, two.getBean(BulkheadRegistry.class).bulkhead("guarded"));
        }
    }
}
