package dev.latchkey.testing;

import java.io.File;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * Compiles another version of a class, to be put in front of the class path of a child with
 * {@link JavaCommand#inFront}; this JVM keeps the original.
 */
public final class ReplacedClass {
    private static final Pattern PACKAGE = Pattern.compile("(?m)^package\\s+([\\w.]+)\\s*;");
    private static final Pattern TYPE = Pattern.compile("(?m)^(?:\\w+\\s+)*(?:class|interface|enum|record)\\s+(\\w+)");

    private ReplacedClass() {}

    /**
     * Compiles {@code source}, one top-level class in a package, against the class path of this JVM.
     *
     * @return a new directory below {@code parent} with the class files
     */
    public static Path compile(Path parent, String source) {
        Path classes = parent.resolve("replaced-" + group(TYPE, source) + "-" + System.nanoTime());
        DiagnosticCollector<JavaFileObject> problems = new DiagnosticCollector<>();
        if (!classes.toFile().mkdirs()) {
            throw new AssertionError("cannot create " + classes);
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        var task = compiler.getTask(null, null, problems, options(classes), null, List.of(unit(source)));
        if (!task.call()) {
            throw new AssertionError("cannot compile:\n" + text(problems.getDiagnostics()) + source);
        }
        return classes;
    }

    private static List<String> options(Path classes) {
        String classPath = System.getProperty("java.class.path") + File.pathSeparator;
        return List.of("-d", classes.toString(), "-cp", classPath, "-proc:none", "-encoding", "UTF-8");
    }

    private static JavaFileObject unit(String source) {
        String name = group(PACKAGE, source).replace('.', '/') + "/" + group(TYPE, source);
        URI uri = URI.create("string:///" + name + ".java");
        return new SimpleJavaFileObject(uri, JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
    }

    private static String group(Pattern pattern, String source) {
        Matcher matcher = pattern.matcher(source);
        if (!matcher.find()) {
            throw new IllegalArgumentException("must contain a package and a class:\n" + source);
        }
        return matcher.group(1);
    }

    private static String text(List<Diagnostic<? extends JavaFileObject>> problems) {
        StringBuilder text = new StringBuilder();
        for (Diagnostic<?> problem : problems) {
            text.append("line ").append(problem.getLineNumber()).append(": ");
            text.append(problem.getMessage(Locale.ROOT)).append('\n');
        }
        return text.toString();
    }
}
