package dev.latchkey.cache;

import dev.latchkey.cache.PickleTree.Kind;
import dev.latchkey.cache.PickleTree.Node;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads what Python pickled, in protocols 0 to 5, if it is a plain tree: {@code None}, {@code bool}, {@code int},
 * {@code float}, {@code str}, {@code bytes}, {@code bytearray}, and {@code list}, {@code tuple}, {@code dict},
 * {@code set} and {@code frozenset} of them.
 *
 * <p>A pickle is a program for a machine with a stack and a memo, and may have been written by anybody. This machine
 * looks up no class and calls nothing: of the instructions that do so, it knows the five callables of {@link Known},
 * with which the older protocols write sets and bytes. Each instruction takes at least one byte, and none makes
 * more than a constant number of objects, or more bytes than stand behind it; so memory is bounded by the length of the
 * pickle: about a hundred bytes for each of its bytes at worst, where they are empty dicts. See {@link PickleTree} for
 * what is shared, and for depth and cycles.
 */
final class Pickle {
    /** What may be called. The names are compared, never looked up. */
    enum Known {
        SET,
        FROZENSET,
        BYTES,
        BYTEARRAY,
        ENCODE;

        private static final Map<String, Known> BY_NAME = Map.of(
                "builtins.set", SET,
                "builtins.frozenset", FROZENSET,
                "builtins.bytes", BYTES,
                "builtins.bytearray", BYTEARRAY,
                "__builtin__.set", SET,
                "__builtin__.frozenset", FROZENSET,
                "__builtin__.bytes", BYTES,
                "__builtin__.bytearray", BYTEARRAY,
                "_codecs.encode", ENCODE);
    }

    private static final int HIGHEST_PROTOCOL = 5;
    private static final Object ABSENT = new Object();

    private final PickleInput in;
    private final List<@Nullable Object> stack = new ArrayList<>();
    private final java.util.Deque<Integer> marks = new ArrayDeque<>();
    private final List<@Nullable Object> memo = new ArrayList<>();
    private int memoized;
    private long encoded;

    private Pickle(PickleInput in) {
        this.in = in;
    }

    /**
     * Reads a pickle.
     *
     * @return a Boolean, Long, BigInteger, Double, String, byte[], List, Map, Set or null
     * @throws CodecException if it is malformed, or more than a plain tree
     */
    static @Nullable Object read(byte[] pickle) {
        PickleInput in = new PickleInput(pickle);
        if (pickle.length > Json.MAX_LENGTH) {
            throw in.refused(Json.MAX_LENGTH + " are allowed");
        }
        return new PickleTree(in).of(new Pickle(in).run());
    }

    private @Nullable Object run() {
        for (int opcode = in.u1(); opcode != '.'; opcode = in.u1()) {
            execute(opcode);
        }
        Object result = pop();
        if (!stack.isEmpty() || !marks.isEmpty()) {
            throw in.malformed("it ends with more than one value");
        }
        if (!in.atEnd()) {
            throw in.malformed("something follows its end");
        }
        return result;
    }

