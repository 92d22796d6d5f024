package dev.latchkey.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import junit.framework.TestCase;
import junit.framework.TestSuite;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;

/** A test of an old suite that fails is a test that fails. */
class OldSuitesTest {
    /** One test of an old suite. */
    @SuppressWarnings("JdkObsolete")
    private static final class Old extends TestCase {
        private final Runnable body;

        Old(String name, Runnable body) {
            super(name);
            this.body = body;
        }

        @Override
        protected void runTest() {
            body.run();
        }
    }

    private static List<DynamicTest> tests(DynamicNode node) {
        return node instanceof DynamicContainer container
                ? container
                        .getChildren()
                        .flatMap(child -> tests(child).stream())
                        .collect(Collectors.toList())
                : List.of((DynamicTest) node);
    }

    private static TestSuite suite(Old... tests) {
        TestSuite inner = new TestSuite("inner");
        Stream.of(tests).forEach(inner::addTest);
        TestSuite outer = new TestSuite("outer");
        outer.addTest(inner);
        return outer;
    }

    @Test
    void eachTestIsOneAndFailsByItself() throws Throwable {
        List<DynamicTest> tests = tests(OldSuites.node(suite(
                new Old("passes", () -> {}), new Old("fails", () -> TestCase.fail("wrong")), new Old("throws", () -> {
                    throw new IllegalStateException("broken");
                }))));
        assertEquals(
                List.of("passes", "fails", "throws"),
                tests.stream().map(DynamicTest::getDisplayName).toList());
        tests.get(0).getExecutable().execute();
        assertEquals(
                "wrong",
                assertThrows(AssertionError.class, tests.get(1).getExecutable()).getMessage());
        assertThrows(IllegalStateException.class, tests.get(2).getExecutable());
    }

    @Test
    void aSuiteWithoutTestsIsAnError() {
        assertThrows(AssertionError.class, () -> OldSuites.node(suite()));
    }
}
