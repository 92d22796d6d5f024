package dev.latchkey.testing;

import java.util.Collections;
import java.util.stream.Stream;
import junit.framework.AssertionFailedError;
import junit.framework.Test;
import junit.framework.TestCase;
import junit.framework.TestFailure;
import junit.framework.TestResult;
import junit.framework.TestSuite;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/**
 * Suites of JUnit 3, as guava-testlib makes them, as tests of JUnit 5: one for each test in them.
 *
 * <pre>{@code
 * @TestFactory
 * DynamicNode theSuite() {
 *     return OldSuites.node(QueueTestSuiteBuilder.using(generator).named("queue").withFeatures(...).createTestSuite());
 * }
 * }</pre>
 */
public final class OldSuites {
    private OldSuites() {}

    /** A suite as a container of what is in it; an empty one at the top is an error. */
    public static DynamicNode node(TestSuite suite) {
        if (suite.countTestCases() == 0) {
            throw new AssertionError("the suite " + suite.getName() + " has no tests");
        }
        return container(suite);
    }

    private static DynamicContainer container(TestSuite suite) {
        Stream<DynamicNode> nodes = Collections.list(suite.tests()).stream().map(OldSuites::anyNode);
        return DynamicContainer.dynamicContainer(String.valueOf(suite.getName()), nodes);
    }

    private static DynamicNode anyNode(Test test) {
        return test instanceof TestSuite suite
                ? container(suite)
                : DynamicTest.dynamicTest(name(test), () -> run(test));
    }

    private static String name(Test test) {
        return test instanceof TestCase named ? named.getName() : test.toString();
    }

    private static void run(Test test) throws Throwable {
        TestResult result = new TestResult();
        test.run(result);
        for (TestFailure failure : Collections.list(result.errors())) {
            throw failure.thrownException();
        }
        for (TestFailure failure : Collections.list(result.failures())) {
            throw failure.thrownException();
        }
        if (result.runCount() == 0) {
            throw new AssertionFailedError(test + " did not run");
        }
    }
}
