package dev.latchkey.stress.check;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.OptionalLong;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * A balance with so much behind it that it is stored in a file: {@code balance=17;crc=0a1b2c3d;} and random bytes, of which
 * {@code crc} is the CRC-32.
 */
public final class AccountValue {
    private static final Pattern HEADER = Pattern.compile("balance=(-?\\d{1,18});crc=([0-9a-f]{8});");
    private static final int LONGEST_HEADER = 64;

    private AccountValue() {}

    /** The bytes of a balance; the seed makes the padding. */
    public static byte[] encode(long balance, int paddingSize, long seed) {
        byte[] padding = new byte[paddingSize];
        new Random(seed).nextBytes(padding);
        byte[] header = ("balance=" + balance + ";crc=" + crc(padding, 0) + ";").getBytes(StandardCharsets.US_ASCII);
        byte[] bytes = Arrays.copyOf(header, header.length + paddingSize);
        System.arraycopy(padding, 0, bytes, header.length, paddingSize);
        return bytes;
    }

    /** The balance; empty if the bytes are not what was once encoded. */
    public static OptionalLong decode(byte[] bytes) {
        int length = Math.min(bytes.length, LONGEST_HEADER);
        Matcher header = HEADER.matcher(new String(bytes, 0, length, StandardCharsets.ISO_8859_1));
        return header.lookingAt() && crc(bytes, header.end()).equals(header.group(2))
                ? OptionalLong.of(Long.parseLong(header.group(1)))
                : OptionalLong.empty();
    }

    private static String crc(byte[] bytes, int from) {
        CRC32 crc = new CRC32();
        crc.update(bytes, from, bytes.length - from);
        return HexFormat.of().toHexDigits((int) crc.getValue());
    }
}
