package dev.latchkey.benchmark;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Opens directories that exist, in a process that has opened others. */
record Opening(String word, String title, String kind, List<Peer> peers) implements Case {
    static final String DESCRIPTORS = "descriptors";

    private static final int TIMES = 20;
    private static final int TIMES_IN_SHORT = 5;

    @Override
    public Round round(Site site) {
        Party party = site.join();
        int times = site.arena().options().isShort() ? TIMES_IN_SHORT : TIMES;
        party.tell("open " + kind + " " + times);
        Map<String, Double> others = new LinkedHashMap<>();
        for (String word : party.hear("OTHERS").split(" ")) {
            String[] pair = word.split("=");
            others.put(pair[0].replace("_", ", "), Double.parseDouble(pair[1]));
        }
        Round.Result result = Round.Result.parse("RESULT " + party.hear("RESULT"));
        party.halt();
        return Round.of(result.latencies(), others);
    }
}
