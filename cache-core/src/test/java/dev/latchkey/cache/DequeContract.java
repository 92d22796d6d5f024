package dev.latchkey.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.reflect.TypeToken;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a {@link Deque} does over every {@link Cache}. */
abstract class DequeContract extends CacheFixture {
    private static final String LARGE = "x".repeat(40_000);
    private static final long SOON = 20;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private Deque<String> deque;

    @BeforeEach
    void make() {
        deque = deque("d");
    }

    @AfterEach
    void endThreads() {
        threads.shutdownNow();
    }

    private Deque<String> deque(String name) {
        return new Deque<>(cache, name, String.class);
    }

    private Deque<String> filled(String... elements) {
        deque.clear();
        deque.addAll(List.of(elements));
        return deque;
    }

    private static List<String> content(Deque<String> deque) {
        return new ArrayList<>(deque);
    }

    private void assertContent(String... elements) {
        assertEquals(List.of(elements), content(deque));
        List<String> reversed = new ArrayList<>();
        deque.descendingIterator().forEachRemaining(reversed::add);
        Collections.reverse(reversed);
        assertEquals(List.of(elements), reversed);
        assertEquals(elements.length, deque.size());
        assertEquals(elements.length == 0, deque.isEmpty());
    }

    private <T> Future<T> start(Callable<T> task) {
        return threads.submit(task);
    }

    private static <T> T soon(Future<T> future) throws Exception {
        return future.get(SOON, TimeUnit.SECONDS);
    }

    /** Starts a call, and waits until its thread sleeps: behind another one, or in the kernel. */
    private <T> Future<T> waiting(Callable<T> task) throws Exception {
        return waiting(task, DequeContract::isWaiting);
    }

    private <T> Future<T> waiting(Callable<T> task, Predicate<Thread> isThere) throws Exception {
        CompletableFuture<Thread> thread = new CompletableFuture<>();
        Future<T> future = start(() -> {
            thread.complete(Thread.currentThread());
            return task.call();
        });
        Thread waiter = thread.get(SOON, TimeUnit.SECONDS);
        Awaitility.await().until(() -> isThere.test(waiter));
        return future;
    }

    /** Whether it has its place: in line for the turn, or asleep until it is rung. */
    private static boolean isWaiting(Thread thread) {
        List<StackTraceElement> stack = List.of(thread.getStackTrace());
        boolean inLine = isParked(stack)
                && IntStream.range(1, stack.size())
                        .anyMatch(i -> isIn(stack.get(i), Deque.class.getName(), "await")
                                && isIn(stack.get(i - 1), ReentrantLock.class.getName(), "tryLock"));
        return inLine || stack.stream().anyMatch(frame -> isIn(frame, "dev.latchkey.cache.sqlite.Hints", "await"));
    }

    private static boolean isParked(List<StackTraceElement> stack) {
        return stack.stream().anyMatch(frame -> frame.getClassName().equals(LockSupport.class.getName()));
    }

    private static boolean isIn(StackTraceElement frame, String type, String method) {
        return frame.getClassName().equals(type) && frame.getMethodName().equals(method);
    }

    private static void assertStillWaits(Future<?> future) {
        assertThrows(TimeoutException.class, () -> future.get(100, TimeUnit.MILLISECONDS));
    }

    // Both ends

    @Test
    void whatIsAddedAtAnEndIsThere() {
        deque.addLast("b");
        deque.addFirst("a");
        deque.offer("c");
        deque.push("0");
        assertTrue(deque.offerLast("d"));
        assertTrue(deque.offerFirst("-1"));
        assertTrue(deque.add("e"));
        assertContent("-1", "0", "a", "b", "c", "d", "e");
        assertEquals("-1", deque.peek());
        assertEquals("-1", deque.peekFirst());
        assertEquals("-1", deque.element());
        assertEquals("-1", deque.getFirst());
        assertEquals("e", deque.peekLast());
        assertEquals("e", deque.getLast());
        assertEquals("-1", deque.poll());
        assertEquals("0", deque.pop());
        assertEquals("a", deque.remove());
        assertEquals("e", deque.pollLast());
        assertEquals("d", deque.removeLast());
        assertEquals("b", deque.removeFirst());
        assertEquals("c", deque.pollFirst());
        assertContent();
    }

