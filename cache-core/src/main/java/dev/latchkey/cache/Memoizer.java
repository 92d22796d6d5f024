package dev.latchkey.cache;

import com.google.common.base.Throwables;
import com.google.common.reflect.TypeToken;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Remembers what functions return, in the cache, for all processes that use it.
 *
 * <pre>{@code
 * Memoizer memoizer = cache.memoize("square", MemoizeOptions.none().expireAfter(Duration.ofHours(1)));
 * Function<Integer, Long> square = memoizer.wrap(Long.class, this::slowSquare);
 * square.apply(7); // computed
 * square.apply(7); // read, here and in every other process
 * memoizer.invalidate(7);
 * }</pre>
 *
 * <p><b>Scope.</b> A name stands for one function. The key of a result is the name and the JSON of the arguments ({@link #keyOf}), so
 * arguments are strings, numbers, booleans, times, and what Jackson writes as JSON in one way; 3 and 3.0 are two keys. Results are
 * stored as {@code cache.set} stores them, and are read as the class that is given with the function.
 *
 * <p><b>Blocking.</b> A remembered result costs one read. One that is not is computed by whoever asks, and by everybody who asks
 * meanwhile: for one computation at a time on the host use {@code MemoizeStampede} of the module for coordination.
 *
 * <p><b>Crashes.</b> A process that dies while it computes has stored nothing.
 *
 * <p><b>Transactions.</b> Inside {@code cache.transact} the result is stored with the rest, or not at all.
 *
 * <p><b>Errors.</b> What the function throws is thrown on, and not remembered; a checked exception of a {@code Callable} as the cause of
 * a {@link CacheException}. Arguments or results that cannot be stored: {@link CodecException}.
 *
 * <p><b>Thread safety.</b> Any thread may use an object at any time.
 *
 * <p><b>Source.</b> {@code Cache.memoize} of python-diskcache.
 */
public abstract class Memoizer {
    private static final Json JSON = Json.inOrder();

    private final String name;
    private final MemoizeOptions options;

    /**
     * Something that remembers results.
     *
     * @param name stands for the function
     * @param options what is remembered, and for how long
     * @throws IllegalArgumentException if the name is empty
     */
    protected Memoizer(String name, MemoizeOptions options) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("name must not be empty");
        }
        this.name = name;
        this.options = Objects.requireNonNull(options, "options");
    }

    /**
     * Remembers the results of a function.
     *
     * @param <A> its argument
     * @param <R> its result
     * @param type the class of its result
     * @param function the function
     * @return the function that remembers
     */
    public final <A extends @Nullable Object, R> Function<A, @Nullable R> wrap(
            Class<R> type, Function<? super A, ? extends @Nullable R> function) {
        return wrap(TypeToken.of(type), function);
    }

    /**
     * Remembers the results of a function.
     *
     * @param <A> its argument
     * @param <R> its result
     * @param type the type of its result
     * @param function the function
     * @return the function that remembers
     */
    public final <A extends @Nullable Object, R> Function<A, @Nullable R> wrap(
            TypeToken<R> type, Function<? super A, ? extends @Nullable R> function) {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(function, "function");
        return argument -> recall(keyOf(argument), type, () -> function.apply(argument));
    }

    /**
     * Remembers the results of a function of two arguments.
     *
     * @param <A> its first argument
     * @param <B> its second argument
     * @param <R> its result
     * @param type the class of its result
     * @param function the function
     * @return the function that remembers
     */
    public final <A extends @Nullable Object, B extends @Nullable Object, R> BiFunction<A, B, @Nullable R> wrap(
            Class<R> type, BiFunction<? super A, ? super B, ? extends @Nullable R> function) {
        return wrap(TypeToken.of(type), function);
    }

    /**
     * Remembers the results of a function of two arguments.
     *
     * @param <A> its first argument
     * @param <B> its second argument
     * @param <R> its result
     * @param type the type of its result
     * @param function the function
     * @return the function that remembers
     */
    public final <A extends @Nullable Object, B extends @Nullable Object, R> BiFunction<A, B, @Nullable R> wrap(
            TypeToken<R> type, BiFunction<? super A, ? super B, ? extends @Nullable R> function) {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(function, "function");
        return (first, second) -> recall(keyOf(first, second), type, () -> function.apply(first, second));
    }

    /**
     * Remembers the result of a function without arguments.
     *
     * @param <R> its result
     * @param type the class of its result
     * @param function the function
     * @return the function that remembers
     */
    public final <R> Supplier<@Nullable R> wrap(Class<R> type, Supplier<? extends @Nullable R> function) {
        return wrap(TypeToken.of(type), function);
    }

    /**
     * Remembers the result of a function without arguments.
     *
     * @param <R> its result
     * @param type the type of its result
     * @param function the function
     * @return the function that remembers
     */
    public final <R> Supplier<@Nullable R> wrap(TypeToken<R> type, Supplier<? extends @Nullable R> function) {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(function, "function");
        return () -> recall(keyOf(), type, function::get);
    }

    /**
     * Remembers the result of a function without arguments that may throw a checked exception.
     *
     * @param <R> its result
     * @param type the class of its result
     * @param function the function
     * @return the function that remembers; a checked exception arrives as the cause of a {@link CacheException}
     */
    public final <R> Supplier<@Nullable R> wrapCallable(Class<R> type, Callable<? extends @Nullable R> function) {
        return wrapCallable(TypeToken.of(type), function);
    }

    /**
     * Remembers the result of a function without arguments that may throw a checked exception.
     *
     * @param <R> its result
     * @param type the type of its result
     * @param function the function
     * @return the function that remembers; a checked exception arrives as the cause of a {@link CacheException}
     */
    public final <R> Supplier<@Nullable R> wrapCallable(TypeToken<R> type, Callable<? extends @Nullable R> function) {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(function, "function");
        return () -> recall(keyOf(), type, function);
    }

    /**
     * The remembered result, or a new one.
     *
     * @param <R> the result
     * @param key where it is stored
     * @param type its type
     * @param function what computes it
     * @return the result
     */
    protected abstract <R> @Nullable R recall(String key, TypeToken<R> type, Callable<? extends @Nullable R> function);

    /**
     * Computes a result.
     *
     * @param <R> the result
     * @param function what computes it
     * @return the result
     * @throws CacheException with a checked exception as its cause; after an {@link InterruptedException} the flag is set
     */
    protected final <R> @Nullable R compute(Callable<? extends @Nullable R> function) {
        try {
            return function.call();
        } catch (Exception e) {
            Throwables.throwIfUnchecked(e);
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            throw new CacheException("'" + name + "' could not be computed: " + e, e);
        }
    }

    /**
     * The key of a result.
     *
     * @param arguments the arguments of the call, in their order, ignored ones too
     * @return the name and the JSON of the arguments, with null in the place of an ignored one
     * @throws CodecException if an argument cannot be written as JSON
     */
    public final String keyOf(@Nullable Object... arguments) {
        return name + ":" + JSON.write(options.counting(arguments));
    }

    /**
     * Forgets a result.
     *
     * @param arguments the arguments of the call, in their order
     * @return whether there was one
     */
    public final boolean invalidate(@Nullable Object... arguments) {
        return forget(keyOf(arguments));
    }

    /**
     * Forgets a result.
     *
     * @param key where it is stored
     * @return whether there was one
     */
    protected abstract boolean forget(String key);

    /**
     * How results are remembered.
     *
     * @return the options
     */
    protected final MemoizeOptions options() {
        return options;
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + "[" + name + ", " + options + "]";
    }
}
