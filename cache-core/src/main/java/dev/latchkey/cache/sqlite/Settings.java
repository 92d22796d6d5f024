package dev.latchkey.cache.sqlite;

import java.util.HashMap;
import java.util.Map;

/** The stored settings that the engine obeys; unknown ones are kept and passed over. */
record Settings(String evictionPolicy, long minFileSize, long synchronous, Map<String, Object> all) {

    static Settings load(Database db) {
        Map<String, Object> all = new HashMap<>();
        db.all(Sql.SETTINGS, row -> all.put(row.getString(1), String.valueOf(row.getObject(2))));
        return new Settings(
                String.valueOf(all.getOrDefault("eviction_policy", "none")),
                number(all, "disk_min_file_size", 32_768),
                number(all, "sqlite_synchronous", 1),
                Map.copyOf(all));
    }

    private static long number(Map<String, Object> all, String key, long otherwise) {
        Object value = all.get(key);
        try {
            return value == null ? otherwise : Long.parseLong(value.toString());
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }
}
