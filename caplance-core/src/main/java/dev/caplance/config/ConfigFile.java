package dev.caplance.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Function;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.reader.StreamReader;

/** Loads a YAML file: this class turns its text into nodes, a reader turns these into a record. */
public final class ConfigFile {

  /** A configuration of thousands of services is smaller. */
  static final int MAX_BYTES = 1 << 20;

  private static final int MAX_NESTING = 20;
  private static final int MAX_ALIASES = 100;

  private ConfigFile() {}

  /**
   * Reads a file.
   *
   * @param reader turns the file's top-level keys into a value; that is discarded if mistakes were
   *     found, so it may then be incomplete
   * @throws ConfigException with all mistakes of the file, or the reason why it cannot be read
   */
  public static <T> T load(Path file, Function<ConfigSection, T> reader) throws ConfigException {
    Problems problems = new Problems(file);
    String text = readText(file, problems);
    problems.throwIfAny();
    Node root = compose(text, problems);
    problems.throwIfAny();
    T value = ConfigSection.readRoot(root, problems, reader);
    problems.throwIfAny();
    return value;
  }

  private static String readText(Path file, Problems problems) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException e) {
      problems.addForFile("no such file; create it, or name another one with --config");
      return "";
    } catch (AccessDeniedException e) {
      problems.addForFile("no permission to read it; run as root, or make it readable");
      return "";
    } catch (IOException e) {
      problems.addForFile(
          Files.isDirectory(file)
              ? "is a directory; name a file in it"
              : "cannot be read: " + e.getMessage());
      return "";
    }
    if (bytes.length > MAX_BYTES) {
      problems.addForFile("is larger than 1 MB; a configuration file is much smaller");
      return "";
    }
    return decode(bytes, problems);
  }

  private static String decode(byte[] bytes, Problems problems) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CharBuffer chars = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(ByteBuffer.wrap(bytes), chars, true);
    String text = chars.flip().toString();
    if (result.isError()) {
      addAtEndOf(text, "not UTF-8 text; save the file in UTF-8", problems);
      return text;
    }
    int strange = 0;
    while (strange < text.length() && StreamReader.isPrintable(text.codePointAt(strange))) {
      strange = text.offsetByCodePoints(strange, 1);
    }
    if (strange < text.length()) {
      String name = String.format("U+%04X", text.codePointAt(strange));
      addAtEndOf(
          text.substring(0, strange),
          "the character " + name + " is not allowed in YAML; remove it",
          problems);
    }
    return text;
  }

  private static void addAtEndOf(String text, String problem, Problems problems) {
    int lineStart = text.lastIndexOf('\n') + 1;
    int line = 1 + (int) text.chars().filter(c -> c == '\n').count();
    int column = 1 + text.codePointCount(lineStart, text.length());
    problems.addAt(line, column, problem);
  }

  /** The document's root; null if the file holds only comments or is not YAML. */
  private static Node compose(String text, Problems problems) {
    LoaderOptions limits = new LoaderOptions();
    limits.setNestingDepthLimit(MAX_NESTING);
    limits.setMaxAliasesForCollections(MAX_ALIASES);
    try {
      return new Yaml(limits).compose(new StringReader(text));
    } catch (MarkedYAMLException e) {
      Mark at = e.getProblemMark() == null ? e.getContextMark() : e.getProblemMark();
      problems.add(at, "not valid YAML: " + inContext(e, at) + hint(text, at));
    } catch (YAMLException e) {
      problems.addForFile("not acceptable YAML: " + e.getMessage());
    }
    return null;
  }

  /** YAML takes {@code ::} or {@code fd00::} at the end of a line for a key without a value. */
  private static String hint(String text, Mark at) {
    String line = text.lines().skip(at.getLine()).findFirst().orElse("");
    return line.matches(".*::\\s*([,}\\]#].*)?")
        ? "; put an address that ends in :: in quotes"
        : "";
  }

  private static String inContext(MarkedYAMLException e, Mark at) {
    String problem = e.getProblem().strip();
    Mark start = e.getContextMark();
    if (e.getContext() == null || start == null || start.getLine() == at.getLine()) {
      return problem;
    }
    return problem + " (" + e.getContext() + " that starts on line " + (start.getLine() + 1) + ")";
  }
}
