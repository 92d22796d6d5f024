package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever can be stored comes back equal, through every mode that can hold it. */
class JsonCodecRoundTripTest {
    private static final int ROUNDS = 2000;

    record Tree(
            String name,
            double weight,
            @Nullable Boolean flag,
            BigDecimal price,
            Optional<Instant> when,
            List<Tree> children,
            Map<String, Duration> times) {}

    private final Codec codec = Codecs.json();
    private Random random = new Random(0);

    @ParameterizedTest
    @ValueSource(longs = {1, 20261122, -7})
    void a_random_value_comes_back_equal(long seed) {
        random = new Random(seed);
        for (int i = 0; i < ROUNDS; i++) {
            check(text(), String.class);
            check(integer(), Long.class);
            check((int) integer(), Integer.class);
            check((short) integer(), Short.class);
            check((byte) integer(), Byte.class);
            check(real(), Double.class);
            check(Float.intBitsToFloat(random.nextInt()), Float.class);
            check(new BigInteger(random.nextInt(200), random), BigInteger.class);
            check(decimal(), BigDecimal.class);
            check(instant(), Instant.class);
            check(tree(2), Tree.class);
            byte[] bytes = bytes();
            assertTrue(Objects.deepEquals(bytes, codec.decode(codec.encode(bytes), TypeToken.of(byte[].class))));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 20261122, -7})
    void a_random_key_comes_back_as_the_widest_of_its_kind(long seed) {
        random = new Random(seed);
        List<Supplier<Object>> keys = List.of(this::text, this::integer, this::bytes, random::nextGaussian);
        for (int i = 0; i < ROUNDS; i++) {
            Object key = keys.get(random.nextInt(keys.size())).get();
            assertTrue(Objects.deepEquals(key, codec.decodeKey(codec.encodeKey(key))));
            assertEquals(codec.encodeKey(key), codec.encodeKey(key));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 20261122, -7})
    void an_integer_reads_as_a_type_exactly_if_the_type_holds_it(long seed) {
        random = new Random(seed);
        for (int i = 0; i < ROUNDS * 10; i++) {
            long value = integer();
            BigDecimal exact = BigDecimal.valueOf(value);
            assertEquals(
                    exact.compareTo(new BigDecimal((double) value)) == 0, reads(value, Double.class), () -> "" + value);
            assertEquals(
                    exact.compareTo(new BigDecimal((float) value)) == 0, reads(value, Float.class), () -> "" + value);
            assertEquals(value == (int) value, reads(value, Integer.class), () -> "" + value);
        }
    }

    private boolean reads(long value, Class<? extends Number> type) {
        try {
            Number read = codec.decode(StoredValue.raw(value), TypeToken.of(type));
            return Objects.requireNonNull(read).longValue() == value;
        } catch (CodecException e) {
            return false;
        }
    }

    private <V> void check(V value, Class<V> type) {
        StoredValue stored = codec.encode(value);
        assertEquals(value, codec.decode(stored, TypeToken.of(type)));
        if (stored.column() instanceof String text) {
            assertEquals(value, codec.decode(StoredValue.text(text), TypeToken.of(type)));
        }
    }

    private String text() {
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(20); length > 0; length--) {
            int bound = random.nextBoolean() ? 0x80 : Character.MAX_CODE_POINT + 1;
            int point = random.nextInt(bound);
            text.appendCodePoint(point >= 0xD800 && point < 0xE000 ? '?' : point);
        }
        return text.toString();
    }

    private long integer() {
        long value = random.nextLong() >> random.nextInt(Long.SIZE);
        return value << random.nextInt(Long.SIZE);
    }

    private double real() {
        return Double.longBitsToDouble(random.nextLong());
    }

    private BigDecimal decimal() {
        return new BigDecimal(new BigInteger(random.nextInt(200), random), random.nextInt(100) - 50);
    }

    private Instant instant() {
        return Instant.ofEpochSecond(random.nextInt(), random.nextInt(1_000_000_000));
    }

    private byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(50)];
        random.nextBytes(bytes);
        return bytes;
    }

    private Tree tree(int depth) {
        List<Tree> children = new ArrayList<>();
        for (int i = depth == 0 ? 0 : random.nextInt(3); i > 0; i--) {
            children.add(tree(depth - 1));
        }
        Map<String, Duration> times = new LinkedHashMap<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            times.put(text(), Duration.ofSeconds(random.nextInt(), random.nextInt(1_000_000_000)));
        }
        Optional<Instant> when = random.nextBoolean() ? Optional.of(instant()) : Optional.empty();
        Boolean flag = random.nextInt(3) == 0 ? null : (Boolean) random.nextBoolean();
        return new Tree(text(), real(), flag, decimal(), when, children, times);
    }
}
