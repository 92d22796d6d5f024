package dev.latchkey.stress.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.testing.TestDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class HistoryTest {
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @Test
    void whatIsWrittenIsRead() throws IOException {
        Path file = directory.resolve("w1.log");
        HistoryLog log = new HistoryLog(file);
        long invoked = log.write(Kind.INVOKE, "lock", "a", "tryFor");
        long returned = log.write(Kind.OK, "lock", 17);
        log.write(Kind.NOTE, "residue", 0, "");
        log.write(Kind.INVOKE, "open");
        log.write(Kind.ERROR, "open", "disk I/O\nerror");
        History history = History.read("w1", file);
        String thread = Thread.currentThread().getName();
        assertEquals(
                new Event(returned, thread, Kind.OK, "lock", List.of("17")),
                history.events().get(1));
        assertEquals(List.of("0", ""), history.events().get(2).arguments());
        List<Operation> operations = history.operations();
        assertEquals(
                new Operation("w1", thread, "lock", List.of("a", "tryFor"), invoked, returned, Kind.OK, List.of("17")),
                operations.get(0));
        assertEquals(List.of("disk_I/O_error"), operations.get(1).result());
        assertEquals(2, operations.size());
    }

    @Test
    void theLineThatAKillCutOffIsLeftOut() throws IOException {
        String whole = "10 t0 INVOKE put ü-1\n20 t0 OK put\n";
        byte[] bytes = (whole + "30 t0 INVOKE put ü").getBytes(StandardCharsets.UTF_8);
        for (int cut = whole.getBytes(StandardCharsets.UTF_8).length; cut <= bytes.length; cut++) {
            Path file = Files.write(directory.resolve("w1.log"), Arrays.copyOf(bytes, cut));
            assertEquals(2, History.read("w1", file).events().size());
        }
    }

    @Test
    void aProcessThatWroteNothingHasAnEmptyHistory() throws IOException {
        assertEquals(List.of(), History.read("w1", directory.resolve("none")).events());
    }

    @Test
    void anOperationWithoutReturnIsOfUnknownOutcome() {
        List<Operation> operations = history(
                        "10 t0 INVOKE incr c 1", "11 t1 INVOKE get c", "12 t1 OK get 0", "13 t0 NOTE committing")
                .operations();
        assertEquals("incr", operations.get(0).name());
        assertTrue(operations.get(0).isUnknown());
        assertEquals(Long.MAX_VALUE, operations.get(0).returned());
        assertTrue(operations.get(1).isOk());
    }

    @Test
    void operationsAreInTheOrderOfTheirInvocation() {
        List<Operation> operations = history(
                        "10 t0 INVOKE lock a lock", "11 t1 INVOKE get c", "12 t1 FAIL get", "13 t0 OK lock 5")
                .operations();
        assertEquals(
                List.of("lock", "get"), operations.stream().map(Operation::name).toList());
        assertEquals(Kind.FAIL, operations.get(1).outcome());
    }

    @Test
    void anEndWithoutABeginningIsRefused() {
        assertThrows(
                IllegalStateException.class, () -> history("10 t0 OK lock 5").operations());
        assertThrows(IllegalStateException.class, () -> history("9 t0 INVOKE lock a lock", "10 t0 OK unlock")
                .operations());
    }

    private static History history(String... lines) {
        return new History("w1", Arrays.stream(lines).map(Event::parse).toList());
    }
}