    private void execute(int opcode) {
        switch (opcode) {
            case 0x80 -> requireKnownProtocol(in.u1());
            case 0x95 -> in.frame();

            case 'N' -> push(null);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'I' -> push(integerOrBoolean(in.line()));
            case 'L' -> push(longInteger(in.line()));
            case 'J' -> push((long) in.i4());
            case 'K' -> push((long) in.u1());
            case 'M' -> push((long) in.u2());
            case 0x8A -> push(in.integer(in.u1()));
            case 0x8B -> push(in.integer(in.i4()));
            case 'F' -> push(in.real(in.line()));
            case 'G' -> push(in.real());
            case 'V' -> push(in.escapedLine());
            case 'X' -> push(in.utf8(in.u4()));
            case 0x8C -> push(in.utf8(in.u1()));
            case 0x8D -> push(in.utf8(in.u8()));
            case 'B' -> push(in.bytes(in.u4()));
            case 'C' -> push(in.bytes(in.u1()));
            case 0x8E, 0x96 -> push(in.bytes(in.u8()));

            case ']' -> push(empty(Kind.LIST));
            case ')' -> push(empty(Kind.TUPLE));
            case '}' -> push(empty(Kind.DICT));
            case 0x8F -> push(empty(Kind.SET));
            case 'l' -> push(new Node(Kind.LIST, popToMark()));
            case 't' -> push(new Node(Kind.TUPLE, popToMark()));
            case 'd' -> push(new Node(Kind.DICT, pairs(popToMark())));
            case 0x91 -> push(new Node(Kind.FROZENSET, popToMark()));
            case 0x85 -> push(new Node(Kind.TUPLE, pop(1)));
            case 0x86 -> push(new Node(Kind.TUPLE, pop(2)));
            case 0x87 -> push(new Node(Kind.TUPLE, pop(3)));
            case 'a' -> append();
            case 'e' -> addTo(Kind.LIST, popToMark());
            case 's' -> addTo(Kind.DICT, pop(2));
            case 'u' -> addTo(Kind.DICT, pairs(popToMark()));
            case 0x90 -> addTo(Kind.SET, popToMark());

            case '(' -> marks.push(stack.size());
            case '0' -> popValueOrMark();
            case '1' -> popToMark();
            case '2' -> push(top());
            case 'p' -> put(index(in.line()));
            case 'q' -> put(in.u1());
            case 'r' -> put(in.u4());
            case 0x94 -> put(memoized);
            case 'g' -> get(index(in.line()));
            case 'h' -> get(in.u1());
            case 'j' -> get(in.u4());

            case 'c' -> push(known("GLOBAL", in.line(), in.line()));
            case 0x93 -> stackGlobal();
            case 'R' -> reduce();

            case 'i' -> throw object("INST of " + in.line() + "." + in.line());
            case 'o' -> throw object("OBJ");
            case 'b' -> throw object("BUILD");
            case 0x81 -> throw object("NEWOBJ");
            case 0x92 -> throw object("NEWOBJ_EX");
            case 'P' -> throw object("PERSID " + in.line());
            case 'Q' -> throw object("BINPERSID");
            case 0x82 -> throw object("EXT1 " + in.u1());
            case 0x83 -> throw object("EXT2 " + in.u2());
            case 0x84 -> throw object("EXT4 " + in.i4());
            case 0x97 -> throw object("NEXT_BUFFER");
            case 0x98 -> throw object("READONLY_BUFFER");

            case 'S', 'T', 'U' -> throw in.malformed("a str of Python 2, which may be text or bytes");
            default -> throw in.malformed("no instruction has the number " + opcode);
        }
    }

    private CodecException object(String what) {
        return in.malformed("it holds a Python object that is more than a plain tree: " + Column.shorten(what));
    }

    private void requireKnownProtocol(int protocol) {
        if (protocol > HIGHEST_PROTOCOL) {
            throw in.malformed("protocol " + protocol + "; the highest one that can be read is " + HIGHEST_PROTOCOL);
        }
    }

    private Object integerOrBoolean(String text) {
        return switch (text) {
            case "00" -> false;
            case "01" -> true;
            default -> in.integer(text);
        };
    }

    private Number longInteger(String text) {
        return in.integer(text.endsWith("L") ? text.substring(0, text.length() - 1) : text);
    }

    // --- the stack

    private void push(@Nullable Object value) {
        stack.add(value);
    }

    private int lastMark() {
        return marks.isEmpty() ? 0 : marks.peek();
    }

    private void requireValues(int count) {
        if (stack.size() - count < lastMark()) {
            throw in.malformed("too few values on the stack");
        }
    }

    private @Nullable Object top() {
        requireValues(1);
        return stack.get(stack.size() - 1);
    }

    private @Nullable Object pop() {
        requireValues(1);
        return stack.remove(stack.size() - 1);
    }

    private List<@Nullable Object> pop(int count) {
        requireValues(count);
        return popFrom(stack.size() - count);
    }

    private List<@Nullable Object> popFrom(int start) {
        List<@Nullable Object> last = stack.subList(start, stack.size());
        List<@Nullable Object> values = new ArrayList<>(last);
        last.clear();
        return values;
    }

    private List<@Nullable Object> popToMark() {
        if (marks.isEmpty()) {
            throw in.malformed("no mark on the stack");
        }
        return popFrom(marks.pop());
    }

    private void popValueOrMark() {
        if (!marks.isEmpty() && lastMark() == stack.size()) {
            marks.pop();
        } else {
            pop();
        }
    }

