package dev.latchkey.benchmark;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** The one benchmark of JMH: an operation, again and again. Each process measures one operation of one library. */
@State(Scope.Benchmark)
public class Operated {
    private static volatile @Nullable Operation chosen;

    private final Operation operation = Objects.requireNonNull(chosen, "no operation is chosen");

    static void choose(Operation operation) {
        chosen = operation;
    }

    /** Runs the operation once. */
    @Benchmark
    public long operate() throws Exception {
        return operation.run();
    }
}
