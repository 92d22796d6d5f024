package dev.latchkey.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.stress.check.Fault;
import dev.latchkey.stress.check.Remains;
import dev.latchkey.stress.check.Run;
import dev.latchkey.stress.check.Violation;
import dev.latchkey.stress.history.Event;
import dev.latchkey.stress.history.Event.Kind;
import dev.latchkey.stress.history.History;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ReportPageTest {
    private static Event event(long millis, Kind kind, String... words) {
        return new Event(
                millis * 1_000_000, "t0", kind, words[0], List.of(words).subList(1, words.length));
    }

    /** w1 holds the lock, is stopped for a while and killed at 50 ms; w2 waits for it and has it at 56 ms. */
    private static Outcome outcome(List<Violation> violations) {
        History w1 = new History(
                "w1",
                List.of(
                        event(0, Kind.INVOKE, "open"),
                        event(5, Kind.OK, "open"),
                        event(6, Kind.INVOKE, "lock", "a<b", "lock"),
                        event(7, Kind.OK, "lock", "1")));
        History w2 = new History(
                "w2",
                List.of(
                        event(10, Kind.INVOKE, "lock", "a<b", "lock"),
                        event(56, Kind.OK, "lock", "2"),
                        event(100, Kind.INVOKE, "unlock", "a<b", "2"),
                        event(101, Kind.OK, "unlock")));
        List<Fault> faults = List.of(
                new Fault(20_000_000, Fault.Kind.STOP, "w1"),
                new Fault(30_000_000, Fault.Kind.CONTINUE, "w1"),
                new Fault(50_000_000, Fault.Kind.KILL, "w1"));
        return new Outcome(
                ScenarioName.LOCK,
                Options.parse(List.of("lock", "--seed", "42")),
                new Run(List.of(w1, w2), faults, List.of(), Remains.NOTHING),
                List.of(new Outcome.Kill("w1", 50_000_000, Moment.HOLDING)),
                violations);
    }

    private static Document parsed(String svg) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    }

    /** The titles of what is drawn in one colour. */
    private static List<String> titles(Document picture, String element, String kind) {
        NodeList all = picture.getElementsByTagName(element);
        List<String> titles = new ArrayList<>();
        for (int i = 0; i < all.getLength(); i++) {
            if (all.item(i) instanceof Element one && one.getAttribute("class").equals(kind)) {
                titles.add(one.getTextContent());
            }
        }
        return titles;
    }

    @Test
    void thePictureShowsWhoHeldWaitedWasStoppedAndKilledAndWhoFollowed() throws Exception {
        Document picture = parsed(Timeline.svg(outcome(List.of())));
        assertEquals(List.of("opening 5000 us"), titles(picture, "rect", "opening"));
        assertEquals(List.of("holding 43000 us", "holding 44000 us"), titles(picture, "rect", "holding"));
        assertEquals(List.of("waiting 46000 us"), titles(picture, "rect", "waiting"));
        assertEquals(List.of("stopped"), titles(picture, "rect", "stopped"));
        assertEquals(List.of("killed while holding"), titles(picture, "rect", "kill"));
        assertEquals(List.of("a<b 6.000 ms"), titles(picture, "circle", "afterdeath"));
        assertEquals(List.of(), titles(picture, "circle", "handover"));
    }

    @Test
    void whatIsDrawnStandsWhereItsTimeIs() throws Exception {
        Document picture = parsed(Timeline.svg(outcome(List.of())));
        NodeList all = picture.getElementsByTagName("rect");
        for (int i = 0; i < all.getLength(); i++) {
            Element one = (Element) all.item(i);
            if (one.getAttribute("class").equals("waiting")) { // from 10 to 56 of 101 ms
                assertEquals(60 + 1200 * 10 / 101.0, Double.parseDouble(one.getAttribute("x")), 0.1);
                assertEquals(1200 * 46 / 101.0, Double.parseDouble(one.getAttribute("width")), 0.1);
            }
        }
    }

    @Test
    void thePageHasTheNumbersAndTheCommandThatRepeatsAViolation() {
        String page = ReportPage.of(List.of(outcome(List.of(new Violation("OVERLAP", "w1 & w2 <both>")))));
        assertTrue(page.contains("w1 &amp; w2 &lt;both&gt;"), page);
        assertTrue(page.contains("lock --jvms 4"), page);
        assertTrue(page.contains("<td>6.00 ms"), page);
        assertTrue(page.contains("1 kills (1 holding)"), page);
        String kept = ReportPage.of(List.of(outcome(List.of())));
        assertTrue(kept.contains("class=\"kept\"") && !kept.contains("<pre>"), kept);
    }

    @Test
    void aRunOfNothingIsAPageToo() throws Exception {
        Outcome nothing = new Outcome(
                ScenarioName.LOCK,
                Options.parse(List.of("lock")),
                new Run(List.of(), List.of(), List.of(), Remains.NOTHING),
                List.of(),
                List.of());
        assertTrue(ReportPage.of(List.of(nothing)).contains("0 histories"));
        assertEquals("svg", parsed(Timeline.svg(nothing)).getDocumentElement().getTagName());
    }
}
