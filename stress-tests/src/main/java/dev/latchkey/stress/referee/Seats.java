package dev.latchkey.stress.referee;

/**
 * What a hold takes of a place. Written {@code place*units/limit}; a place alone has one seat.
 *
 * @param place the place
 * @param units how many seats the hold takes
 * @param limit how many seats there are
 */
public record Seats(String place, long units, long limit) {
    /** Reads a word. */
    public static Seats of(String word) {
        int star = word.lastIndexOf('*');
        int slash = word.indexOf('/', star + 1);
        return star < 0 || slash < 0
                ? new Seats(word, 1, 1)
                : new Seats(
                        word.substring(0, star),
                        Long.parseLong(word.substring(star + 1, slash)),
                        Long.parseLong(word.substring(slash + 1)));
    }

    @Override
    public String toString() {
        return place + "*" + units + "/" + limit;
    }
}
