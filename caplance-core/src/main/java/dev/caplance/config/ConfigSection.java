package dev.caplance.config;

import static dev.caplance.config.Values.quote;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * The keys of a YAML mapping while it is being read. The reader asks for each key that it knows;
 * when it returns, all others are reported as unknown. No method throws for a mistake in the file:
 * the mistake is recorded and reading goes on with the default or null as the value, so that one
 * run finds them all. Used by one thread, only during {@link ConfigFile#load}.
 */
public final class ConfigSection {

  private final Mark start;
  private final Problems problems;
  private final Map<String, Node> entries = new LinkedHashMap<>();
  private final Map<String, Mark> keyMarks = new LinkedHashMap<>();
  private final Set<String> known = new LinkedHashSet<>();

  private ConfigSection(Mark start, Problems problems) {
    this.start = start;
    this.problems = problems;
  }

  /** Reads the root section; a null root stands for a file without keys. */
  static <T> T readRoot(Node root, Problems problems, Function<ConfigSection, T> reader) {
    Mark top = new Mark("", 0, 0, 0, new int[0], 0);
    if (root == null || isNull(root)) {
      return new ConfigSection(top, problems).read(reader);
    }
    if (root instanceof MappingNode mapping) {
      return of(mapping, problems).read(reader);
    }
    problems.add(root.getStartMark(), "the file must consist of lines of the form 'key: value'");
    return new ConfigSection(top, problems.discarded()).read(reader);
  }

  private static ConfigSection of(MappingNode mapping, Problems problems) {
    ConfigSection section = new ConfigSection(mapping.getStartMark(), problems);
    for (NodeTuple entry : mapping.getValue()) {
      Mark at = entry.getKeyNode().getStartMark();
      if (!(entry.getKeyNode() instanceof ScalarNode keyNode)) {
        problems.add(at, "a key must be a single word");
        continue;
      }
      String key = keyNode.getValue();
      Mark first = section.keyMarks.putIfAbsent(key, at);
      if (first == null) {
        section.entries.put(key, entry.getValueNode());
      } else {
        problems.add(
            at,
            key + ": is given twice, first on line " + (first.getLine() + 1) + "; keep only one");
      }
    }
    return section;
  }

  private <T> T read(Function<ConfigSection, T> reader) {
    T value = reader.apply(this);
    for (String key : entries.keySet()) {
      if (!known.contains(key)) {
        String advice =
            Spelling.nearest(key, known)
                .map(nearest -> "did you mean " + quote(nearest) + "?")
                .orElseGet(() -> "known here: " + String.join(", ", known));
        problems.add(keyMarks.get(key), "unknown key " + quote(key) + "; " + advice);
      }
    }
    return value;
  }

  /** Whether a key is present, whatever its value. */
  public boolean has(String key) {
    return node(key).isPresent();
  }

  /** The value of an optional key. */
  public <T> T get(String key, ValueParser<T> parser, T defaultValue) {
    return find(key, parser).orElse(defaultValue);
  }

  /** The value of an optional key; empty if it is absent or wrong. */
  public <T> Optional<T> find(String key, ValueParser<T> parser) {
    return node(key).flatMap(node -> value(key, node, parser));
  }

  /**
   * The value of a required key; null if it is missing or wrong.
   *
   * @param example a value to show if it is missing
   */
  public <T> T require(String key, ValueParser<T> parser, String example) {
    if (node(key).isEmpty()) {
      addMissing(key, key + ": " + example);
    }
    return find(key, parser).orElse(null);
  }

  /** What an optional group of keys says; without it, what an empty one would say. */
  public <T> T section(String key, Function<ConfigSection, T> reader) {
    return findSection(key, reader)
        .orElseGet(() -> new ConfigSection(start, problems.discarded()).read(reader));
  }

  /** What a group of keys says; empty if its key is absent. */
  public <T> Optional<T> findSection(String key, Function<ConfigSection, T> reader) {
    return node(key)
        .flatMap(
            node -> {
              if (isNull(node)) {
                return Optional.of(new ConfigSection(node.getStartMark(), problems).read(reader));
              }
              if (node instanceof MappingNode mapping) {
                return Optional.of(of(mapping, problems).read(reader));
              }
              problems.add(
                  node.getStartMark(),
                  key + ": must be a group of keys, not " + describe(node) + "; indent them below");
              return Optional.empty();
            });
  }

  /**
   * A required list with at least one entry, each a group of keys. Wrong entries are left out.
   *
   * @param example an entry in YAML's flow style, to show if the list or an entry is something else
   */
  public <T> List<T> requireSections(
      String key, Function<ConfigSection, T> reader, String example) {
    requireKey(key, example);
    return sections(key, reader, example);
  }

  /** An optional list like that of {@link #requireSections}; empty if the key is absent. */
  public <T> List<T> sections(String key, Function<ConfigSection, T> reader, String example) {
    List<T> values = new ArrayList<>();
    for (Node entry : list(key, example)) {
      if (entry instanceof MappingNode mapping) {
        values.add(of(mapping, problems).read(reader));
      } else {
        problems.add(
            entry.getStartMark(),
            key + ": an entry is a group of keys like " + example + ", not " + describe(entry));
      }
    }
    return List.copyOf(values);
  }

  /**
   * A required list with at least one value. Wrong values are left out.
   *
   * @param example a value to show if the list is something else
   */
  public <T> List<T> requireValues(String key, ValueParser<T> parser, String example) {
    requireKey(key, example);
    return values(key, parser, example);
  }

  /** An optional list like that of {@link #requireValues}; empty if the key is absent. */
  public <T> List<T> values(String key, ValueParser<T> parser, String example) {
    List<T> values = new ArrayList<>();
    for (Node entry : list(key, example)) {
      value(key, entry, parser).ifPresent(values::add);
    }
    return List.copyOf(values);
  }

  /** Like {@link #values}, but a single value needs no list. */
  public <T> List<T> oneOrMore(String key, ValueParser<T> parser, String example) {
    return node(key).filter(ScalarNode.class::isInstance).isPresent()
        ? find(key, parser).stream().toList()
        : values(key, parser, example);
  }

  /** Records a mistake at a key that belongs elsewhere, if it is present. */
  public void rejectForeign(String key, String text) {
    if (entries.containsKey(key)) {
      known.add(key);
      reject(key, text);
    }
  }

  /** Whether a key holds a list of groups of keys. */
  public boolean hasSections(String key) {
    return node(key)
        .filter(node -> node instanceof SequenceNode)
        .map(list -> ((SequenceNode) list).getValue())
        .filter(entries -> entries.stream().anyMatch(MappingNode.class::isInstance))
        .isPresent();
  }

  /** Records a mistake at a key's value, or at this section if it has no such key. */
  public void reject(String key, String text) {
    Node node = entries.get(key);
    problems.add(node == null ? start : node.getStartMark(), key + ": " + text);
  }

  private void requireKey(String key, String example) {
    if (node(key).isEmpty()) {
      addMissing(key, key + ": [" + example + "]");
    }
  }

  /** The entries of a list; none if the key is absent or is not a list. */
  private List<Node> list(String key, String example) {
    Optional<Node> node = node(key);
    if (node.isEmpty()) {
      return List.of();
    }
    if (node.get() instanceof SequenceNode list && !list.getValue().isEmpty()) {
      return list.getValue();
    }
    String given = node.get() instanceof SequenceNode ? "an empty list" : describe(node.get());
    problems.add(
        node.get().getStartMark(),
        key + ": must be a list, not " + given + "; write " + key + ": [" + example + "]");
    return List.of();
  }

  private void addMissing(String key, String example) {
    problems.add(start, quote(key) + " is missing; add for example " + quote(example));
  }

  private <T> Optional<T> value(String key, Node node, ValueParser<T> parser) {
    if (!(node instanceof ScalarNode scalar) || isNull(node)) {
      problems.add(
          node.getStartMark(),
          key + ": must be a single value, not " + describe(node) + hint(node));
      return Optional.empty();
    }
    if (!node.getTag().startsWith(Tag.PREFIX)) {
      problems.add(
          node.getStartMark(), key + ": the tag " + node.getTag() + " is not supported; remove it");
      return Optional.empty();
    }
    try {
      return Optional.of(parser.parse(scalar.getValue()));
    } catch (IllegalArgumentException e) {
      problems.add(node.getStartMark(), key + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  /** YAML takes {@code ::} or {@code fd00::} at the end of a line for a key without a value. */
  private static String hint(Node node) {
    if (node instanceof MappingNode mapping
        && mapping.getValue().size() == 1
        && mapping.getValue().get(0).getKeyNode() instanceof ScalarNode keyNode
        && isNull(mapping.getValue().get(0).getValueNode())
        && keyNode.getValue().contains(":")) {
      return "; put it in quotes: \"" + keyNode.getValue() + ":\"";
    }
    return "";
  }

  private Optional<Node> node(String key) {
    known.add(key);
    return Optional.ofNullable(entries.get(key));
  }

  private static boolean isNull(Node node) {
    return node.getTag().equals(Tag.NULL);
  }

  private static String describe(Node node) {
    if (node instanceof MappingNode) {
      return "a group of keys";
    }
    if (node instanceof SequenceNode) {
      return "a list";
    }
    return isNull(node) ? "nothing" : quote(((ScalarNode) node).getValue());
  }
}
