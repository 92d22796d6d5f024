package dev.latchkey.stress.check;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class AccountValueTest {
    @Test
    void aBalanceIsReadBack() {
        for (long balance : new long[] {0, -17, 123_456_789_012_345L}) {
            for (int padding : new int[] {0, 1, 40_000}) {
                byte[] bytes = AccountValue.encode(balance, padding, 5);
                assertEquals(OptionalLong.of(balance), AccountValue.decode(bytes));
                assertArrayEquals(bytes, AccountValue.encode(balance, padding, 5));
            }
        }
    }

    @Test
    void anyDamageIsNoticed() {
        byte[] bytes = AccountValue.encode(17, 1_000, 5);
        for (int length = 0; length < bytes.length; length++) {
            assertEquals(OptionalLong.empty(), AccountValue.decode(Arrays.copyOf(bytes, length)));
        }
        byte[] mixed = AccountValue.encode(17, 1_000, 6);
        System.arraycopy(bytes, 0, mixed, 0, 24);
        assertEquals(OptionalLong.empty(), AccountValue.decode(mixed));
        assertEquals(
                OptionalLong.empty(), AccountValue.decode("balance=;crc=00000000;".getBytes(StandardCharsets.UTF_8)));
        bytes[bytes.length - 1] ^= 1;
        assertEquals(OptionalLong.empty(), AccountValue.decode(bytes));
    }
}
