package dev.latchkey.cache;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.KeyDeserializer;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import java.io.IOException;

/** Refuses {@code Class} values, which Jackson would load by the name it finds in the JSON. */
final class NoClassNames extends SimpleModule {
    private static final long serialVersionUID = 1L;
    private static final String REFUSAL = "a Class is neither stored nor looked up by name; use a String";

    NoClassNames() {
        super("no class names");
        addSerializer(new Writer());
        addDeserializer(Class.class, new Reader());
        addKeyDeserializer(Class.class, new KeyReader());
    }

    private static final class Writer extends StdSerializer<Class<?>> {
        private static final long serialVersionUID = 1L;

        Writer() {
            super(Class.class, false);
        }

        @Override
        public void serialize(Class<?> value, JsonGenerator generator, SerializerProvider provider) throws IOException {
            provider.reportMappingProblem(REFUSAL);
        }
    }

    @SuppressWarnings("rawtypes") // addDeserializer(Class<T>, JsonDeserializer<T>) knows Class only as raw
    private static final class Reader extends StdDeserializer<Class> {
        private static final long serialVersionUID = 1L;

        Reader() {
            super(Class.class);
        }

        @Override
        public Class deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            return context.reportInputMismatch(this, REFUSAL);
        }
    }

    private static final class KeyReader extends KeyDeserializer {
        @Override
        public Object deserializeKey(String key, DeserializationContext context) throws IOException {
            return context.reportInputMismatch(Class.class, REFUSAL);
        }
    }
}
