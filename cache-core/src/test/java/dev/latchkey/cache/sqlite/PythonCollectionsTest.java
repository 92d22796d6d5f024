package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.CodecException;
import dev.latchkey.cache.Deque;
import dev.latchkey.cache.Index;
import dev.latchkey.cache.Side;
import dev.latchkey.testing.JavaProcess;
import dev.latchkey.testing.Python;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Directories that are a {@code Deque} or an {@code Index} to Java and to python-diskcache. */
class PythonCollectionsTest extends PythonInterop {
    private static final Duration SOON = Duration.ofSeconds(30);

    private void deque(String script) {
        Python.run("""
                import sys, warnings, diskcache
                warnings.simplefilter('error')
                deque = diskcache.Deque(directory=sys.argv[1])
                def same(a, b):
                    assert a == b, repr(a)[:200] + ' is not ' + repr(b)[:200]
                """ + script, path.toString());
    }

    private void index(String script) {
        Python.run("""
                import sys, warnings, diskcache
                warnings.simplefilter('error')
                index = diskcache.Index(sys.argv[1])
                def same(a, b):
                    assert a == b, repr(a)[:200] + ' is not ' + repr(b)[:200]
                """ + script, path.toString());
    }

    @Test
    void aDequeThatPythonHasMadeIsOneInJava() {
        deque("deque += ['b', 'c', 'x' * 50000]; deque.appendleft('a')");
        String large = "x".repeat(50_000);
        try (Deque<String> deque = Deque.open(path, String.class)) {
            assertEquals(List.of("a", "b", "c", large), new ArrayList<>(deque));
            assertEquals(large, deque.get(3));
            assertEquals("b", deque.set(1, "B"));
            deque.rotate(1);
            assertEquals("c", deque.pollLast());
            deque.addFirst("java");
            deque(
                    "same(list(deque), ['java', 'x' * 50000, 'a', 'B']); same(deque[1], 'x' * 50000); same(len(deque), 4)");
            deque.reverse();
            deque("same(list(deque), ['B', 'a', 'x' * 50000, 'java']); deque.rotate(2); deque.reverse()");
            assertEquals(List.of("a", "B", "java", large), new ArrayList<>(deque));
            deque("same(deque.popleft(), 'a'); same(deque.pop(), 'x' * 50000); deque.remove('B')");
            assertEquals("java", deque.poll());
            assertNull(deque.poll());
            assertTrue(deque.cache().check(false).isClean());
        }
        deque("same(len(deque), 0); assert deque.cache.check() == []");
    }

    @Test
    void aDequeThatJavaHasMadeIsOneInPython() {
        try (Deque<Object> deque = Deque.open(path, Object.class)) {
            deque.extend(List.of("text", 7, 0.5, new byte[] {1, 2}, "y".repeat(40_000)));
            deque.addFirst(-1);
        }
        deque("""
                same(list(deque), [-1, 'text', 7, 0.5, b'\\1\\2', 'y' * 40000])
                same(deque.cache.eviction_policy, 'none')
                deque.append((1, 2)); deque.appendleft('python')
                """);
        try (Deque<Object> deque = Deque.open(path, Object.class)) {
            assertEquals("python", deque.poll());
            assertEquals(List.of(1L, 2L), deque.pollLast());
            assertEquals(6, deque.size());
        }
    }

    @Test
    void pythonsNoneIsNoElementAndStays() {
        deque("deque += [None, 'b']");
        try (Deque<String> deque = Deque.open(path, String.class)) {
            assertThrows(CodecException.class, deque::poll);
            assertThrows(CodecException.class, deque::peek);
            assertEquals(2, deque.size());
            assertEquals("b", deque.pollLast());
            deque("same(deque.popleft(), None)");
            assertNull(deque.poll());
        }
    }

    @Test
    void whatPythonAppendsIsNoticedWithin100Milliseconds() throws Exception {
        try (Deque<String> deque = Deque.open(path, String.class)) {
            JavaProcess python = Python.start("""
                    import sys, time, diskcache
                    deque = diskcache.Deque(directory=sys.argv[1])
                    for line in sys.stdin:
                        time.sleep(0.03)  # Java waits by then
                        before = time.monotonic_ns()
                        deque.append('python')
                        print('APPENDED', before, flush=True)
                    """, path.toString());
            try (python) {
                List<Long> late = new ArrayList<>();
                for (int i = 0; i < 21; i++) {
                    python.send("append");
                    assertEquals("python", deque.poll(SOON.toSeconds(), TimeUnit.SECONDS));
                    long taken = System.nanoTime(); // both count from boot
                    long appended =
                            Long.parseLong(python.await("APPENDED", SOON).split(" ", -1)[1]);
                    late.add(TimeUnit.NANOSECONDS.toMillis(taken - appended));
                }
                late.sort(null);
                System.out.println("append by Python -> take: median " + late.get(10) + " ms, worst " + late.get(20));
                assertTrue(late.get(10) <= 100, late::toString);
            }
        }
    }

