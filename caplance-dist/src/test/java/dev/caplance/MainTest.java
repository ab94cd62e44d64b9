package dev.caplance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

class MainTest {

  @Command(description = "Does one thing.")
  static final class One implements Callable<Integer> {
    @Option(names = "--code")
    private int code;

    @Override
    public Integer call() {
      return code;
    }
  }

  @Command(description = "Does another.")
  static final class Two implements Callable<Integer> {
    @Override
    public Integer call() {
      return 0;
    }
  }

  private final List<String> made = new ArrayList<>();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    Map<String, Supplier<Callable<Integer>>> daemons = new LinkedHashMap<>();
    daemons.put("one", () -> making("one", new One()));
    daemons.put("two", () -> making("two", new Two()));
    CommandLine commandLine =
        Main.commandLine(daemons, args)
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true));
    return commandLine.execute(args);
  }

  private Callable<Integer> making(String name, Callable<Integer> command) {
    made.add(name);
    return command;
  }

  @Test
  void makesTheDaemonThatIsAskedForOnlyAndEndsAsItDoes() {
    assertThat(run("one", "--code", "78")).isEqualTo(78);
    assertThat(made).containsExactly("one");
  }

  @Test
  void helpNamesAllDaemons() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString())
        .startsWith("Usage: caplance")
        .containsSubsequence(
            "one", "Does one thing.", "two", "Does another.", "ctl", "caplancectl", "archive");
    out.getBuffer().setLength(0);
    assertThat(run("one", "--help")).isZero();
    assertThat(out.toString()).doesNotContain("archive");
  }

  @ParameterizedTest
  @ValueSource(strings = {"--version", "one --version"})
  void eachCommandKnowsTheVersion(String args) {
    assertThat(run(args.split(" "))).isZero();
    assertThat(out.toString()).startsWith("caplance ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "--once | Unknown option: '--once' | caplance",
        "onee | Unmatched argument at index 0: 'onee' | caplance",
        "one --code x | Invalid value for option '--code' | caplance one",
      })
  void saysWhatIsWrongWithTheCommandLine(String args, String message, String command) {
    assertThat(run(args.split(" "))).isEqualTo(2);
    assertThat(err.toString())
        .startsWith("caplance: " + message)
        .endsWith("Try '" + command + " --help' for help.\n");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void saysThatACommandIsMissing() {
    assertThat(run()).isEqualTo(2);
    assertThat(err.toString()).startsWith("caplance: a command is missing\n");
  }

  /** {@code /dev/full} takes nothing, like a full disk. */
  @Test
  void whatCannotBePrintedIsAnError() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "--version")
            .redirectOutput(new File("/dev/full"))
            .start();
    String errors = new String(process.getErrorStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(errors).isEqualTo("caplance: cannot write to standard output\n");
  }
}
