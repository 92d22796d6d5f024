package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EntryOptionsTest {
    private static final Duration HUGE = Duration.ofSeconds(Long.MAX_VALUE, 999_999_999);

    @Test
    void none_never_expires_has_no_tag_and_is_not_pinned() {
        assertEquals(Optional.empty(), EntryOptions.none().expireAfter());
        assertEquals(Optional.empty(), EntryOptions.none().tag());
        assertFalse(EntryOptions.none().isPinned());
    }

    @Test
    void each_method_returns_a_changed_copy_and_keeps_the_rest() {
        EntryOptions options = EntryOptions.none()
                .tag("a")
                .expireAfter(Duration.ofSeconds(1))
                .pinned()
                .tag("b");
        assertEquals(Optional.of("b"), options.tag());
        assertEquals(Optional.of(Duration.ofSeconds(1)), options.expireAfter());
        assertTrue(options.isPinned());
        assertEquals(Optional.empty(), EntryOptions.none().tag());
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT-1S", "PT-0.000000001S"})
    void a_duration_that_is_not_positive_is_refused_with_the_value(String text) {
        Duration duration = Duration.parse(text);
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> EntryOptions.none().expireAfter(duration));
        assertTrue(e.getMessage().contains(duration.toString()), e.getMessage());
    }

    @Test
    void the_longest_and_the_shortest_duration_are_kept_as_they_are() {
        assertEquals(Optional.of(HUGE), EntryOptions.none().expireAfter(HUGE).expireAfter());
        Duration nano = Duration.ofNanos(1);
        assertEquals(Optional.of(nano), EntryOptions.none().expireAfter(nano).expireAfter());
    }

    @Test
    void integers_become_long_and_floats_become_double() {
        for (Object tag : List.of(5L, 5, (short) 5, (byte) 5)) {
            assertEquals(Optional.of(5L), EntryOptions.none().tag(tag).tag());
        }
        assertEquals(Optional.of(0.5), EntryOptions.none().tag(0.5f).tag());
        assertEquals(Optional.of(0.5), EntryOptions.none().tag(0.5).tag());
    }

    @Test
    void a_tag_of_bytes_is_copied_on_the_way_in_and_out() {
        byte[] bytes = {1, 2};
        EntryOptions options = EntryOptions.none().tag(bytes);
        bytes[0] = 9;
        byte[] out = (byte[]) options.tag().orElseThrow();
        assertArrayEquals(new byte[] {1, 2}, out);
        out[0] = 9;
        assertArrayEquals(new byte[] {1, 2}, (byte[]) options.tag().orElseThrow());
    }

    @Test
    void a_tag_that_the_database_cannot_hold_is_refused() {
        for (Object tag : List.of(true, 'c', List.of("a"), Double.NaN, Float.NaN, "\uD800", new Object())) {
            assertThrows(
                    IllegalArgumentException.class, () -> EntryOptions.none().tag(tag), tag::toString);
        }
    }

    @Test
    @SuppressWarnings("NullAway")
    void null_is_a_NullPointerException() {
        assertThrows(NullPointerException.class, () -> EntryOptions.none().tag(null));
        assertThrows(NullPointerException.class, () -> EntryOptions.none().expireAfter(null));
    }

    @Test
    void options_are_equal_by_content_also_for_bytes() {
        EntryOptions one = EntryOptions.none().tag(new byte[] {1}).expireAfter(HUGE);
        EntryOptions other = EntryOptions.none().expireAfter(HUGE).tag(new byte[] {1});
        assertEquals(one, other);
        assertEquals(one.hashCode(), other.hashCode());
        assertNotEquals(one, other.pinned());
        assertNotEquals(one, other.tag(new byte[] {2}));
        assertNotEquals(one, other.expireAfter(Duration.ofSeconds(1)));
        assertNotEquals(EntryOptions.none().tag(1), EntryOptions.none().tag(1.0));
    }

    @Test
    void toString_shows_all_three() {
        assertEquals(
                "EntryOptions[expireAfter=PT1S, tag=0x0aff, pinned=true]",
                EntryOptions.none()
                        .pinned()
                        .tag(new byte[] {10, -1})
                        .expireAfter(Duration.ofSeconds(1))
                        .toString());
    }
}
