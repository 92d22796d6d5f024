package dev.latchkey.coordination;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a work queue is to do, in plain words: one map of items, looked through from the first to the last each time. */
final class ModelQueue {
    enum Place {
        WAITING,
        CLAIMED,
        DEAD
    }

    /** An item; its number is its age. */
    record Entry(
            String value,
            int priority,
            @Nullable String key,
            Place place,
            long due,
            int attempts,
            String reason,
            long since) {}

    private final int maxAttempts;
    private Map<Integer, Entry> entries = new TreeMap<>();
    private int last;

    ModelQueue(int maxAttempts) {
        this.maxAttempts = maxAttempts;
    }

    /** What a transaction that is rolled back returns to. */
    ModelQueue copy() {
        ModelQueue copy = new ModelQueue(maxAttempts);
        copy.entries = new TreeMap<>(entries);
        copy.last = last;
        return copy;
    }

    private boolean isTaken(@Nullable String key) {
        return key != null
                && entries.values().stream().anyMatch(entry -> key.equals(entry.key) && entry.place != Place.DEAD);
    }

    boolean put(String value, int priority, @Nullable String key, long due) {
        if (isTaken(key)) {
            return false;
        }
        entries.put(++last, new Entry(value, priority, key, Place.WAITING, due, 0, "", 0));
        return true;
    }

    private List<Integer> in(Place place) {
        return entries.keySet().stream()
                .filter(number -> entries.get(number).place == place)
                .toList();
    }

    /** The numbers of the items that are claimed. */
    List<Integer> claim(int most, long now) {
        List<Integer> claimed = in(Place.WAITING).stream()
                .filter(number -> entries.get(number).due <= now)
                .sorted(Comparator.comparingInt((Integer number) -> -entries.get(number).priority)
                        .thenComparingInt(number -> number))
                .limit(most)
                .toList();
        for (int number : claimed) {
            Entry entry = entries.get(number);
            entries.put(
                    number,
                    new Entry(
                            entry.value,
                            entry.priority,
                            entry.key,
                            Place.CLAIMED,
                            0,
                            entry.attempts + 1,
                            entry.reason,
                            0));
        }
        return claimed;
    }

    Entry entry(int number) {
        return entries.get(number);
    }

    void ack(int number) {
        entries.remove(number);
    }

    void nack(int number, long due, String reason, long now) {
        Entry entry = entries.get(number);
        if (entry.attempts >= maxAttempts) {
            bury(number, reason, now);
        } else {
            entries.put(
                    number,
                    new Entry(entry.value, entry.priority, entry.key, Place.WAITING, due, entry.attempts, reason, 0));
        }
    }

    void bury(int number, String reason, long now) {
        Entry entry = entries.get(number);
        entries.put(
                number, new Entry(entry.value, entry.priority, entry.key, Place.DEAD, 0, entry.attempts, reason, now));
    }

    /** The dead, first buried first. */
    List<Integer> dead() {
        return in(Place.DEAD).stream()
                .sorted(Comparator.comparingLong((Integer number) -> entries.get(number).since)
                        .thenComparingInt(number -> number))
                .toList();
    }

    /** Oldest item first. */
    long redrive(List<Integer> numbers) {
        long count = 0;
        for (int number : numbers) {
            Entry entry = entries.get(number);
            if (!isTaken(entry.key)) {
                entries.put(
                        number,
                        new Entry(entry.value, entry.priority, entry.key, Place.WAITING, 0, 0, entry.reason, 0));
                count++;
            }
        }
        return count;
    }

    long remove(List<Integer> numbers) {
        numbers.forEach(entries::remove);
        return numbers.size();
    }

    long clear() {
        return remove(in(Place.WAITING));
    }

    long ready(long now) {
        return in(Place.WAITING).size() - delayed(now);
    }

    long delayed(long now) {
        return in(Place.WAITING).stream()
                .filter(number -> entries.get(number).due > now)
                .count();
    }

    long claimed() {
        return in(Place.CLAIMED).size();
    }

    /** All that there is, for the message of a failure. */
    List<String> all() {
        List<String> all = new ArrayList<>();
        entries.forEach((number, entry) -> all.add(number + " " + entry));
        return all;
    }
}
