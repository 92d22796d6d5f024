/**
 * Support for tests that need several processes: real JVMs as children, a line protocol with them, signals,
 * and the certainty that nothing of them is left when the test is over.
 *
 * <pre>{@code
 * @RegisterExtension final TestDirectory directory = new TestDirectory();
 * @RegisterExtension final Processes processes = new Processes();
 *
 * @Test
 * void aKilledHolderLosesItsLock() {
 *     JavaProcess holder = processes.start(Holder.class, directory.path().toString());
 *     holder.await("HELD", Duration.ofSeconds(10));
 *     holder.kill();
 *     ...
 * }
 * }</pre>
 *
 * <p>The child's {@code main} begins with {@link dev.latchkey.testing.Child#start()}.
 */
@NullMarked
package dev.latchkey.testing;

import org.jspecify.annotations.NullMarked;
