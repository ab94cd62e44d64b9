package dev.caplance.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigFileTest {

  record Server(String host, int port) {}

  record Sample(
      List<Server> servers,
      List<Integer> weights,
      Duration timeout,
      Optional<Boolean> fast,
      LoggingConfig logging) {}

  private static final String VALID = "servers: [{host: a}]\nweights: [1]\n";

  @TempDir private Path directory;

  private static Sample read(ConfigSection root) {
    return new Sample(
        root.requireSections(
            "servers",
            server ->
                new Server(
                    server.require("host", Values.name(), "a"),
                    server.get("port", Values.port(), 80)),
            "{host: a}"),
        root.requireValues("weights", Values.integer(1, 256), "1"),
        root.get(
            "timeout",
            Values.duration(Duration.ofMillis(100), Duration.ofHours(1)),
            Duration.ofSeconds(5)),
        root.find("fast", Values.bool()),
        root.section("logging", section -> LoggingConfig.read(section, Path.of("/log"))));
  }

  private Sample load(String yaml) throws ConfigException, IOException {
    return ConfigFile.load(write(yaml.getBytes(StandardCharsets.UTF_8)), ConfigFileTest::read);
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(directory.resolve("sample.yaml"), bytes);
  }

  /** The mistakes found in a file, each without the directory. */
  private List<String> mistakes(String yaml) throws IOException {
    return mistakes(write(yaml.getBytes(StandardCharsets.UTF_8)));
  }

  private List<String> mistakes(Path file) {
    ConfigException e =
        catchThrowableOfType(
            ConfigException.class, () -> ConfigFile.load(file, ConfigFileTest::read));
    return e.getMessage().replace(directory + "/", "").lines().toList();
  }

  @Test
  void givesValuesAndDefaults() throws Exception {
    assertThat(load("servers:\n- host: a\n- {host: b, port: 8080}\nweights: [1, 256]\n"))
        .isEqualTo(
            new Sample(
                List.of(new Server("a", 80), new Server("b", 8080)),
                List.of(1, 256),
                Duration.ofSeconds(5),
                Optional.empty(),
                new LoggingConfig(org.slf4j.event.Level.INFO, Optional.empty())));
  }

  @Test
  void aGroupWhoseKeysAreAllCommentedOutHasItsDefaults() throws Exception {
    assertThat(load(VALID + "logging:\n  #level: debug\n")).isEqualTo(load(VALID));
  }

  @Test
  void textThatLooksLikeANumberIsStillText() throws Exception {
    assertThat(load("servers: [{host: 0017}]\nweights: [1]").servers())
        .containsExactly(new Server("0017", 80));
  }

  @Test
  void reportsEveryMistakeInOneRunInTheOrderOfTheFile() throws IOException {
    assertThat(
            mistakes(
                """
                timeout: 5
                Servers:
                  - host: a
                servers:
                  - hots: a
                    port: 80
                    port: 70000
                  - host: "a b"
                    port: x
                  - c
                  - [d]
                  -
                weights: 7
                fast: yes
                logging:
                  level: verbose
                  file: {path: lb.log, maxSize: 10, keep: 99}
                  colour: red
                weight: 3
                """))
        .containsExactly(
            "sample.yaml:1:10: timeout: '5' is not a duration; write a number and its unit:"
                + " 500ms, 30s, 5m",
            "sample.yaml:2:1: unknown key 'Servers'; did you mean 'servers'?",
            "sample.yaml:5:5: 'host' is missing; add for example 'host: a'",
            "sample.yaml:5:5: unknown key 'hots'; did you mean 'host'?",
            "sample.yaml:7:5: port: is given twice, first on line 6; keep only one",
            "sample.yaml:8:11: host: 'a b' is not a name: 1 to 64 of the characters A-Z a-z 0-9 . _"
                + " -",
            "sample.yaml:9:11: port: 'x' is not a whole number from 1 to 65535",
            "sample.yaml:10:5: servers: an entry is a group of keys like {host: a}, not 'c'",
            "sample.yaml:11:5: servers: an entry is a group of keys like {host: a}, not a list",
            "sample.yaml:12:4: servers: an entry is a group of keys like {host: a}, not nothing",
            "sample.yaml:13:10: weights: must be a list, not '7'; write weights: [1]",
            "sample.yaml:14:7: fast: 'yes' is neither true nor false; write one of them",
            "sample.yaml:16:10: level: 'verbose' is not one of error, warn, info, debug, trace",
            "sample.yaml:17:16: path: 'lb.log' is not an absolute path; start it with /",
            "sample.yaml:17:33: maxSize: '10' is not a size; write a number and its unit: 512KB,"
                + " 10MB, 1GB",
            "sample.yaml:17:43: keep: '99' is not a whole number from 1 to 20",
            "sample.yaml:18:3: unknown key 'colour'; known here: level, file",
            "sample.yaml:19:1: unknown key 'weight'; did you mean 'weights'?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                | 1:1: 'servers' is missing; add for example 'servers: [{host: a}]'",
        "'# nothing'       | 1:1: 'servers' is missing; add for example 'servers: [{host: a}]'",
        "'servers:'        | 1:9: servers: must be a list, not nothing; write servers: [{host: a}]",
        "'servers: []'     | 1:10: servers: must be a list, not an empty list; write servers: [{host: a}]",
        "'just words'      | 1:1: the file must consist of lines of the form 'key: value'",
        "'- a'             | 1:1: the file must consist of lines of the form 'key: value'",
        "'logging: debug'  | 1:10: logging: must be a group of keys, not 'debug'; indent them below",
        "'fast: {a: b}'    | 1:7: fast: must be a single value, not a group of keys",
        "'fast: ~'         | 1:7: fast: must be a single value, not nothing",
        "'fast: !yes true' | 1:7: fast: the tag !yes is not supported; remove it",
        "'[a]: b'          | 1:1: a key must be a single word",
        "'timeout: 50ms'   | 1:10: timeout: '50ms' is out of range; write 100ms to 1h",
        "'timeout: 61m'    | 1:10: timeout: '61m' is out of range; write 100ms to 1h",
        "'logging: {file: {path: /}}' | 1:24: path: '/' is a directory; name a file in it",
        "'logging: {file: {path: /a/100%}}' | 1:24: path: '/a/100%' contains a % or \\; choose another name",
        "'logging: {file: {maxSize: 1KB}}' | 1:27: maxSize: '1KB' is out of range; write 10KB to 10GB",
      })
  void namesPlaceAndRemedy(String yaml, String mistake) throws IOException {
    assertThat(mistakes(yaml)).contains("sample.yaml:" + mistake);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'a: b: c'   | 1:5: not valid YAML: mapping values are not allowed here",
        "'a: [1, 2'  | 1:9: not valid YAML: expected ',' or ']', but got <stream end>",
        "'a: 1\n\tb: 2' | 2:1: not valid YAML: found character '\\t(TAB)' that cannot start any"
            + " token. (Do not use \\t(TAB) for indentation)",
        "'a: 1\n  b: 2' | 2:4: not valid YAML: mapping values are not allowed here",
        "'a:\n  - 1\n b: 2' | 3:2: not valid YAML: expected <block end>, but found '<block mapping"
            + " start>' (while parsing a block mapping that starts on line 1)",
        "'a: 1\n---\nb: 2' | 2:1: not valid YAML: but found another document (expected a single"
            + " document in the stream that starts on line 1)",
        "'a: *b'     | 1:4: not valid YAML: found undefined alias b",
      })
  void reportsSyntaxErrorsInTheSameForm(String yaml, String mistake) throws IOException {
    assertThat(mistakes(yaml)).containsExactly("sample.yaml:" + mistake);
  }

  @Test
  void refusesBytesThatAreNotText() throws IOException {
    byte[] latin1 = "a: 1\nb: ü\n".getBytes(StandardCharsets.ISO_8859_1);
    assertThat(mistakes(write(latin1)))
        .containsExactly("sample.yaml:2:4: not UTF-8 text; save the file in UTF-8");
    assertThat(mistakes("a: 1\nbäc: \u0007\n"))
        .containsExactly("sample.yaml:2:6: the character U+0007 is not allowed in YAML; remove it");
  }

  @Test
  void saysInOneLineThatAFileCannotBeRead() throws IOException {
    assertThat(mistakes(directory.resolve("absent.yaml")))
        .containsExactly("absent.yaml: no such file; create it, or name another one with --config");
    Files.createDirectory(directory.resolve("lb.yaml"));
    assertThat(mistakes(directory.resolve("lb.yaml")))
        .containsExactly("lb.yaml: is a directory; name a file in it");
  }

  @Test
  void refusesFilesMadeToExhaustTheReader() throws IOException {
    assertThat(mistakes("#".repeat(ConfigFile.MAX_BYTES + 1)))
        .containsExactly("sample.yaml: is larger than 1 MB; a configuration file is much smaller");
    assertThat(mistakes("a: " + "[".repeat(5000))).singleElement().asString().contains("Nesting");
    assertThat(mistakes("a: &a [1]\nb: [" + "*a, ".repeat(1000) + "]"))
        .singleElement()
        .asString()
        .contains("aliases");
  }

  @Test
  void anAnchoredMistakeIsReportedOnce() throws IOException {
    assertThat(mistakes("servers: [&a {host: a, port: x}, *a]\nweights: [1]"))
        .containsExactly("sample.yaml:1:30: port: 'x' is not a whole number from 1 to 65535");
  }

  @Test
  void longValuesAreCutInMessages() throws IOException {
    assertThat(mistakes(VALID + "fast: " + "x".repeat(5000)))
        .containsExactly(
            "sample.yaml:3:7: fast: '"
                + "x".repeat(60)
                + "…' is neither true nor false; write one of them");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"0", "-1", "65536", "080", "0x50", "1e3", "+80", "8_0", "99999999999", ""})
  void aPortIsADecimalNumber(String text) throws IOException {
    assertThat(mistakes("servers: [{host: a, port: '" + text + "'}]\nweights: [1]"))
        .containsExactly(
            "sample.yaml:1:27: port: '" + text + "' is not a whole number from 1 to 65535");
  }
}
