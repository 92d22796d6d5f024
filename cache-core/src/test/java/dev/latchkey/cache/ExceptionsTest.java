package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExceptionsTest {
    static Stream<Class<? extends CacheException>> exceptions() {
        return Stream.of(
                CacheException.class,
                CacheTimeoutException.class,
                CacheFullException.class,
                CacheCorruptException.class,
                CacheReplacedException.class,
                CacheReadOnlyException.class,
                CacheClosedException.class,
                CodecException.class,
                EntryTooLargeException.class);
    }

    @ParameterizedTest
    @MethodSource("exceptions")
    void every_exception_is_an_unchecked_CacheException_with_message_and_cause(Class<? extends CacheException> type)
            throws ReflectiveOperationException {
        CacheException plain = type.getConstructor(String.class).newInstance("what");
        Throwable cause = new IllegalStateException();
        CacheException caused =
                type.getConstructor(String.class, Throwable.class).newInstance("what", cause);
        assertInstanceOf(RuntimeException.class, plain);
        assertEquals("what", plain.getMessage());
        assertNull(plain.getCause());
        assertEquals("what", caused.getMessage());
        assertSame(cause, caused.getCause());
    }
}