    @Test
    void bothSidesWriteAtTheSameTimeAndNothingIsLostOrSeenTwice() throws Exception {
        int each = 200;
        try (Deque<String> deque = Deque.open(path, String.class)) {
            JavaProcess python = Python.start("""
                    import sys, diskcache
                    deque = diskcache.Deque(directory=sys.argv[1])
                    sys.stdin.readline()
                    for i in range(200):
                        deque.append('python %d' % i)
                        if i % 2:
                            try:
                                print('TOOK', deque.popleft(), flush=True)
                            except IndexError:
                                pass
                    print('DONE', flush=True)
                    """, path.toString());
            try (python) {
                List<String> taken = new ArrayList<>();
                python.send("go");
                for (int i = 0; i < each; i++) {
                    deque.addFirst("java " + i);
                    if (i % 3 == 0) {
                        taken.add(deque.takeLast());
                    }
                }
                python.await("DONE", SOON);
                deque.drainTo(taken);
                python.output().stream()
                        .filter(line -> line.startsWith("TOOK "))
                        .map(line -> line.substring(5))
                        .forEach(taken::add);
                List<String> put = IntStream.range(0, each)
                        .boxed()
                        .flatMap(i -> List.of("java " + i, "python " + i).stream())
                        .toList();
                assertEquals(
                        put.stream().sorted().collect(Collectors.joining("\n")),
                        taken.stream().sorted().collect(Collectors.joining("\n")));
                assertTrue(deque.cache().check(false).isClean());
            }
        }
    }

    @Test
    void anIndexThatPythonHasMadeIsOneInJava() {
        index("index.update([('b', 1), ('a', 2)]); index['c'] = 3; index['b'] = 4; index[7] = 5; index[('t', 1)] = 6");
        try (Index<String, Integer> index = Index.open(path, String.class, Integer.class)) {
            assertEquals(List.of("b", "a", "c"), new ArrayList<>(index.keySet()));
            assertEquals(List.of(4, 2, 3), new ArrayList<>(index.values()));
            assertEquals(5, index.size(), "a number and a tuple are counted");
            assertEquals(4, index.merge("b", 0, Integer::sum));
            assertEquals(2, index.remove("a"));
            assertNull(index.putIfAbsent("d", 8));
            index("""
                    same(list(index.items()), [('b', 4), ('c', 3), (7, 5), (('t', 1), 6), ('d', 8)])
                    same(index.popitem(), ('d', 8)); same(index.setdefault('e', 9), 9)
                    same(index.peekitem(last=False), ('b', 4))
                    """);
            assertEquals(Map.entry("e", 9), index.peekItem().orElseThrow());
            assertEquals(Map.entry("b", 4), index.popItem(Side.FRONT).orElseThrow());
            index("same(list(index), ['c', 7, ('t', 1), 'e']); index['none'] = None");
            assertTrue(index.containsKey("none"));
            assertNull(index.get("none"));
            assertEquals(List.of(3, 9), new ArrayList<>(index.values()));
            assertNull(index.putIfAbsent("none", 1), "None is as absent");
            assertEquals(1, index.get("none"));
            assertTrue(index.cache().check(false).isClean());
        }
    }

    @Test
    void anIndexThatJavaHasMadeIsOneInPython() {
        try (Index<Long, List<String>> index = Index.open(
                path,
                com.google.common.reflect.TypeToken.of(Long.class),
                new com.google.common.reflect.TypeToken<List<String>>() {})) {
            index.put(2L, List.of("b"));
            index.put(1L, List.of("a", "ü"));
        }
        index("""
                import json
                same(list(index), [2, 1]); same(json.loads(index[1]), ['a', 'ü'])
                same(index.cache.eviction_policy, 'none'); assert index.cache.check() == []
                del index[2]
                """);
        try (Index<Long, Object> index = Index.open(path, Long.class, Object.class)) {
            assertFalse(index.containsKey(2L));
            assertEquals(1, index.size());
        }
    }

    @Test
    void bothSidesCountInOneIndexAndLoseNothing() {
        int times = 150;
        try (Index<String, Integer> index = Index.open(path, String.class, Integer.class)) {
            JavaProcess python = Python.start("""
                    import sys, diskcache
                    index = diskcache.Index(sys.argv[1])
                    sys.stdin.readline()
                    for i in range(150):
                        with index.transact():
                            index['sum'] = index.get('sum', 0) + 1
                        index['python %d' % i] = i
                    print('DONE', flush=True)
                    """, path.toString());
            try (python) {
                python.send("go");
                for (int i = 0; i < times; i++) {
                    index.merge("sum", 1, Integer::sum);
                    index.put("java " + i, i);
                }
                python.await("DONE", SOON);
            }
            assertEquals(2 * times, index.get("sum"));
            assertEquals(2 * times + 1, new HashSet<>(index.keySet()).size());
            assertTrue(index.cache().check(false).isClean());
        }
    }
}
