package dev.latchkey.cache.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.latchkey.cache.Cache;
import dev.latchkey.cache.spi.CoordinationEngine;
import dev.latchkey.cache.spi.Deadline;
import dev.latchkey.cache.spi.Item;
import dev.latchkey.testing.TestDirectory;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the statements on work items cost: none goes through a backlog. */
class ItemStatementsTest {
    /** Goes through what is claimed, of all names, for whoever wants to see it. */
    @RegisterExtension
    final TestDirectory directory = new TestDirectory();

    @BeforeEach
    void create() {
        Cache.open(path()).close();
    }

    private Path path() {
        return directory.resolve("cache");
    }

    private static Map<String, String> statements() throws IllegalAccessException {
        Map<String, String> statements = new TreeMap<>();
        for (var field : Sql.class.getDeclaredFields()) {
            if (field.getType() == String.class && !Modifier.isPrivate(field.getModifiers())) {
                String sql = (String) field.get(null);
                if (sql.contains("LatchkeyItem")) {
                    statements.put(field.getName(), sql);
                }
            }
        }
        return statements;
    }

    @Test
    void noStatementGoesThroughABacklogOrSortsIt() throws IllegalAccessException {
        Map<String, String> statements = statements();
        assertTrue(
                statements.keySet().containsAll(List.of("ITEM_OUTLOOK", "READY_ITEMS", "UPDATE_ITEM", "DELETE_ITEM")),
                statements.keySet()::toString);
        statements.forEach((name, sql) -> {
            List<String> plan = plan(sql);
            assertFalse(plan.stream().anyMatch(ItemStatementsTest::isScan), () -> name + ": " + plan);
            boolean sorts = plan.stream().anyMatch(step -> step.contains("TEMP B-TREE"));
            assertEquals(name.equals("CLAIMED_ITEMS"), sorts, () -> name + ": " + plan);
        });
    }

    private static boolean isScan(String step) {
        return step.startsWith("SCAN LatchkeyItem");
    }

    @Test
    void aStatementThatGoesThroughABacklogIsNoticed() {
        assertTrue(plan("SELECT * FROM LatchkeyItem WHERE name = 'a' AND due <= 5 LIMIT 1").stream()
                .anyMatch(ItemStatementsTest::isScan));
    }

    private List<String> plan(String sql) {
        return Rows.of(path(), "EXPLAIN QUERY PLAN " + sql).stream()
                .map(row -> row.split("\\|", 4)[3])
                .toList();
    }

    /** What a claimer asks is answered by one step through an index, whatever else the queue has. */
    @Test
    void whoClaimsIsFoundWithoutGoingThroughTheClaims() {
        try (Cache cache = Cache.open(path())) {
            var states = cache.unwrap(CoordinationEngine.class).states();
            List<Long> found = states.write(
                    tx -> {
                        for (long session : List.of(7L, 3L, 7L, 3L, 9L)) {
                            long unused = tx.items().add(item("q", Item.Status.CLAIMED, session));
                        }
                        long unused = tx.items().add(item("p", Item.Status.CLAIMED, 4));
                        long unusedToo = tx.items().add(item("q", Item.Status.READY, 5));
                        return tx.items().claimants("q");
                    },
                    Deadline.never());
            assertEquals(List.of(3L, 7L, 9L), found);
            assertEquals(List.of(), states.query(items -> items.claimants("none"), Deadline.never()));
        }
    }

    @Test
    void aRowThatHasChangedIsNeitherReplacedNorRemoved() {
        try (Cache cache = Cache.open(path())) {
            var states = cache.unwrap(CoordinationEngine.class).states();
            List<Boolean> done = states.write(
                    tx -> {
                        long unused = tx.items().add(item("q", Item.Status.READY, 0));
                        Item ready = tx.items().ready("q", 1).get(0);
                        Item claimed = new Item(
                                ready.id(), "q", Item.Status.CLAIMED, 0, 0, 1, 7, 70, "main", 5, null, null, "value");
                        List<Boolean> answers = new ArrayList<>();
                        answers.add(tx.items().replace(ready, claimed));
                        answers.add(tx.items().replace(ready, claimed));
                        answers.add(tx.items().remove(ready));
                        answers.add(tx.items().remove(claimed.withoutValue()));
                        answers.add(tx.items().remove(claimed));
                        return answers;
                    },
                    Deadline.never());
            assertEquals(List.of(true, false, false, true, false), done);
        }
    }

    @Test
    void aStatusIsFoundByItsCode() {
        assertEquals(
                List.of(Item.Status.values()),
                java.util.stream.Stream.of(Item.Status.values())
                        .map(status -> Item.Status.of(status.code()))
                        .collect(Collectors.toList()));
    }

    private static Item item(String name, Item.Status status, long session) {
        return new Item(0, name, status, 0, 0, 0, session, session, "", 0, null, null, "value");
    }
}
