package dev.latchkey.coordination.resilience4j;

import dev.latchkey.cache.Cache;
import dev.latchkey.coordination.Reservation;
import dev.latchkey.coordination.Throttle;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Permits one after the other, as a {@link Throttle} hands them out. */
final class SmoothLimit implements Limit {
    private final SharedNumber number;
    private final Pace pace;
    private final Throttle throttle;

    /**
     * How fast.
     *
     * @param periodNanos in how much time there are as many permits as the number says
     * @param burst how many at once, 0 for as many as that
     */
    private record Pace(long periodNanos, long burst) {
        static Pace parse(String configured) {
            List<String> words = List.of(configured.split("/", -1));
            return new Pace(Long.parseLong(words.get(1)), Long.parseLong(words.get(2)));
        }

        String configured(int perPeriod) {
            return perPeriod + "/" + periodNanos + "/" + burst;
        }

        Throttle throttle(Cache cache, String name, int perPeriod) {
            return Throttle.builder(cache, name, perPeriod, Duration.ofNanos(periodNanos))
                    .burst(burst(perPeriod))
                    .build();
        }

        void set(Throttle throttle, int perPeriod) {
            throttle.alter(perPeriod, Duration.ofNanos(periodNanos), burst(perPeriod));
        }

        private long burst(int perPeriod) {
            return burst == 0 ? perPeriod : burst;
        }
    }

    SmoothLimit(Cache cache, String name, int perPeriod, Duration period, long burst) {
        this.pace = new Pace(period.toNanos(), burst);
        this.number = new SharedNumber(
                cache, RowName.RATE_LIMITER.configurationOf(name), pace.configured(perPeriod), perPeriod);
        String row = RowName.RATE_LIMITER.of(name);
        this.throttle = number.configure(
                (configured, stored) -> Pace.parse(configured).throttle(cache, row, stored), pace::set);
    }

    @Override
    public boolean tryAcquire(int permits) {
        return throttle.tryAcquire(permits);
    }

    @Override
    public boolean acquire(int permits, long nanos) throws InterruptedException {
        return throttle.tryAcquire(permits, Duration.ofNanos(nanos));
    }

    @Override
    public long reserve(int permits, long nanos) {
        Optional<Reservation> reservation = throttle.tryReserve(permits, Duration.ofNanos(nanos));
        return reservation.map(made -> made.delay().toNanos()).orElse(-1L);
    }

    @Override
    public int drain() {
        while (true) {
            int remaining = available();
            if (remaining == 0 || throttle.tryAcquire(remaining)) {
                return remaining; // else somebody else was faster
            }
        }
    }

    @Override
    public int available() {
        return (int) Math.min(Integer.MAX_VALUE, throttle.probe().remaining());
    }

    @Override
    public int perPeriod() {
        return number.get();
    }

    @Override
    public void change(int perPeriod) {
        number.change(throttle, perPeriod, pace::set);
    }
}