    @Test
    void anEmptyDequeHasNothing() throws Exception {
        assertNull(deque.poll());
        assertNull(deque.pollFirst());
        assertNull(deque.pollLast());
        assertNull(deque.peek());
        assertNull(deque.peekFirst());
        assertNull(deque.peekLast());
        assertNull(deque.poll(0, TimeUnit.SECONDS));
        assertNull(deque.pollFirst(-1, TimeUnit.SECONDS));
        assertNull(deque.pollLast(20, TimeUnit.MILLISECONDS));
        assertThrows(NoSuchElementException.class, deque::remove);
        assertThrows(NoSuchElementException.class, deque::pop);
        assertThrows(NoSuchElementException.class, deque::removeFirst);
        assertThrows(NoSuchElementException.class, deque::removeLast);
        assertThrows(NoSuchElementException.class, deque::element);
        assertThrows(NoSuchElementException.class, deque::getFirst);
        assertThrows(NoSuchElementException.class, deque::getLast);
        assertFalse(deque.iterator().hasNext());
        assertThrows(NoSuchElementException.class, deque.iterator()::next);
        assertThrows(IllegalStateException.class, deque.iterator()::remove);
    }

    @Test
    void nullIsNoElement() {
        List<Consumer<Deque<String>>> calls = List.of(
                d -> d.add(null),
                d -> d.addFirst(null),
                d -> d.addLast(null),
                d -> d.offer(null),
                d -> d.offerFirst(null),
                d -> d.push(null),
                d -> d.set(0, null),
                d -> d.addAll(Arrays.asList("b", null)),
                d -> d.extend(Arrays.asList("b", null)),
                d -> d.extendFirst(Arrays.asList("b", null)));
        filled("a");
        calls.forEach(call -> assertThrows(NullPointerException.class, () -> call.accept(deque)));
        assertThrows(NullPointerException.class, () -> deque.put(null));
        assertThrows(NullPointerException.class, () -> deque.offer(null, 1, TimeUnit.SECONDS));
        assertContent("a");
        assertFalse(deque.contains(null));
        assertFalse(deque.remove(null));
        assertEquals(-1, deque.indexOf(null));
        assertEquals(0, deque.count(null));
    }

    @Test
    void elementsAreOfAnyTypeThatAValueCanBeOf() {
        Deque<List<Integer>> lists = new Deque<>(cache, "lists", new TypeToken<List<Integer>>() {});
        lists.add(List.of(1, 2));
        lists.add(List.of());
        assertEquals(List.of(List.of(1, 2), List.of()), new ArrayList<>(lists));
        assertTrue(lists.contains(List.of(1, 2)));
        Deque<byte[]> arrays = new Deque<>(cache, "arrays", byte[].class);
        arrays.add(new byte[] {1});
        arrays.add(new byte[50_000]);
        assertEquals(1, arrays.indexOf(new byte[50_000]));
        assertTrue(arrays.remove(new byte[] {1}));
        assertArrayEquals(new byte[50_000], arrays.remove());
        filled(LARGE, "small", LARGE + 1);
        assertContent(LARGE, "small", LARGE + 1);
        assertEquals(LARGE, deque.poll());
        deque.clear();
        assertEquals(List.of(), valueFiles());
    }

    @Test
    void anItemOfAnotherTypeIsAnErrorAndStays() {
        cache.push("not a number", "n", Side.BACK, EntryOptions.none());
        Deque<Integer> numbers = new Deque<>(cache, "n", Integer.class);
        numbers.add(7);
        assertThrows(CodecException.class, numbers::poll);
        assertThrows(CodecException.class, numbers::peek);
        assertThrows(CodecException.class, numbers::take);
        assertThrows(CodecException.class, () -> numbers.contains(7));
        assertThrows(CodecException.class, () -> numbers.drainTo(new ArrayList<>()));
        assertEquals(2, numbers.size());
        assertEquals(7, numbers.pollLast());
        assertEquals("not a number", new Deque<>(cache, "n", String.class).poll());
    }

    @Test
    void whatIsAddedSurvivesClosing() {
        filled("a", LARGE);
        reopen();
        deque = deque("d");
        assertContent("a", LARGE);
    }

