package dev.latchkey.cache;

import com.google.common.reflect.TypeToken;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.QueueStore;
import dev.latchkey.cache.spi.Signal;
import dev.latchkey.cache.spi.StoredQueue;
import dev.latchkey.cache.spi.StoredQueue.Element;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractQueue;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.BlockingDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A {@link BlockingDeque} that many processes share; it lives in a cache and survives them all.
 *
 * <pre>{@code
 * try (Cache cache = Cache.open(Path.of("/var/cache/app"))) {
 *     Deque<String> urls = new Deque<>(cache, "urls", String.class);
 *     urls.add("https://example.org/"); // here
 *     String url = urls.take();         // in any process; waits until there is one
 * }
 * }</pre>
 *
 * <p><b>Scope.</b> All deques of one name over one directory, in all processes, are one deque: the queue of that prefix in
 * the cache, so {@code cache.push} and {@code cache.pull}, also Python's, work on the same items, without regard to a bound. {@link #open}
 * opens a directory of its own, which python-diskcache's {@code Deque} can open too; such a deque must be closed. Items are never
 * evicted; those that Python has pushed may be, unless the policy of the cache is {@link EvictionPolicy#NONE}.
 *
 * <p><b>Bounds.</b> A deque holds any number of items unless it has a {@link Bound}: a capacity, at which insertions wait or are refused,
 * or a maxlen, at which they drop an item at the other end. The bound is stored with the name by whoever comes first, and holds
 * for every deque of the name; see {@link Builder#bound} and {@link #alter}.
 *
 * <p><b>Blocking.</b> {@code take}, {@code put}, and {@code poll} and {@code offer} with a time-out wait for an item or for room
 * without reading the database; an insertion or removal by a process that uses this library wakes them within a millisecond, one by Python
 * within 100 ms. However many threads of a process wait, one of them looks now and then. Within a process the first to wait is the
 * first to be served; a call that does not have to wait may overtake those that do; between processes there is no order. An interrupt ends
 * these waits with {@link InterruptedException}, and then nothing was taken or added. Other calls wait as all calls on the cache do for
 * the database's write lock: at most for the time-out of the cache; those that wait for items wait for the database too.
 *
 * <p><b>Crashes.</b> What was added survives the process that added it. An item that was taken is gone when its taker dies: for work that
 * is to survive its worker use {@code WorkQueue} of the module for coordination. A process that dies while it waits leaves nothing
 * behind.
 *
 * <p><b>Transactions.</b> Inside {@code cache.transact} all calls join, and a call that would have to wait throws
 * {@link IllegalStateException}: others could add nothing meanwhile. Whoever waits is woken after the commit.
 *
 * <p><b>Thread safety.</b> Any thread and any process may use a deque at any time. Every method is atomic across processes, except that
 * those which are given a predicate or look for what a collection contains ({@code removeIf}, {@code removeAll}, {@code retainAll}) remove item
 * by item, {@code drainTo} takes up to 256 items at a time, and {@code remove(Object)} and {@code contains} look at one item after the other.
 * Iterators and streams are weakly consistent: they see each item that is there all the time, and never throw
 * {@link java.util.ConcurrentModificationException}; after a rotation or reversal by others they may see items twice or not at all.
 * {@code remove} of an iterator removes the very item it has shown, if that is still there.
 *
 * <p><b>Elements</b> are stored as {@link Cache#set(Object, Object)} stores values. Two are equal if {@code equals} says so, arrays if their contents
 * are. Null is a {@link NullPointerException}. An item that is not an {@code E}, or is Python's {@code None}, is a
 * {@link CodecException} for whoever reaches it, and stays; {@code cache.pull} with another type removes it. Deques are equal if they are the same object,
 * as all of the JDK's are.
 *
 * <p><b>Costs.</b> An insertion and a removal at an end cost a transaction each, however long the deque. {@link #size}, {@link #get} and what works by
 * index count items, and so does an insertion into a full deque.
 *
 * <p><b>Source.</b> {@code Deque} of python-diskcache, which has no blocking calls, forgets its maxlen when it is closed, and whose rotation, reversal and
 * extension are not atomic.
 *
 * @param <E> the type of the elements
 */
public final class Deque<E> extends AbstractQueue<E> implements BlockingDeque<E>, AutoCloseable {
    /** How often the one that waits looks although nobody has rung: Python never does. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private static final Duration ONE_ATTEMPT = Duration.ofMillis(10);
    private static final int PAGE = 256;

    private final Cache cache;
    private final @Nullable String name;
    private final TypeToken<E> type;
    private final boolean ownsCache;
    private final StoredQueue queue;
    private final ReentrantLock takersTurn;
    private final ReentrantLock puttersTurn;

    /**
     * The deque of a name.
     *
     * @param cache where it lives
     * @param name the prefix of its items' keys
     * @param type the class of the elements
     * @throws IllegalArgumentException if the cache offers no queues, as one that was opened for reading alone
     */
    public Deque(Cache cache, String name, Class<E> type) {
        this(cache, name, TypeToken.of(type));
    }

    /**
     * The deque of a name, with elements of a generic type.
     *
     * @param cache where it lives
     * @param name the prefix of its items' keys
     * @param type the type of the elements
     * @throws IllegalArgumentException if the cache offers no queues, as one that was opened for reading alone
     */
    public Deque(Cache cache, String name, TypeToken<E> type) {
        this(cache, Objects.requireNonNull(name, "name"), type, false);
    }

    private Deque(Cache cache, @Nullable String name, TypeToken<E> type, boolean ownsCache) {
        this.cache = cache;
        this.name = name;
        this.type = Objects.requireNonNull(type, "type");
        this.ownsCache = ownsCache;
        this.queue = cache.unwrap(QueueStore.class).queue(name);
        this.takersTurn = DequeTurns.forItems(queue);
        this.puttersTurn = DequeTurns.forRoom(queue);
    }

    /**
     * Opens the deque that is a directory, as python-diskcache's {@code Deque(directory=...)} does; the directory is created if it is missing, and
     * then never evicts anything.
     *
     * @param <E> the type of the elements
     * @param directory where it lies
     * @param type the class of the elements
     * @return the open deque, which must be closed
     * @throws CacheException if it cannot be opened
     */
    public static <E> Deque<E> open(Path directory, Class<E> type) {
        return open(directory, TypeToken.of(type));
    }

    /**
     * Opens the deque that is a directory, with elements of a generic type, see {@link #open(Path, Class)}.
     *
     * @param <E> the type of the elements
     * @param directory where it lies
     * @param type the type of the elements
     * @return the open deque, which must be closed
     * @throws CacheException if it cannot be opened
     */
    public static <E> Deque<E> open(Path directory, TypeToken<E> type) {
        return builder(directory, type).build();
    }

    /**
     * Prepares the deque of a name with a bound.
     *
     * @param <E> the type of the elements
     * @param cache where it lives
     * @param name the prefix of its items' keys
     * @param type the class of the elements
     * @return a builder
     */
    public static <E> Builder<E> builder(Cache cache, String name, Class<E> type) {
        return builder(cache, name, TypeToken.of(type));
    }

    /**
     * Prepares the deque of a name with a bound, with elements of a generic type.
     *
     * @param <E> the type of the elements
     * @param cache where it lives
     * @param name the prefix of its items' keys
     * @param type the type of the elements
     * @return a builder
     */
    public static <E> Builder<E> builder(Cache cache, String name, TypeToken<E> type) {
        Objects.requireNonNull(cache, "cache");
        Objects.requireNonNull(name, "name");
        return new Builder<>(() -> new Deque<>(cache, name, type, false));
    }

    /**
     * Prepares the deque of the items without a prefix, those of {@code cache.push(value)}; python-diskcache's {@code Deque.fromcache}.
     *
     * @param <E> the type of the elements
     * @param cache where it lives
     * @param type the class of the elements
     * @return a builder
     */
    public static <E> Builder<E> builder(Cache cache, Class<E> type) {
        return builder(cache, TypeToken.of(type));
    }

    /**
     * Prepares the deque of the items without a prefix, with elements of a generic type, see {@link #builder(Cache, Class)}.
     *
     * @param <E> the type of the elements
     * @param cache where it lives
     * @param type the type of the elements
     * @return a builder
     */
    public static <E> Builder<E> builder(Cache cache, TypeToken<E> type) {
        Objects.requireNonNull(cache, "cache");
        return new Builder<>(() -> new Deque<>(cache, null, type, false));
    }

    /**
     * Prepares to open the deque that is a directory with a bound.
     *
     * @param <E> the type of the elements
     * @param directory where it lies
     * @param type the class of the elements
     * @return a builder
     */
    public static <E> Builder<E> builder(Path directory, Class<E> type) {
        return builder(directory, TypeToken.of(type));
    }

    /**
     * Prepares to open the deque that is a directory with a bound, with elements of a generic type.
     *
     * @param <E> the type of the elements
     * @param directory where it lies
     * @param type the type of the elements
     * @return a builder
     */
    public static <E> Builder<E> builder(Path directory, TypeToken<E> type) {
        CacheBuilder caches = Cache.builder(directory).evictionPolicy(EvictionPolicy.NONE);
        Objects.requireNonNull(type, "type");
        return new Builder<>(() -> new Deque<>(caches.open(), null, type, true));
    }

    /**
     * Opens a deque with a bound.
     *
     * @param <E> the type of the elements
     */
    public static final class Builder<E> {
        private final Supplier<Deque<E>> deque;
        private Bound bound = Bound.none();

        private Builder(Supplier<Deque<E>> deque) {
            this.deque = deque;
        }

        /**
         * Bounds the deque.
         *
         * @param bound as many items as this; {@link Bound#none()}, if not set, means whatever is stored
         * @return this builder
         */
        public Builder<E> bound(Bound bound) {
            this.bound = Objects.requireNonNull(bound, "bound");
            return this;
        }

        /**
         * Bounds the deque as {@link BlockingDeque} means it: see {@link Bound#capacity}.
         *
         * @param items how many items there may be
         * @return this builder
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<E> capacity(int items) {
            return bound(Bound.capacity(items));
        }

        /**
         * Bounds the deque as python-diskcache means it: see {@link Bound#maxlen}.
         *
         * @param items how many items there may be
         * @return this builder
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder<E> maxlen(int items) {
            return bound(Bound.maxlen(items));
        }

        /**
         * Makes the deque, and stores the bound if none is stored. What is there already stays, even if it is more.
         *
         * @return the deque
         * @throws IllegalArgumentException if another bound is stored
         */
        public Deque<E> build() {
            Deque<E> built = deque.get();
            try {
                built.bind(bound);
            } catch (Throwable t) {
                built.close();
                throw t;
            }
            return built;
        }
    }

    private void bind(Bound wanted) {
        if (wanted.kind() == Bound.Kind.NONE) {
            return;
        }
        Bound stored = queue.bind(wanted, queue.begin());
        if (!stored.equals(wanted)) {
            throw new IllegalArgumentException(
                    describe() + " has " + stored + " and cannot have " + wanted + "; change it with alter");
        }
    }

    private String describe() {
        return (name == null ? "the deque" : "deque '" + name + "'") + " in " + cache.directory();
    }

    /**
     * How many items there may be.
     *
     * @return what is stored with the name; {@link Bound#none()} if nothing is
     */
    public Bound bound() {
        return queue.bound(queue.begin());
    }

    /**
     * Bounds the deque anew, for everybody. If that is a maxlen, what is too much is dropped at the front; a capacity drops nothing.
     *
     * @param bound the bound, or {@link Bound#none()}
     */
    public void alter(Bound bound) {
        queue.alter(Objects.requireNonNull(bound, "bound"), queue.begin());
    }

    /**
     * Where the deque lives.
     *
     * @return the cache, whose {@code transact} makes one step of several calls
     */
    public Cache cache() {
        return cache;
    }

    /** Closes the directory that {@link #open} has opened; a deque in a cache that somebody else has opened need not be closed. */
    @Override
    public void close() {
        if (ownsCache) {
            cache.close();
        }
    }

    // Adding

    private boolean push(Object element, Side side) {
        return queue.push(List.of(element), side, queue.begin());
    }

    private void pushOrThrow(List<?> elements, Side side) {
        if (!elements.isEmpty() && !queue.push(elements, side, queue.begin())) {
            throw new IllegalStateException(describe() + " is full: it has " + bound());
        }
    }

    private boolean pushWaiting(E element, Side side, Deadline deadline) throws InterruptedException {
        List<E> one = List.of(element);
        Deadline patience = deadline.atLeast(ONE_ATTEMPT);
        return await(
                        puttersTurn,
                        queue.roomName(),
                        () -> queue.hasRoom(patience) && queue.push(one, side, patience) ? element : null,
                        deadline)
                != null;
    }

    /**
     * Adds an element at the back.
     *
     * @param element the element
     * @return whether it was added; false if the capacity is reached
     */
    @Override
    public boolean offer(E element) {
        return offerLast(element);
    }

    @Override
    public boolean offerFirst(E element) {
        return push(Objects.requireNonNull(element, "element"), Side.FRONT);
    }

    @Override
    public boolean offerLast(E element) {
        return push(Objects.requireNonNull(element, "element"), Side.BACK);
    }

    /**
     * Adds an element at the back.
     *
     * @param element the element
     * @return true
     * @throws IllegalStateException if the capacity is reached
     */
    @Override
    public boolean add(E element) {
        addLast(element);
        return true;
    }

    @Override
    public void push(E element) {
        addFirst(element);
    }

    @Override
    public void addFirst(E element) {
        pushOrThrow(List.of(element), Side.FRONT);
    }

    @Override
    public void addLast(E element) {
        pushOrThrow(List.of(element), Side.BACK);
    }

    /**
     * Adds all elements of a collection at the back, or none.
     *
     * @param elements what to add, in its order; not this deque
     * @return whether there was any
     * @throws IllegalStateException if the capacity does not allow all of them
     */
    @Override
    public boolean addAll(Collection<? extends E> elements) {
        if (isSame(elements)) {
            throw new IllegalArgumentException("a deque cannot be added to itself; use extend");
        }
        return extendAt(elements, Side.BACK);
    }

    /**
     * Adds all elements at the back, or none.
     *
     * @param elements what to add, in its order
     * @throws IllegalStateException if the capacity does not allow all of them
     */
    public void extend(Iterable<? extends E> elements) {
        boolean unused = extendAt(elements, Side.BACK);
    }

    /**
     * Adds all elements at the front, or none: one after the other, so that the last of them is the first afterwards.
     *
     * @param elements what to add, in its order
     * @throws IllegalStateException if the capacity does not allow all of them
     */
    public void extendFirst(Iterable<? extends E> elements) {
        boolean unused = extendAt(elements, Side.FRONT);
    }

    private boolean extendAt(Iterable<? extends E> elements, Side side) {
        List<E> all = new ArrayList<>();
        elements.forEach(element -> all.add(Objects.requireNonNull(element, "element")));
        pushOrThrow(all, side);
        return !all.isEmpty();
    }

    @Override
    public void put(E element) throws InterruptedException {
        putLast(element);
    }

    @Override
    public void putFirst(E element) throws InterruptedException {
        boolean unused = pushWaiting(element, Side.FRONT, forever());
    }

    @Override
    public void putLast(E element) throws InterruptedException {
        boolean unused = pushWaiting(element, Side.BACK, forever());
    }

    @Override
    public boolean offer(E element, long timeout, TimeUnit unit) throws InterruptedException {
        return offerLast(element, timeout, unit);
    }

    @Override
    public boolean offerFirst(E element, long timeout, TimeUnit unit) throws InterruptedException {
        return pushWaiting(element, Side.FRONT, after(timeout, unit));
    }

    @Override
    public boolean offerLast(E element, long timeout, TimeUnit unit) throws InterruptedException {
        return pushWaiting(element, Side.BACK, after(timeout, unit));
    }

    // Taking

    private @Nullable E pull(Side side, Deadline deadline) {
        return queue.pull(side, type, deadline).map(Element::value).orElse(null);
    }

    private @Nullable E pullWaiting(Side side, Deadline deadline) throws InterruptedException {
        Deadline patience = deadline.atLeast(ONE_ATTEMPT);
        return await(takersTurn, queue.itemName(), () -> pull(side, patience), deadline);
    }

    private static <T> T present(@Nullable T element) {
        if (element == null) {
            throw new NoSuchElementException("the deque is empty");
        }
        return element;
    }

    @Override
    public @Nullable E poll() {
        return pollFirst();
    }

    @Override
    public @Nullable E pollFirst() {
        return pull(Side.FRONT, queue.begin());
    }

    @Override
    public @Nullable E pollLast() {
        return pull(Side.BACK, queue.begin());
    }

    @Override
    public E remove() {
        return removeFirst();
    }

    @Override
    public E pop() {
        return removeFirst();
    }

    @Override
    public E removeFirst() {
        return present(pollFirst());
    }

    @Override
    public E removeLast() {
        return present(pollLast());
    }

    @Override
    public E take() throws InterruptedException {
        return takeFirst();
    }

    @Override
    public E takeFirst() throws InterruptedException {
        return present(pullWaiting(Side.FRONT, forever()));
    }

    @Override
    public E takeLast() throws InterruptedException {
        return present(pullWaiting(Side.BACK, forever()));
    }

    @Override
    public @Nullable E poll(long timeout, TimeUnit unit) throws InterruptedException {
        return pollFirst(timeout, unit);
    }

    @Override
    public @Nullable E pollFirst(long timeout, TimeUnit unit) throws InterruptedException {
        return pullWaiting(Side.FRONT, after(timeout, unit));
    }

    @Override
    public @Nullable E pollLast(long timeout, TimeUnit unit) throws InterruptedException {
        return pullWaiting(Side.BACK, after(timeout, unit));
    }

    @Override
    public int drainTo(Collection<? super E> target) {
        return drainTo(target, Integer.MAX_VALUE);
    }

    /**
     * Takes elements from the front and adds them to a collection, up to 256 in one step. If that collection refuses one, the
     * elements of that step are lost.
     *
     * @param target where they go; not this deque
     * @param most how many at most
     * @return how many
     * @throws CodecException if one of the items is not an {@code E}; the items of its step stay
     */
    @Override
    public int drainTo(Collection<? super E> target, int most) {
        Objects.requireNonNull(target, "target");
        if (isSame(target)) {
            throw new IllegalArgumentException("a deque cannot be drained to itself");
        }
        int drained = 0;
        while (drained < most) {
            int wanted = Math.min(PAGE, most - drained);
            List<E> page = pullMany(wanted);
            target.addAll(page);
            drained += page.size();
            if (page.size() < wanted) {
                break;
            }
        }
        return drained;
    }

    private List<E> pullMany(int most) {
        return queue.transact(() -> {
            List<E> page = new ArrayList<>();
            Optional<Element<E>> pulled = Optional.empty();
            do {
                pulled = queue.pull(Side.FRONT, type, queue.begin());
                pulled.ifPresent(element -> page.add(element.value()));
            } while (pulled.isPresent() && page.size() < most);
            return page;
        });
    }

    // Waiting

    private static Deadline forever() {
        return Deadline.never().interruptibly();
    }

    private static Deadline after(long timeout, TimeUnit unit) {
        return Deadline.after(Duration.ofNanos(unit.toNanos(timeout))).interruptibly();
    }

    /**
     * Tries until there is a result or the time is over. Whoever finds that others wait waits behind them; the first of those sleeps
     * until it is rung, and looks now and then.
     */
    private @Nullable E await(ReentrantLock turn, String rung, Supplier<@Nullable E> attempt, Deadline deadline)
            throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        boolean joins = queue.engine().states().inTransaction();
        boolean isFirst = !turn.isLocked() && !turn.hasQueuedThreads();
        if (joins || isFirst || deadline.hasPassed()) {
            E result = unlessBusy(attempt);
            if (result != null || deadline.hasPassed()) {
                return result;
            }
        }
        if (joins) {
            throw new IllegalStateException(describe()
                    + " would have to wait, which inside a transaction would keep everybody else from changing it");
        }
        if (!turn.tryLock(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
            return null;
        }
        try {
            return awaitRing(rung, attempt, deadline);
        } finally {
            turn.unlock();
        }
    }

    private @Nullable E awaitRing(String rung, Supplier<@Nullable E> attempt, Deadline deadline)
            throws InterruptedException {
        Signal signal = queue.engine().signal();
        while (true) {
            int seen = signal.seen(rung);
            E result = unlessBusy(attempt);
            if (result != null || deadline.hasPassed()) {
                return result;
            }
            signal.await(rung, seen, Math.min(deadline.remainingNanos(), LOOK_NANOS));
            if (signal.seen(rung) != seen) {
                queue.expectItem();
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    /** A busy database is no reason to wait longer than asked, nor to give up before. */
    private @Nullable E unlessBusy(Supplier<@Nullable E> attempt) {
        try {
            return attempt.get();
        } catch (CacheTimeoutException e) {
            return null; // the deadline is over, or an interrupt ended the wait
        }
    }

    // Looking

    private @Nullable E first(Side side) {
        return queue.next(side, null, type, queue.begin()).map(Element::value).orElse(null);
    }

    @Override
    public @Nullable E peek() {
        return peekFirst();
    }

    @Override
    public @Nullable E peekFirst() {
        return first(Side.FRONT);
    }

    @Override
    public @Nullable E peekLast() {
        return first(Side.BACK);
    }

    @Override
    public E element() {
        return getFirst();
    }

    @Override
    public E getFirst() {
        return present(peekFirst());
    }

    @Override
    public E getLast() {
        return present(peekLast());
    }

    /**
     * Counts the elements.
     *
     * @return how many there are, at most {@link Integer#MAX_VALUE}
     */
    @Override
    public int size() {
        return (int) Math.min(Integer.MAX_VALUE, queue.size(queue.begin()));
    }

    @Override
    public boolean isEmpty() {
        return queue.isEmpty(queue.begin());
    }

    /**
     * How many elements can be added now without waiting.
     *
     * @return what is left of the capacity; {@link Integer#MAX_VALUE} if there is none
     */
    @Override
    public int remainingCapacity() {
        Bound bound = bound();
        return bound.kind() == Bound.Kind.CAPACITY ? Math.max(0, bound.items() - size()) : Integer.MAX_VALUE;
    }

    // By position

    /**
     * Reads an element.
     *
     * @param index its position, 0 for the first
     * @return the element
     * @throws IndexOutOfBoundsException if there are not so many, or the index is negative
     */
    public E get(int index) {
        return at(requireIndex(index), queue.at(index, type, queue.begin()));
    }

    /**
     * Puts another element in the place of one.
     *
     * @param index its position, 0 for the first
     * @param element the new one
     * @return the old one
     * @throws IndexOutOfBoundsException if there are not so many, or the index is negative
     */
    public E set(int index, E element) {
        Objects.requireNonNull(element, "element");
        requireIndex(index);
        return at(index, queue.transact(() -> {
            Optional<Element<E>> old = queue.at(index, type, queue.begin());
            old.ifPresent(found -> queue.replace(found, element, queue.begin()));
            return old;
        }));
    }

    /**
     * Removes an element.
     *
     * @param index its position, 0 for the first
     * @return the element
     * @throws IndexOutOfBoundsException if there are not so many, or the index is negative
     */
    public E removeAt(int index) {
        requireIndex(index);
        return at(index, queue.transact(() -> {
            Optional<Element<E>> found = queue.at(index, type, queue.begin());
            found.ifPresent(this::remove);
            return found;
        }));
    }

    private static int requireIndex(int index) {
        if (index < 0) {
            throw new IndexOutOfBoundsException("index must be >= 0, was " + index);
        }
        return index;
    }

    /** Thrown outside the transaction, which it would doom. */
    private E at(int index, Optional<Element<E>> found) {
        return found.map(Element::value)
                .orElseThrow(() -> new IndexOutOfBoundsException(
                        "index must be < " + size() + ", the size of " + describe() + ", was " + index));
    }

    /**
     * The position of an element.
     *
     * @param wanted what to look for
     * @return where it stands first, -1 if nowhere
     */
    public int indexOf(@Nullable Object wanted) {
        int index = 0;
        for (E element : this) {
            if (Objects.deepEquals(wanted, element)) {
                return index;
            }
            index++;
        }
        return -1;
    }

    /**
     * Counts the elements that are equal to something. Nobody can write meanwhile.
     *
     * @param wanted what to look for
     * @return how often it is there
     */
    public int count(@Nullable Object wanted) {
        return queue.transact(() -> {
            int count = 0;
            for (E element : this) {
                count += Objects.deepEquals(wanted, element) ? 1 : 0;
            }
            return count;
        });
    }

    /**
     * Moves elements from the back to the front; with a negative number from the front to the back.
     *
     * @param steps how many; more than there are go round again
     */
    public void rotate(int steps) {
        queue.rotate(steps, queue.begin());
    }

    /** Turns the order round. */
    public void reverse() {
        queue.reverse(queue.begin());
    }

    // As a collection

    private boolean isSame(Object other) {
        return equals(other);
    }

    private boolean remove(Element<E> element) {
        return queue.remove(element, queue.begin());
    }

    @Override
    public void clear() {
        int unused = queue.clear(queue.begin());
    }

    @Override
    public boolean contains(@Nullable Object wanted) {
        return indexOf(wanted) >= 0;
    }

    @Override
    public boolean remove(@Nullable Object wanted) {
        return removeFirstOccurrence(wanted);
    }

    @Override
    public boolean removeFirstOccurrence(@Nullable Object wanted) {
        return removeOccurrence(wanted, Side.FRONT);
    }

    @Override
    public boolean removeLastOccurrence(@Nullable Object wanted) {
        return removeOccurrence(wanted, Side.BACK);
    }

    private boolean removeOccurrence(@Nullable Object wanted, Side side) {
        Walk walk = new Walk(side);
        while (walk.hasNext()) {
            if (Objects.deepEquals(wanted, walk.next()) && walk.removeLast()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean removeIf(Predicate<? super E> filter) {
        Objects.requireNonNull(filter, "filter");
        boolean removed = false;
        Walk walk = new Walk(Side.FRONT);
        while (walk.hasNext()) {
            removed |= filter.test(walk.next()) && walk.removeLast();
        }
        return removed;
    }

    @Override
    public boolean removeAll(Collection<?> unwanted) {
        Objects.requireNonNull(unwanted, "unwanted");
        return removeIf(unwanted::contains);
    }

    @Override
    public boolean retainAll(Collection<?> wanted) {
        Objects.requireNonNull(wanted, "wanted");
        return removeIf(element -> !wanted.contains(element));
    }

    /**
     * The elements from front to back, weakly consistent.
     *
     * @return an iterator that can remove
     */
    @Override
    public Iterator<E> iterator() {
        return new Walk(Side.FRONT);
    }

    /**
     * The elements from back to front, weakly consistent.
     *
     * @return an iterator that can remove
     */
    @Override
    public Iterator<E> descendingIterator() {
        return new Walk(Side.BACK);
    }

    /** Without a size, which may have changed when the elements come. */
    @Override
    public Spliterator<E> spliterator() {
        return Spliterators.spliteratorUnknownSize(
                iterator(), Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.CONCURRENT);
    }

    /** From one item to the next, each with a look at what is there then. */
    private final class Walk implements Iterator<E> {
        private final Side from;
        private @Nullable Element<E> next;
        private @Nullable Element<E> last;
        private @Nullable Object passed;

        Walk(Side from) {
            this.from = from;
        }

        @Override
        public boolean hasNext() {
            if (next == null) {
                next = queue.next(from, passed, type, queue.begin()).orElse(null);
            }
            return next != null;
        }

        @Override
        public E next() {
            Element<E> shown = hasNext() ? next : null;
            if (shown == null) {
                throw new NoSuchElementException("no element is left");
            }
            next = null;
            last = shown;
            passed = shown.key();
            return shown.value();
        }

        @Override
        public void remove() {
            if (last == null) {
                throw new IllegalStateException("next has not been called, or what it showed was removed");
            }
            boolean unused = removeLast();
        }

        boolean removeLast() {
            Element<E> shown = last;
            last = null;
            return shown != null && Deque.this.remove(shown);
        }
    }
}
