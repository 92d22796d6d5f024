package dev.latchkey.stress.check;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Whether each of the one can have one of the others for itself, if what goes together lies close in time: by augmenting paths. */
final class Matching<A, B> {
    /** What begins so long before cannot go together: nothing lasts so long. */
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final ToLongFunction<A> end;
    private final List<B> others;
    private final long[] starts;
    private final BiPredicate<A, B> fits;
    /** Who has each of the others. */
    private final List<@Nullable A> owners;

    /** What may go together has a start of the other that is not after the end of the one. */
    Matching(ToLongFunction<A> end, List<B> others, ToLongFunction<B> start, BiPredicate<A, B> fits) {
        this.end = end;
        this.others = others.stream().sorted(Comparator.comparingLong(start)).toList();
        this.starts = this.others.stream().mapToLong(start).toArray();
        this.fits = fits;
        this.owners = new ArrayList<>();
        this.others.forEach(other -> owners.add(null));
    }

    /** Those for whom there is none, however the others are given to them. */
    List<A> without(List<A> all) {
        return all.stream().filter(each -> !match(each, new BitSet())).toList();
    }

    /** Of the latest there are, the nearest is tried first: it mostly fits. */
    private boolean match(A each, BitSet tried) {
        long latest = end.applyAsLong(each);
        for (int i = countUntil(latest) - 1; i >= 0 && starts[i] >= latest - LONGEST_NANOS; i--) {
            if (!tried.get(i) && fits.test(each, others.get(i))) {
                tried.set(i);
                A owner = owners.get(i);
                if (owner == null || match(owner, tried)) {
                    owners.set(i, each);
                    return true;
                }
            }
        }
        return false;
    }

    /** How many begin no later. */
    private int countUntil(long latest) {
        int low = 0;
        int high = starts.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (starts[middle] <= latest) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