    @Test
    void dequesOfOneNameAreOneAndOfOthersAreNot() {
        filled("a");
        assertEquals("a", deque("d").peek());
        assertNull(deque("d-").peek());
        assertNull(deque("").peek());
        assertNull(Deque.builder(cache, String.class).build().peek());
        assertNotEquals(deque, deque("d"));
        assertEquals(deque, deque);
        assertEquals("[a]", deque.toString());
    }

    @Test
    void pushAndPullOfTheCacheWorkOnTheSameItems() {
        filled("b");
        cache.push("c", "d", Side.BACK, EntryOptions.none());
        cache.push("a", "d", Side.FRONT, EntryOptions.none().tag("t"));
        assertContent("a", "b", "c");
        assertEquals("c", cache.pull("d", Side.BACK, String.class).orElseThrow().value());
        assertContent("a", "b");
        Deque<String> withoutPrefix = Deque.builder(cache, String.class).build();
        cache.push("x");
        withoutPrefix.add("y");
        assertEquals("x", withoutPrefix.poll());
        assertEquals(
                "y", cache.pull(null, Side.FRONT, String.class).orElseThrow().value());
    }

    @Test
    void keysThatNoPushHasMadeAreNoItems() {
        List<String> names = List.of("d", "", "a-b", "%", "ü", "\uD83D\uDE00", "it's", "a*[0-9]?");
        for (String name : names) {
            Deque<String> queue = deque(name);
            queue.addAll(List.of("a", "b", "c"));
            for (String number :
                    List.of("50000000000000x", "5", "500000000000000.", "+50000000000000", "0x5000000000000")) {
                cache.set(name + "-" + number, "foreign");
            }
            assertEquals(3, queue.size(), name);
            assertEquals(List.of("a", "b", "c"), content(queue), name);
            assertEquals("b", queue.get(1), name);
            assertEquals("c", queue.get(2), name);
        }
        int foreign = cache.size() - 3 * names.size();
        names.forEach(name -> deque(name).clear());
        assertEquals(foreign, cache.size());
        assertEquals(5 * names.size(), foreign);
    }

    @Test
    void anItemWhoseTimeIsOverIsNotThere() {
        filled("a");
        Object key = cache.push("brief", "d", Side.FRONT, BRIEFLY);
        awaitExpiry(key);
        assertContent("a");
        assertEquals("a", deque.get(0));
        assertEquals("a", deque.poll());
        assertNull(deque.poll());
    }

    @Test
    void anItemWhoseFileIsLostIsPassedOver() throws IOException {
        filled(LARGE, "b", "c");
        Files.delete(valueFiles().get(0));
        assertEquals("b", deque.peek());
        assertEquals("b", deque.get(0));
        assertEquals(List.of("b", "c"), content(deque));
        assertEquals("b", deque.poll());
        assertEquals("c", deque.poll());
        assertTrue(deque.isEmpty());
    }

    // By position

    @Test
    void elementsAreReadReplacedAndRemovedByPosition() {
        filled("a", "b", "c", "d");
        assertEquals("a", deque.get(0));
        assertEquals("d", deque.get(3));
        assertEquals("b", deque.set(1, LARGE));
        assertContent("a", LARGE, "c", "d");
        assertEquals(LARGE, deque.removeAt(1));
        assertEquals(List.of(), valueFiles());
        assertContent("a", "c", "d");
        assertEquals("d", deque.removeAt(2));
        assertEquals("a", deque.removeAt(0));
        assertEquals("c", deque.get(0));
        assertEquals(0, deque.indexOf("c"));
        assertEquals(-1, deque.indexOf("a"));
    }

    @Test
    void aPositionOutsideIsAnErrorThatDoesNotEndATransaction() {
        filled("a");
        for (int index : new int[] {-1, 1, Integer.MAX_VALUE}) {
            cache.transact(() -> {
                assertThrows(IndexOutOfBoundsException.class, () -> deque.get(index));
                assertThrows(IndexOutOfBoundsException.class, () -> deque.set(index, "x"));
                Exception e = assertThrows(IndexOutOfBoundsException.class, () -> deque.removeAt(index));
                assertTrue(String.valueOf(e.getMessage()).contains("was " + index), e::toString);
            });
        }
        assertContent("a");
    }

