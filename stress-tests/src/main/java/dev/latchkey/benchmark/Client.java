package dev.latchkey.benchmark;

import dev.latchkey.testing.Child;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * A process that uses one library and does what the driver tells it, a line at a time; the script of Python understands the same.
 *
 * <pre>
 *   set KEY VALUE, fill COUNT, expect NUMBER       SET, FILLED COUNT, nothing
 *   get KEY, sum KEY, poll                         GOT VALUE, GOT check sum of the bytes, GOT VALUE
 *   limit                                          LIMITED; the store may not grow any more
 *   count                                          COUNTED entries
 *   snapshot, forget                               SNAPSHOT, FORGOTTEN: a read that does not end in between
 *   acquire NAME, release NAME                     HELD nanos after, FREED nanos before the call
 *   put, take                                      PUT nanos before, TOOK nanos after the call
 *   settings                                       SETTINGS text
 *   jmh OPERATION THREADS WARM-UP-MILLIS MILLIS PARAMETER CALLS
 *                                                  READY; GO is answered with RESULT ...; at least so many
 *                                                  calls go before, and more until the compilers rest
 *   measure OPERATION THREADS WARM-UP-MILLIS MILLIS PARAMETER CALLS
 *                                                  the same, without JMH
 *   memoize KEY THREADS                            READY; GO is answered with RESULT ...
 *   open KIND COUNT                                OTHERS figures, RESULT ...; KIND is cache or fanout
 *   halt                                           nothing is closed
 * </pre>
 *
 * <p>{@code RESULT operations nanos last buckets}: the last entries that were written, with semicolons between them, and how often
 * which latency in nanoseconds was met. With {@code pass}, a line {@code TIMES} comes before it: when each call returned.
 */
public final class Client {
    private static final long COMPUTING_MILLIS = 50;
    private static final long LOOK_AT_COMPILERS_MILLIS = 500;

    private final Subject subject;
    private final Path directory;
    private final Operations operations;
    private final CountDownLatch[] gun = {new CountDownLatch(1)};
    private @Nullable AutoCloseable snapshot;

    private Client(Subject subject, Path directory, Operations operations) {
        this.subject = subject;
        this.directory = directory;
        this.operations = operations;
    }

    /** Obeys until it is told to halt: library, directory, port of Redis, name of the process. */
    public static void main(String[] args) throws Exception {
        Child.start();
        Path directory = Path.of(args[1]);
        Subject subject = Peer.valueOf(args[0]).open(directory, Integer.parseInt(args[2]));
        Client client = new Client(subject, directory, new Operations(subject, directory, args[3]));
        Child.say("OPEN");
        while (true) {
            client.obey(Child.hear().split(" "));
        }
    }

    private void obey(String[] words) throws Exception {
        switch (words[0]) {
            case "set" -> {
                subject.set(words[1], words[2]);
                Child.say("SET");
            }
            case "fill" -> fill(Integer.parseInt(words[1]));
            case "expect" -> operations.expect(Long.parseLong(words[1]));
            case "get" -> Child.say("GOT " + subject.get(words[1]));
            case "sum" -> Child.say("GOT " + Operations.sum(Objects.requireNonNull(subject.getBytes(words[1]))));
            case "poll" -> Child.say("GOT " + subject.poll());
            case "limit" -> {
                subject.limit();
                Child.say("LIMITED");
            }
            case "count" -> Child.say("COUNTED " + subject.count());
            case "snapshot" -> {
                snapshot = subject.snapshot();
                Child.say("SNAPSHOT");
            }
            case "forget" -> {
                Objects.requireNonNull(snapshot).close();
                Child.say("FORGOTTEN");
            }
            case "acquire" -> {
                subject.acquire(words[1]);
                Child.say("HELD " + System.nanoTime());
            }
            case "release" -> {
                long before = System.nanoTime();
                subject.release(words[1]);
                Child.say("FREED " + before);
            }
            case "put" -> {
                long before = System.nanoTime();
                subject.offer(Operations.value(before));
                Child.say("PUT " + before);
            }
            case "take" -> {
                String taken = subject.take();
                Child.say("TOOK " + System.nanoTime() + " " + Operations.number(taken));
            }
            case "settings" -> Child.say("SETTINGS " + subject.settings());
            case "jmh" -> {
                gun[0] = new CountDownLatch(1);
                inBackground(() -> jmh(words));
            }
            case "measure" -> {
                gun[0] = new CountDownLatch(1);
                inBackground(() -> measure(words));
            }
            case "memoize" -> {
                gun[0] = new CountDownLatch(1);
                inBackground(() -> memoize(words[1], Integer.parseInt(words[2])));
            }
            case "open" -> {
                Openings openings = new Openings(directory, words[1], Integer.parseInt(words[2]));
                Child.say("OTHERS " + openings.others());
                result(openings.latencies(), openings.latencies().getTotalCount(), openings.nanos(), "-");
            }
            case Child.GO -> gun[0].countDown();
            case "halt" -> Runtime.getRuntime().halt(0);
            default -> throw new IllegalArgumentException("not understood: " + String.join(" ", words));
        }
    }

