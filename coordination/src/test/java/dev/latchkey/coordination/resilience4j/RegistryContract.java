package dev.latchkey.coordination.resilience4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.latchkey.coordination.CacheFixture;
import io.github.resilience4j.core.ConfigurationNotFoundException;
import io.github.resilience4j.core.Registry;
import io.github.resilience4j.core.registry.EntryAddedEvent;
import io.github.resilience4j.core.registry.EntryRemovedEvent;
import io.github.resilience4j.core.registry.EntryReplacedEvent;
import io.github.resilience4j.core.registry.RegistryEventConsumer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * How a registry of Resilience4j behaves, whoever implements it.
 *
 * @param <E> what it has
 * @param <C> how that is configured
 */
abstract class RegistryContract<E, C> extends CacheFixture {
    private static final String DEFAULT = "default";

    private final List<String> events = new ArrayList<>();

    private final RegistryEventConsumer<E> consumer = new RegistryEventConsumer<>() {
        @Override
        public void onEntryAddedEvent(EntryAddedEvent<E> event) {
            events.add("added " + nameOf(event.getAddedEntry()));
        }

        @Override
        public void onEntryRemovedEvent(EntryRemovedEvent<E> event) {
            events.add("removed " + nameOf(event.getRemovedEntry()));
        }

        @Override
        public void onEntryReplacedEvent(EntryReplacedEvent<E> event) {
            events.add("replaced " + nameOf(event.getNewEntry()));
        }
    };

    abstract Registry<E, C> registry(
            Map<String, C> configs, List<RegistryEventConsumer<E>> consumers, Map<String, String> tags);

    /** A configuration with a number. */
    abstract C config(int number);

    abstract int number(E instance);

    abstract String nameOf(E instance);

    abstract Map<String, String> tagsOf(E instance);

    abstract Set<E> all(Registry<E, C> registry);

    abstract E get(Registry<E, C> registry, String name);

    abstract E get(Registry<E, C> registry, String name, Map<String, String> tags);

    abstract E getOf(Registry<E, C> registry, String name, C config);

    abstract E getSupplied(Registry<E, C> registry, String name, C config);

    abstract E getNamed(Registry<E, C> registry, String name, String configName);

    private Registry<E, C> registry() {
        return registry(Map.of(DEFAULT, config(1), "other", config(2)), List.of(consumer), Map.of("region", "here"));
    }

    @Test
    void oneNameIsOneInstance() {
        Registry<E, C> registry = registry();
        E a = get(registry, "a");
        assertSame(a, get(registry, "a"));
        assertSame(a, getOf(registry, "a", config(7)));
        assertNotSame(a, get(registry, "b"));
        assertEquals("a", nameOf(a));
        assertEquals(Set.of(a, get(registry, "b")), all(registry));
        assertEquals(List.of("added a", "added b"), events);
        assertEquals(Optional.of(a), registry.find("a"));
        assertEquals(Optional.empty(), registry.find("c"));
    }

    @Test
    void eachIsConfiguredAsItIsAskedFor() {
        Registry<E, C> registry = registry();
        registry.addConfiguration("third", config(3));
        assertEquals(1, number(get(registry, "a")));
        assertEquals(2, number(getNamed(registry, "b", "other")));
        assertEquals(3, number(getNamed(registry, "c", "third")));
        assertEquals(4, number(getOf(registry, "d", config(4))));
        assertEquals(5, number(getSupplied(registry, "e", config(5))));
        assertThrows(ConfigurationNotFoundException.class, () -> getNamed(registry, "f", "unknown"));
        assertThrows(NullPointerException.class, () -> getOf(registry, "f", null));
        assertEquals(Optional.empty(), registry.find("f"));
    }

    @Test
    void tagsAreThoseOfTheRegistryAndTheOnesOfTheInstance() {
        Registry<E, C> registry = registry();
        assertEquals(Map.of("region", "here"), tagsOf(get(registry, "a")));
        assertEquals(Map.of("region", "here", "x", "y"), tagsOf(get(registry, "b", Map.of("x", "y"))));
        assertEquals(Map.of("region", "there"), tagsOf(get(registry, "c", Map.of("region", "there"))));
        assertEquals(Map.of("region", "here"), registry.getTags());
    }

    @Test
    void instancesCanBeReplacedAndRemoved() {
        Registry<E, C> registry = registry();
        E a = get(registry, "a");
        E other = get(registry(), "a");
        assertEquals(Optional.of(a), registry.replace("a", other));
        assertSame(other, get(registry, "a"));
        assertEquals(Optional.of(other), registry.remove("a"));
        assertEquals(Optional.empty(), registry.find("a"));
        assertEquals(List.of("added a", "added a", "replaced a", "removed a"), events);
    }

    @Test
    void theDefaultConfigurationStays() {
        Registry<E, C> registry = registry();
        assertThrows(IllegalArgumentException.class, () -> registry.addConfiguration(DEFAULT, config(9)));
        assertThrows(IllegalArgumentException.class, () -> registry.removeConfiguration(DEFAULT));
        assertEquals(Optional.of(registry.getDefaultConfig()), registry.getConfiguration(DEFAULT));
    }
}