    @Test
    void extendingAddsAllInOrderAtEitherEnd() {
        deque.extend(List.of("a", "b"));
        deque.extendFirst(List.of("1", "2"));
        assertContent("2", "1", "a", "b");
        deque.extend(deque);
        assertContent("2", "1", "a", "b", "2", "1", "a", "b");
        deque.extend(List.of());
        assertFalse(deque.addAll(List.of()));
        List<Deque<String>> itself = List.of(deque);
        assertThrows(IllegalArgumentException.class, () -> deque.addAll(itself.get(0)));
        assertEquals(2, deque.count("a"));
        assertEquals(0, deque.count("x"));
    }

    @Test
    void rotatingMovesElementsFromOneEndToTheOther() {
        List<String> model = new ArrayList<>(List.of("a", "b", LARGE, "d", "e"));
        deque.addAll(model);
        deque.remove("b"); // leaves a gap among the keys
        model.remove("b");
        for (int steps : new int[] {1, -1, 3, 0, -3, 4, 7, -9, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            deque.rotate(steps);
            Collections.rotate(model, steps);
            assertContent(model.toArray(String[]::new));
        }
        deque.clear();
        deque.rotate(5);
        assertContent();
    }

    @Test
    void reversingTurnsTheOrderRound() {
        deque.reverse();
        assertContent();
        filled("a").reverse();
        assertContent("a");
        filled("a", "b", LARGE, "d").reverse();
        assertContent("d", LARGE, "b", "a");
        deque.addFirst("e");
        deque.addLast("0");
        deque.reverse();
        assertContent("0", "a", "b", LARGE, "d", "e");
        assertTrue(cache.check(false).isClean());
    }

    @Test
    void aRandomSequenceOfCallsDoesWhatItDoesToAListInMemory() {
        Random random = new Random(4711);
        List<String> model = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            String element = random.nextInt(20) == 0 ? LARGE + i : "e" + random.nextInt(8);
            int index = model.isEmpty() ? 0 : random.nextInt(model.size());
            switch (random.nextInt(11)) {
                case 0, 1 -> {
                    deque.addLast(element);
                    model.add(element);
                }
                case 2, 3 -> {
                    deque.addFirst(element);
                    model.add(0, element);
                }
                case 4 -> assertEquals(model.isEmpty() ? null : model.remove(0), deque.poll());
                case 5 -> assertEquals(model.isEmpty() ? null : model.remove(model.size() - 1), deque.pollLast());
                case 6 -> assertEquals(model.remove(element), deque.remove(element));
                case 7 -> {
                    if (!model.isEmpty()) {
                        assertEquals(model.set(index, element), deque.set(index, element));
                    }
                }
                case 8 -> {
                    if (!model.isEmpty()) {
                        assertEquals(model.remove(index), deque.removeAt(index));
                    }
                }
                case 9 -> {
                    int steps = random.nextInt(7) - 3;
                    deque.rotate(steps);
                    Collections.rotate(model, steps);
                }
                default -> {
                    deque.reverse();
                    Collections.reverse(model);
                }
            }
            assertEquals(model, content(deque));
        }
        assertTrue(cache.check(false).isClean());
    }

    // As a collection

    @Test
    void occurrencesAreRemovedFromEitherEnd() {
        filled("a", "b", "a", "b", "a");
        assertTrue(deque.removeLastOccurrence("b"));
        assertContent("a", "b", "a", "a");
        assertTrue(deque.removeFirstOccurrence("a"));
        assertContent("b", "a", "a");
        assertFalse(deque.removeFirstOccurrence("x"));
        assertTrue(deque.removeIf(element -> element.equals("b")));
        deque.add("c");
        assertTrue(deque.retainAll(Set.of("a")));
        assertContent("a", "a");
        assertFalse(deque.retainAll(Set.of("a")));
        assertTrue(deque.removeAll(List.of("a")));
        assertContent();
    }

