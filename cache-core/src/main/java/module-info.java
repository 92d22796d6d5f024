/** A disk cache that several JVMs on one host share, and the engine below the coordination primitives. */
@SuppressWarnings("requires-automatic") // jna is one
module dev.latchkey.cache {
    requires com.fasterxml.jackson.databind;
    requires com.fasterxml.jackson.datatype.jdk8;
    requires com.fasterxml.jackson.datatype.jsr310;
    requires transitive com.google.common;
    requires com.sun.jna;
    requires java.sql;
    requires org.xerial.sqlitejdbc;
    requires static transitive org.jspecify;

    exports dev.latchkey.cache;
    exports dev.latchkey.cache.spi;
}