    // --- the memo

    private long index(String text) {
        return in.integer(text) instanceof Long index ? index : -1;
    }

    /** An index that no writer would use could ask for a memo of any size. */
    private void put(long index) {
        if (index < 0 || index > in.length()) {
            throw in.malformed("memo index out of range");
        }
        while (memo.size() <= index) {
            memo.add(ABSENT);
        }
        if (memo.set((int) index, top()) == ABSENT) {
            memoized++;
        }
    }

    private void get(long index) {
        Object value = index < 0 || index >= memo.size() ? ABSENT : memo.get((int) index);
        if (value == ABSENT) {
            throw in.malformed("nothing was put into the memo at " + index);
        }
        push(value);
    }

    // --- containers

    private List<@Nullable Object> pairs(List<@Nullable Object> items) {
        if (items.size() % 2 != 0) {
            throw in.malformed("a key without a value");
        }
        return items;
    }

    /** Without the room for ten items that an ArrayList makes otherwise. */
    private static Node empty(Kind kind) {
        return new Node(kind, new ArrayList<>(0));
    }

    private void append() {
        Object item = pop();
        container(Kind.LIST).items().add(item);
    }

    private void addTo(Kind kind, List<@Nullable Object> items) {
        container(kind).items().addAll(items);
    }

    private Node container(Kind kind) {
        if (!(top() instanceof Node node) || node.kind() != kind) {
            throw in.malformed("no " + kind + " to add to");
        }
        return node;
    }

    // --- the five callables

    private Known known(String opcode, String module, String name) {
        Known known = Known.BY_NAME.get(module + "." + name);
        if (known == null) {
            throw object(opcode + " of " + module + "." + name);
        }
        return known;
    }

    private void stackGlobal() {
        if (!(pop() instanceof String name) || !(pop() instanceof String module)) {
            throw in.malformed("STACK_GLOBAL needs two strings");
        }
        push(known("STACK_GLOBAL", module, name));
    }

    private void reduce() {
        Object arguments = pop();
        Object callable = pop();
        if (!(callable instanceof Known known) || !(arguments instanceof Node node) || node.kind() != Kind.TUPLE) {
            throw object("REDUCE of something that is no class");
        }
        push(call(known, node.items()));
    }

    private Object call(Known known, List<@Nullable Object> arguments) {
        return switch (known) {
            case SET -> set(known, Kind.SET, arguments);
            case FROZENSET -> set(known, Kind.FROZENSET, arguments);
            case BYTES -> {
                if (!arguments.isEmpty()) {
                    throw unusual(known);
                }
                yield new byte[0];
            }
            case BYTEARRAY -> bytearray(arguments);
            case ENCODE -> encode(known, arguments);
        };
    }

    private CodecException unusual(Known known) {
        return object("REDUCE of " + known + " with unusual arguments");
    }

    private Node set(Known known, Kind kind, List<@Nullable Object> arguments) {
        if (arguments.isEmpty()) {
            return empty(kind);
        }
        if (arguments.size() == 1 && arguments.get(0) instanceof Node list && list.kind() == Kind.LIST) {
            return list.turnInto(kind);
        }
        throw unusual(known);
    }

    private byte[] bytearray(List<@Nullable Object> arguments) {
        if (arguments.isEmpty()) {
            return new byte[0];
        }
        return arguments.size() == 1 && arguments.get(0) instanceof byte[] bytes
                ? bytes
                : encode(Known.BYTEARRAY, arguments);
    }

    /** Of the bytes 0 to 255 as characters. The text may be shared, so a short pickle could ask for many copies. */
    private byte[] encode(Known known, List<@Nullable Object> arguments) {
        if (arguments.size() != 2
                || !(arguments.get(0) instanceof String text)
                || !("latin1".equals(arguments.get(1)) || "latin-1".equals(arguments.get(1)))) {
            throw unusual(known);
        }
        encoded += text.length();
        if (encoded > in.length()) {
            throw in.malformed("more bytes than stand in it");
        }
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++) {
            if (text.charAt(i) > 0xFF) {
                throw in.malformed("no byte: a character above 255");
            }
            bytes[i] = (byte) text.charAt(i);
        }
        return bytes;
    }
}