    @Test
    void anIteratorRemovesTheVeryItemThatItHasShown() {
        filled("a", "b");
        Iterator<String> iterator = deque.iterator();
        assertEquals("a", iterator.next());
        assertEquals("a", deque.poll());
        iterator.remove();
        assertThrows(IllegalStateException.class, iterator::remove);
        assertContent("b");
        filled("a", "b");
        iterator = deque.descendingIterator();
        assertEquals("b", iterator.next());
        assertEquals("b", deque.pollLast());
        deque.addLast("c"); // under the key that "b" had
        iterator.remove();
        assertContent("a", "c");
    }

    @Test
    void iteratorsSeeWhatIsAddedAndRemovedMeanwhileAndNeverFail() {
        filled("a", "b", "c");
        Iterator<String> iterator = deque.iterator();
        assertEquals("a", iterator.next());
        deque.remove("b");
        deque.add("d");
        deque.addFirst("0");
        assertEquals("c", iterator.next());
        assertEquals("d", iterator.next());
        assertFalse(iterator.hasNext());
        assertEquals(List.of("0", "a", "c", "d"), deque.stream().toList());
    }

    @Test
    void drainingTakesFromTheFrontUpToANumber() {
        for (int i = 0; i < 600; i++) {
            deque.add("e" + i);
        }
        List<String> drained = new ArrayList<>();
        assertEquals(2, deque.drainTo(drained, 2));
        assertEquals(List.of("e0", "e1"), drained);
        assertEquals(0, deque.drainTo(drained, 0));
        assertEquals(0, deque.drainTo(drained, -1));
        assertEquals(598, deque.drainTo(drained));
        assertEquals("e599", drained.get(599));
        assertEquals(600, new HashSet<>(drained).size());
        assertEquals(0, deque.drainTo(drained));
        assertThrows(IllegalArgumentException.class, () -> deque.drainTo(deque));
        assertContent();
    }

    // Bounds

    @Test
    void aCapacityRefusesWhatIsTooMuch() throws Exception {
        deque = Deque.builder(cache, "d", String.class).capacity(3).build();
        assertEquals(3, deque.remainingCapacity());
        deque.addAll(List.of("a", "b"));
        assertEquals(1, deque.remainingCapacity());
        assertThrows(IllegalStateException.class, () -> deque.addAll(List.of("c", LARGE)));
        assertEquals(List.of(), valueFiles());
        assertTrue(deque.offerFirst("0"));
        assertEquals(0, deque.remainingCapacity());
        assertFalse(deque.offer("x"));
        assertFalse(deque.offerFirst(LARGE));
        assertFalse(deque.offer("x", 0, TimeUnit.SECONDS));
        assertFalse(deque.offerFirst("x", 30, TimeUnit.MILLISECONDS));
        assertThrows(IllegalStateException.class, () -> deque.add("x"));
        assertThrows(IllegalStateException.class, () -> deque.push("x"));
        assertThrows(IllegalStateException.class, () -> deque.extend(List.of("x")));
        assertEquals(List.of(), valueFiles());
        assertContent("0", "a", "b");
        deque.remove("a"); // leaves a gap among the keys
        assertTrue(deque.offer("c"));
        assertFalse(deque.offer("x"));
        assertContent("0", "b", "c");
        assertEquals("b", deque.set(1, "B"));
        deque.rotate(1);
        deque.poll();
        deque.put("d");
        assertContent("0", "B", "d");
    }

    @Test
    void aMaxlenDropsAtTheOtherEnd() throws Exception {
        deque = Deque.builder(cache, "d", String.class).maxlen(3).build();
        deque.extend(List.of(LARGE, "b", "c", "d"));
        assertContent("b", "c", "d");
        assertEquals(List.of(), valueFiles());
        deque.addFirst("a");
        assertContent("a", "b", "c");
        deque.put("d");
        assertTrue(deque.offer("e", 1, TimeUnit.SECONDS));
        assertContent("c", "d", "e");
        deque.remove("d");
        deque.add("f");
        assertContent("c", "e", "f");
        deque.addAll(List.of("1", "2", "3", "4"));
        assertContent("2", "3", "4");
        deque.extendFirst(List.of("1", "0", "-1", "-2"));
        assertContent("-2", "-1", "0");
        assertEquals(Integer.MAX_VALUE, deque.remainingCapacity());
    }

