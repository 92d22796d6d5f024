package dev.latchkey.cache;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.BasicPolymorphicTypeValidator;
import com.fasterxml.jackson.databind.util.TokenBuffer;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeFeature;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import com.google.common.reflect.TypeToken;
import java.io.IOException;
import java.math.BigInteger;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * JSON text, with Jackson kept inside: its exceptions do not leave. What is read may have been written by anybody, so
 * depth and lengths are bounded; the same bounds apply to what is written, so that nothing is stored that cannot be
 * read.
 */
final class Json {
    static final int MAX_DEPTH = 500;
    static final int MAX_NUMBER_LENGTH = 1000;
    static final int MAX_LENGTH = 256 << 20;
    private static final int MAX_NAME_LENGTH = 50_000;

    private final JsonMapper mapper;

    Json() {
        this(mapper());
    }

    private Json(JsonMapper mapper) {
        this.mapper = mapper;
    }

    /** Writes what is equal in the same way: maps in the order of their keys, and of properties. */
    static Json inOrder() {
        return new Json(mapper().rebuild()
                .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                .enable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
                .build());
    }

    /** As Python's json module has it by default: NaN and the infinities are bare words. */
    static Json ofPython() {
        return new Json(mapper().rebuild()
                .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
                .build());
    }

    String write(Object value) {
        try {
            String text = mapper.writeValueAsString(value);
            requireReadable(text);
            return text;
        } catch (IOException | RuntimeException | StackOverflowError e) {
            throw new CodecException(
                    "value of " + value.getClass().getTypeName() + " cannot be stored as JSON: " + reason(e), e);
        }
    }

    /** A plain tree: lists, maps, strings, booleans, Long, BigInteger and Double. */
    @Nullable
    Object readTree(String text) {
        return widened(read(text, TypeToken.of(Object.class)));
    }

    @SuppressWarnings("unchecked") // Jackson makes lists and maps of anything
    private static @Nullable Object widened(@Nullable Object tree) {
        if (tree instanceof List<?> items) {
            ((List<@Nullable Object>) items).replaceAll(Json::widened);
        } else if (tree instanceof Map<?, ?> map) {
            ((Map<Object, @Nullable Object>) map).replaceAll((name, value) -> widened(value));
        }
        return tree instanceof Integer integer ? (Object) integer.longValue() : tree;
    }

    @Nullable
    Object read(String text, TypeToken<?> type) {
        try {
            return mapper.readValue(text, mapper.constructType(type.wrap().getType()));
        } catch (IOException | RuntimeException e) {
            throw new CodecException(
                    "stored TEXT cannot be read as " + type.getType().getTypeName() + ": " + reason(e), e);
        }
    }

    /**
     * Makes an instance of a type from a plain tree as from its JSON, without the text, which would be long if much is
     * shared in the tree. Bytes stay bytes where bytes or anything is wanted.
     */
    @Nullable
    Object bind(Object tree, TypeToken<?> type) {
        try (TokenBuffer tokens = new TokenBuffer(mapper, false)) {
            writeTree(tree, tokens);
            return mapper.readValue(
                    tokens.asParser(), mapper.constructType(type.wrap().getType()));
        } catch (IOException | RuntimeException e) {
            throw new CodecException(
                    "stored PICKLE cannot be read as " + type.getType().getTypeName() + ": " + reason(e), e);
        }
    }

    private static void writeTree(@Nullable Object tree, TokenBuffer tokens) throws IOException {
        if (tree instanceof Map<?, ?> map) {
            writeObject(map, tokens);
        } else if (tree instanceof Collection<?> items) {
            tokens.writeStartArray();
            for (Object item : items) {
                writeTree(item, tokens);
            }
            tokens.writeEndArray();
        } else {
            writeLeaf(tree, tokens);
        }
    }

    private static void writeLeaf(@Nullable Object leaf, TokenBuffer tokens) throws IOException {
        if (leaf instanceof String text) {
            tokens.writeString(text);
        } else if (leaf instanceof Long integer) {
            tokens.writeNumber(integer.longValue());
        } else if (leaf instanceof Double real) {
            tokens.writeNumber(real.doubleValue());
        } else if (leaf instanceof BigInteger integer) {
            tokens.writeNumber(integer);
        } else if (leaf instanceof Boolean truth) {
            tokens.writeBoolean(truth);
        } else if (leaf instanceof byte[] bytes) {
            tokens.writeEmbeddedObject(bytes);
        } else {
            tokens.writeNull();
        }
    }

    private static void writeObject(Map<?, ?> map, TokenBuffer tokens) throws IOException {
        Set<String> names = new HashSet<>();
        tokens.writeStartObject();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            String name = name(entry.getKey());
            if (!names.add(name)) {
                throw new IllegalArgumentException("two keys of a dict become " + Column.describe(name));
            }
            tokens.writeFieldName(name);
            writeTree(entry.getValue(), tokens);
        }
        tokens.writeEndObject();
    }

    private static String name(@Nullable Object key) {
        if (key instanceof String || key instanceof Number || key instanceof Boolean) {
            return key.toString();
        }
        throw new IllegalArgumentException(
                "a dict has a key that is no str, number or bool; ask for Object or Map as a class");
    }

    /** Raw output of a serializer, and the bounds that Jackson checks for a parser only. */
    private void requireReadable(String text) throws IOException {
        int index = Column.unpairedSurrogate(text);
        if (index >= 0) {
            throw new IllegalArgumentException(
                    "unpaired surrogate at index " + index + " of its JSON; UTF-8 cannot hold it");
        }
        try (JsonParser parser = mapper.createParser(text)) {
            parser.nextToken();
            parser.skipChildren();
            if (parser.nextToken() != null) {
                throw new IllegalArgumentException("its JSON is more than one document");
            }
        }
    }

    private static String reason(Throwable e) {
        String message = e instanceof JsonProcessingException problem ? problem.getOriginalMessage() : e.getMessage();
        return message == null ? e.getClass().getName() : message;
    }

    private static JsonMapper mapper() {
        return JsonMapper.builder(factory())
                .addModules(javaTime(), new Jdk8Module(), new NoClassNames())
                .polymorphicTypeValidator(
                        BasicPolymorphicTypeValidator.builder().build()) // allows no class at all
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .disable(DeserializationFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
                .enable(SerializationFeature.WRITE_DATES_WITH_ZONE_ID)
                .build();
    }

    /** Without normalizing, which would turn the zone UTC into the offset Z. */
    private static JavaTimeModule javaTime() {
        return new JavaTimeModule().disable(JavaTimeFeature.NORMALIZE_DESERIALIZED_ZONE_ID);
    }

    private static JsonFactory factory() {
        return JsonFactory.builder()
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .enable(StreamWriteFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(readConstraints())
                .streamWriteConstraints(StreamWriteConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .build())
                .build();
    }

    private static StreamReadConstraints readConstraints() {
        return StreamReadConstraints.builder()
                .maxNestingDepth(MAX_DEPTH)
                .maxNumberLength(MAX_NUMBER_LENGTH)
                .maxNameLength(MAX_NAME_LENGTH)
                .maxStringLength(MAX_LENGTH)
                .maxDocumentLength(MAX_LENGTH)
                .build();
    }
}