    private interface Task {
        void run() throws Exception;
    }

    private static void inBackground(Task task) {
        new Thread(() -> orDie(task), "measure").start();
    }

    /** A failed measurement must not look like a slow one. */
    private static void orDie(Task task) {
        try {
            task.run();
        } catch (Throwable t) {
            t.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    private void fill(int count) throws Exception {
        for (int i = 0; i < count; i += Operations.MANY) {
            Map<String, String> some = new java.util.LinkedHashMap<>();
            for (int j = i; j < Math.min(count, i + Operations.MANY); j++) {
                some.put("k" + j, Operations.value(j));
            }
            try {
                subject.setAll(some);
            } catch (UnsupportedOperationException e) {
                for (Map.Entry<String, String> entry : some.entrySet()) {
                    subject.set(entry.getKey(), entry.getValue());
                }
            }
        }
        Child.say("FILLED " + count);
    }

    /** This process is the fork, made for this one measurement. */
    private void jmh(String[] words) throws Exception {
        Operation operation = operations.of(words[1], 0, Long.parseLong(words[5]));
        new WarmUp(Integer.parseInt(words[6]), WarmUp.LONGEST).run(operation, 0, CompilerWatch.ofThisProcess()::rests);
        Child.say(Child.READY);
        gun[0].await();
        operation.begin();
        Operated.choose(operation);
        var options = new OptionsBuilder()
                .include("^" + Operated.class.getName().replace(".", "\\.") + "\\.operate$")
                .mode(Mode.SampleTime)
                .timeUnit(TimeUnit.NANOSECONDS)
                .forks(0)
                .warmupIterations(1)
                .warmupTime(TimeValue.milliseconds(Long.parseLong(words[3])))
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(Long.parseLong(words[4])))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build();
        RunResult run = new Runner(options).runSingle();
        Histogram histogram = Round.newHistogram();
        run.getPrimaryResult()
                .getStatistics()
                .getRawData()
                .forEachRemaining(
                        sample -> histogram.recordValueWithCount(Math.round(sample.getKey()), sample.getValue()));
        double nanosEach = run.getPrimaryResult().getScore();
        result(
                histogram,
                histogram.getTotalCount(),
                Math.round(nanosEach * histogram.getTotalCount()),
                last(List.of(operation)));
    }

    private void measure(String[] words) throws Exception {
        int threads = Integer.parseInt(words[2]);
        long warmUpNanos = Long.parseLong(words[3]) * 1_000_000;
        long nanos = Long.parseLong(words[4]) * 1_000_000;
        WarmUp warmUp = new WarmUp(Integer.parseInt(words[6]), WarmUp.LONGEST);
        List<Operation> all = new ArrayList<>();
        List<Histogram> histograms = new ArrayList<>();
        List<Thread> running = new ArrayList<>();
        List<Long> times = new ArrayList<>();
        CountDownLatch warm = new CountDownLatch(threads);
        AtomicBoolean compilersRest = new AtomicBoolean();
        LongAccumulator starts = new LongAccumulator(Math::min, Long.MAX_VALUE);
        LongAccumulator ends = new LongAccumulator(Math::max, Long.MIN_VALUE);
        warmUp.runAlone(operations.of(words[1], 0, Long.parseLong(words[5])), CompilerWatch.ofThisProcess()::rests);
        for (int i = 0; i < threads; i++) {
            Operation operation = operations.of(words[1], i, Long.parseLong(words[5]));
            Histogram histogram = Round.newHistogram();
            all.add(operation);
            histograms.add(histogram);
            boolean timesWanted = words[1].equals("pass");
            Thread thread = new Thread(() -> orDie(() -> {
                warmUp.run(operation, warmUpNanos, compilersRest::get);
                warm.countDown();
                gun[0].await();
                operation.begin();
                long start = System.nanoTime();
                starts.accumulate(start);
                do { // one at least, although this thread may lose its processor for longer than it is to last
                    histogram.recordValue(operation.timed());
                    if (timesWanted) {
                        times.add(System.nanoTime());
                    }
                } while (System.nanoTime() - start < nanos);
                ends.accumulate(System.nanoTime());
            }));
            thread.start();
            running.add(thread);
        }
        CompilerWatch compilers = CompilerWatch.ofThisProcess();
        while (!warm.await(LOOK_AT_COMPILERS_MILLIS, TimeUnit.MILLISECONDS)) {
            compilersRest.compareAndSet(false, compilers.rests());
        }
        Child.say(Child.READY);
        gun[0].await();
        for (Thread thread : running) {
            thread.join();
        }
        String last = last(all);
        Histogram sum = Round.newHistogram();
        histograms.forEach(sum::add);
        if (!times.isEmpty()) {
            Child.say("TIMES " + times.stream().map(String::valueOf).collect(Collectors.joining(" ")));
        }
        result(sum, sum.getTotalCount(), ends.get() - starts.get(), last);
    }

    /** All threads ask for one result that nobody has computed yet. The operations of the result are the computations. */
    private void memoize(String key, int threads) throws Exception {
        AtomicInteger computed = new AtomicInteger();
        AtomicBoolean wrong = new AtomicBoolean();
        Histogram histogram = new org.HdrHistogram.SynchronizedHistogram(Round.newHistogram());
        List<Thread> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Thread thread = new Thread(() -> orDie(() -> {
                gun[0].await();
                long start = System.nanoTime();
                String result = subject.memoized(key, () -> {
                    computed.incrementAndGet();
                    Thread.sleep(COMPUTING_MILLIS);
                    return Operations.value(4711);
                });
                histogram.recordValue(System.nanoTime() - start);
                wrong.compareAndSet(false, Operations.number(result) != 4711);
            }));
            thread.start();
            running.add(thread);
        }
        Child.say(Child.READY);
        gun[0].await();
        long start = System.nanoTime();
        for (Thread thread : running) {
            thread.join();
        }
        if (wrong.get()) {
            throw new IllegalStateException("a memoized function gave something else than it computed");
        }
        result(histogram, computed.get(), System.nanoTime() - start, "-");
    }

    private static String last(List<Operation> operations) {
        String last = operations.stream()
                .map(Operation::last)
                .flatMap(Optional::stream)
                .collect(Collectors.joining(";"));
        return last.isEmpty() ? "-" : last;
    }

    private static void result(Histogram histogram, long count, long nanos, String last) {
        StringBuilder line = new StringBuilder("RESULT " + count + " " + nanos + " " + last);
        histogram.recordedValues().forEach(step -> line.append(' ')
                .append(step.getValueIteratedTo())
                .append(':')
                .append(step.getCountAtValueIteratedTo()));
        Child.say(line.toString());
    }
}