    @Test
    void aBoundIsStoredByWhoeverComesFirst() {
        Deque.builder(cache, "d", String.class).capacity(1).build();
        assertEquals(Bound.capacity(1), deque.bound());
        deque.add("a");
        assertFalse(deque.offer("b"));
        reopen();
        deque = deque("d");
        assertFalse(deque.offer("b"));
        assertEquals(
                Bound.capacity(1),
                Deque.builder(cache, "d", String.class).capacity(1).build().bound());
        for (Bound other : List.of(Bound.capacity(2), Bound.maxlen(1))) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> Deque.builder(cache, "d", String.class).bound(other).build());
            String message = String.valueOf(e.getMessage());
            assertTrue(message.contains("capacity 1") && message.contains(other.toString()), message);
            assertTrue(message.contains("alter"), message);
        }
        assertEquals(Bound.none(), deque("other").bound());
        deque.alter(Bound.capacity(2));
        assertTrue(deque.offer("b"));
        assertFalse(deque.offer("c"));
        deque.alter(Bound.none());
        assertTrue(deque.offer("c"));
        deque.alter(Bound.maxlen(2));
        assertContent("b", "c");
        assertEquals(Bound.maxlen(2), deque("d").bound());
        assertFalse(cache.settings().toString().contains("maxlen"));
    }

    @Test
    void aBoundThatSomebodyElseSetsHoldsForWhoHasSeenNone() {
        deque.add("a");
        deque("d").alter(Bound.capacity(2));
        assertTrue(deque.offer("b"));
        assertFalse(deque.offer("c"));
        deque("d").alter(Bound.none());
        assertTrue(deque.offer("c"));
        assertTrue(deque.offerFirst("z"));
        deque("d").alter(Bound.maxlen(2));
        deque.add("d");
        assertContent("c", "d");
    }

    @Test
    void aBoundIsPositive() {
        for (int items : new int[] {0, -1}) {
            var builder = Deque.builder(cache, "d", String.class);
            assertTrue(assertThrows(IllegalArgumentException.class, () -> builder.capacity(items))
                    .toString()
                    .contains("was " + items));
            assertThrows(IllegalArgumentException.class, () -> builder.maxlen(items));
        }
    }

    @Test
    void clearingTheCacheLeavesTheBound() {
        Deque.builder(cache, "d", String.class).capacity(1).build();
        cache.clear();
        assertEquals(Bound.capacity(1), deque.bound());
    }

    // Waiting

    @Test
    void takingWaitsUntilSomethingIsAddedByWhateverCall() throws Exception {
        List<Runnable> calls = List.of(
                () -> deque("d").add("x"),
                () -> deque("d").addFirst("x"),
                () -> deque("d").extend(List.of("x")),
                () -> cache.push("x", "d", Side.BACK, EntryOptions.none()),
                () -> cache.transact(() -> {
                    deque("d").add("x");
                }));
        for (Runnable call : calls) {
            Future<String> taken = waiting(deque::take);
            call.run();
            assertEquals("x", soon(taken));
        }
        Future<String> last = waiting(() -> deque.pollLast(SOON, TimeUnit.SECONDS));
        deque.add("y");
        assertEquals("y", soon(last));
    }

    @Test
    void puttingIntoAFullDequeWaitsUntilSomethingIsRemovedByWhateverCall() throws Exception {
        deque = Deque.builder(cache, "d", String.class).capacity(1).build();
        List<Runnable> calls = List.of(
                () -> deque("d").poll(),
                () -> deque("d").remove("x"),
                () -> deque("d").clear(),
                () -> deque("d").removeAt(0),
                () -> deque("d").drainTo(new ArrayList<>()),
                () -> deque("d").alter(Bound.capacity(2)),
                () -> cache.pull("d", Side.BACK, String.class));
        for (Runnable call : calls) {
            filled("x");
            Future<Boolean> put = waiting(() -> {
                deque.putFirst("y");
                return true;
            });
            call.run();
            assertTrue(soon(put));
            assertEquals("y", deque.peek());
            deque.alter(Bound.capacity(1));
        }
        filled("x");
        Future<Boolean> offered = waiting(() -> deque.offer("z", SOON, TimeUnit.SECONDS));
        deque.poll();
        assertTrue(soon(offered));
    }

    @Test
    void aTransactionWakesNobodyBeforeItsCommitAndNeverAfterARollback() throws Exception {
        Future<String> taken = waiting(deque::take);
        assertThrows(
                IllegalArgumentException.class,
                () -> cache.transact(() -> {
                    deque.add("rolled back");
                    throw new IllegalArgumentException("no");
                }));
        assertStillWaits(taken);
        cache.transact(() -> {
            deque.add("committed");
            assertFalse(taken.isDone());
        });
        assertEquals("committed", soon(taken));
    }

    @Test
    void insideATransactionCallsJoinAndNoneWaits() {
        deque.add("a");
        assertThrows(
                IllegalArgumentException.class,
                () -> cache.transact(() -> {
                    assertEquals("a", deque.take());
                    deque.put("b");
                    deque.rotate(1);
                    deque.reverse();
                    deque.set(0, "c");
                    assertEquals(List.of("c"), content(deque));
                    deque.clear();
                    throw new IllegalArgumentException("no");
                }));
        assertContent("a");
        deque.alter(Bound.capacity(1));
        cache.transact(() -> {
            assertThrows(IllegalStateException.class, () -> deque.put("x"));
            assertThrows(IllegalStateException.class, () -> deque.offer("x", 1, TimeUnit.SECONDS));
            assertFalse(deque.offer("x", 0, TimeUnit.SECONDS));
            assertEquals("a", deque.take());
            assertThrows(IllegalStateException.class, deque::take);
            assertThrows(IllegalStateException.class, () -> deque.pollLast(1, TimeUnit.SECONDS));
            assertNull(deque.poll(0, TimeUnit.SECONDS));
            return true;
        });
        assertContent();
    }

    @Test
    void timedCallsReturnInTime() throws Exception {
        long start = System.nanoTime();
        assertNull(deque.poll(80, TimeUnit.MILLISECONDS));
        assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(80));
        Future<String> first = waiting(deque::take);
        start = System.nanoTime();
        assertNull(deque.poll(80, TimeUnit.MILLISECONDS), "behind another that waits");
        assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(80));
        deque.add("a");
        assertEquals("a", soon(first));
    }

    @Test
    void timedCallsGiveUpInTimeWhileSomebodyKeepsTheDatabase() throws Exception {
        deque.add("a");
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Future<?> transaction = threads.submit(() -> cache.transact(() -> {
            inside.countDown();
            return end.await(SOON, TimeUnit.SECONDS);
        }));
        assertTrue(inside.await(SOON, TimeUnit.SECONDS));
        assertNull(deque.poll(50, TimeUnit.MILLISECONDS));
        assertFalse(deque.offer("b", 50, TimeUnit.MILLISECONDS));
        Future<String> taken = waiting(deque::take, thread -> isParked(List.of(thread.getStackTrace())));
        assertStillWaits(taken);
        end.countDown();
        soon(transaction);
        assertEquals("a", soon(taken));
        assertContent();
    }

    @Test
    void anInterruptEndsAWaitAndNothingWasTakenOrAdded() throws Exception {
        deque.alter(Bound.capacity(1));
        for (Callable<?> call :
                List.<Callable<?>>of(deque::take, deque::takeLast, () -> deque.poll(SOON, TimeUnit.SECONDS))) {
            assertInterrupted(call, 1);
            assertInterrupted(call, 3);
        }
        deque.add("a");
        for (Callable<?> call : List.<Callable<?>>of(
                () -> {
                    deque.put("b");
                    return "put";
                },
                () -> deque.offerFirst("b", SOON, TimeUnit.SECONDS))) {
            assertInterrupted(call, 1);
            assertInterrupted(call, 3);
        }
        assertContent("a");
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, deque::take);
        assertFalse(Thread.interrupted());
        assertContent("a");
    }

    /** So many threads wait, and all are interrupted. */
    private void assertInterrupted(Callable<?> call, int number) throws Exception {
        List<Thread> waiters = new ArrayList<>();
        AtomicInteger interrupted = new AtomicInteger();
        for (int i = 0; i < number; i++) {
            Thread thread = new Thread(() -> {
                try {
                    call.call();
                } catch (InterruptedException e) {
                    interrupted.incrementAndGet();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            thread.start();
            waiters.add(thread);
            Awaitility.await().until(() -> isWaiting(thread));
        }
        waiters.forEach(Thread::interrupt);
        for (Thread waiter : waiters) {
            waiter.join(TimeUnit.SECONDS.toMillis(SOON));
        }
        assertEquals(number, interrupted.get());
    }

    @Test
    void theFirstToWaitIsTheFirstToBeServed() throws Exception {
        int number = 8;
        ConcurrentLinkedQueue<Integer> served = new ConcurrentLinkedQueue<>();
        List<Future<?>> waiters = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            int me = i;
            waiters.add(waiting(() -> {
                deque.take();
                served.add(me);
                return me;
            }));
        }
        for (int i = 0; i < number; i++) {
            deque.add("e" + i);
            int so = i + 1;
            Awaitility.await().until(() -> served.size() == so);
        }
        assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7), List.copyOf(served));
        for (Future<?> waiter : waiters) {
            soon(waiter);
        }
    }

    @Test
    void everythingThatIsPutIsTakenOnce() throws Exception {
        deque.alter(Bound.capacity(5));
        int each = 60;
        ConcurrentLinkedQueue<String> taken = new ConcurrentLinkedQueue<>();
        List<Future<?>> workers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int me = i;
            workers.add(start(() -> {
                for (int j = 0; j < each; j++) {
                    if (me == 0) {
                        deque.putFirst(me + " " + j);
                    } else {
                        deque("d").put(me + " " + j);
                    }
                }
                return true;
            }));
            workers.add(start(() -> {
                for (int j = 0; j < each; j++) {
                    taken.add(me == 1 ? deque.takeLast() : deque("d").take());
                    assertTrue(deque.size() <= 5);
                }
                return true;
            }));
        }
        for (Future<?> worker : workers) {
            soon(worker);
        }
        assertEquals(3 * each, taken.size());
        assertEquals(3 * each, new HashSet<>(taken).size());
        assertContent();
    }

    @Test
    void closingTheCacheEndsTheWaits() throws Exception {
        Future<String> first = waiting(deque::take);
        Future<String> second = waiting(deque::take);
        cache.close();
        for (Future<String> waiter : List.of(first, second)) {
            ExecutionException e = assertThrows(ExecutionException.class, () -> soon(waiter));
            assertTrue(e.getCause() instanceof CacheClosedException, e::toString);
        }
        assertThrows(CacheClosedException.class, deque::poll);
        assertThrows(CacheClosedException.class, deque::size);
        assertThrows(CacheClosedException.class, () -> deque.add("x"));
        assertThrows(CacheClosedException.class, deque::take);
    }

    // A crash inside a transaction is a rollback; what it leaves is what it found

    @Test
    void whatFailsInTheMiddleLeavesNothing() {
        deque.add("a");
        assertThrows(CodecException.class, () -> new Deque<>(cache, "d", Object.class)
                .addAll(List.of(LARGE, new Unstorable())));
        assertEquals(List.of(), valueFiles());
        assertContent("a");
    }

    /** Jackson finds nothing to write. */
    private static final class Unstorable {
        @Override
        public String toString() {
            return "unstorable";
        }
    }

    @Test
    void aDirectoryOfItsOwnIsADequeToo() throws Exception {
        try (Deque<Map<String, Integer>> own =
                Deque.open(directory.resolve("own"), new TypeToken<Map<String, Integer>>() {})) {
            own.put(Map.of("a", 1));
            assertEquals(
                    EvictionPolicy.NONE.stored(),
                    String.valueOf(own.cache().settings().get(Setting.EVICTION_POLICY)));
            assertEquals(1, own.cache().size());
        }
        try (Deque<String> own =
                Deque.builder(directory.resolve("own"), String.class).maxlen(2).build()) {
            own.extend(List.of("b", "c"));
            assertEquals(List.of("b", "c"), content(own));
        }
        assertThrows(IllegalArgumentException.class, () -> Deque.builder(directory.resolve("own"), String.class)
                .maxlen(3)
                .build());
        Deque<String> own = Deque.open(directory.resolve("own"), String.class);
        own.close();
        own.close();
        assertThrows(CacheClosedException.class, own::poll);
        deque.close();
        assertTrue(deque.offer("the cache of somebody else is still open"));
        assertEquals(1, new ArrayDeque<>(deque).size());
    }
}
