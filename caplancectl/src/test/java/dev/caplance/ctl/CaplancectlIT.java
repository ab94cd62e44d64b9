package dev.caplance.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The launcher and the jar as an operator has them, against a control server in this process. */
@Timeout(300)
class CaplancectlIT {

  private static final Path ROOT = Path.of(System.getProperty("caplance.root"));
  private static final Path JAR = Path.of(System.getProperty("caplancectl.jar"));
  private static final Path LAUNCHER = ROOT.resolve("scripts/caplancectl");
  private static final String NOBODY = "65534";

  private record Outcome(int exitCode, String out, String err) {}

  @TempDir Path directory;

  private Path socket;
  private ControlServer server;

  @BeforeEach
  void serve() throws IOException {
    openToAll(directory);
    socket = directory.resolve("backend.sock");
    JsonElement backend = Samples.json(Samples.BACKEND);
    JsonElement paused =
        Samples.json(
            """
            {"name": "web-1", "intent": "paused", "loadBalancers": [
              {"address": "10.0.0.2", "port": 1338, "confirmed": true, "answer": "PAUSED"}]}
            """);
    server =
        new ControlServer(
            socket,
            Map.of(
                "status",
                (params, peer) -> backend,
                "health",
                (params, peer) -> backend,
                "pause",
                (params, peer) -> paused,
                "resume",
                (params, peer) -> {
                  throw new ControlException(ControlException.REFUSED, "web-1 is already active");
                }));
    server.start();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private static void openToAll(Path path) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Outcome run(Path launcher, String... args) throws Exception {
    return run(List.of(), launcher, args);
  }

  private Outcome run(List<String> prefix, Path launcher, String... args) throws Exception {
    List<String> command = new ArrayList<>(prefix);
    command.add(launcher.toString());
    command.addAll(List.of(args));
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    int exitCode = builder.start().waitFor();
    return new Outcome(exitCode, Files.readString(out), Files.readString(err));
  }

  /** What a package makes of it: the launchers in one directory, the jar in another. */
  private Path install() throws IOException {
    Path bin = Files.createDirectories(directory.resolve("usr/bin"));
    Path share = Files.createDirectories(directory.resolve("usr/share/caplance"));
    for (String name : List.of("caplance", "caplancectl")) {
      openToAll(Files.copy(LAUNCHER.resolveSibling(name), bin.resolve(name)));
    }
    openToAll(Files.copy(JAR, share.resolve("caplancectl.jar")));
    for (Path path : List.of(bin, share, share.getParent(), bin.getParent())) {
      openToAll(path);
    }
    return bin.resolve("caplancectl");
  }

  @Test
  void runsFromACheckout() throws Exception {
    assertThat(run(LAUNCHER, "pause", "--socket", socket.toString()))
        .isEqualTo(new Outcome(0, "web-1 is paused on 10.0.0.2\n", ""));
  }

  @Test
  void runsWhereItIsInstalledAndThroughLinks() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("a link"), install());

    Outcome outcome = run(link, "status", "--socket", socket.toString());

    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.exitCode()).isZero();
    assertThat(outcome.out()).startsWith("web-1               active, healthy\n10.0.0.2   ");
  }

  @Test
  void printsOneLineOfJson() throws Exception {
    Outcome outcome = run(LAUNCHER, "--json", "health", "--socket", socket.toString());

    assertThat(outcome)
        .isEqualTo(new Outcome(0, Samples.json(Samples.BACKEND).toString() + "\n", ""));
  }

  @Test
  void endsWithOneWhenTheDaemonRefuses() throws Exception {
    assertThat(run(LAUNCHER, "resume", "--socket", socket.toString()))
        .isEqualTo(new Outcome(1, "", "caplancectl: web-1 is already active\n"));
  }

  @Test
  void endsWithTwoWhenTheCommandLineIsWrong() throws Exception {
    Outcome outcome = run(LAUNCHER, "status", "--colour");

    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err()).contains("--colour", "Try 'caplancectl status --help' for help.");
  }

  @Test
  void endsWith69WhenThereIsNoDaemon() throws Exception {
    server.close();

    assertThat(run(LAUNCHER, "status", "--socket", socket.toString()))
        .isEqualTo(
            new Outcome(
                69, "", "caplancectl: no daemon is running here: " + socket + " does not exist\n"));
  }

  @Test
  void endsWith77WhenTheUserMayNotConnect() throws Exception {
    Path launcher = install();
    List<String> asAnother = becomeAnotherUserOr("---------", socket);

    Outcome outcome = run(asAnother, launcher, "status", "--socket", socket.toString());

    assertThat(outcome)
        .isEqualTo(
            new Outcome(
                77,
                "",
                "caplancectl: no permission to connect to "
                    + socket
                    + "; root and members of its group may\n"));
  }

  @Test
  void endsWith77WhenTheUserMayNotEvenLook() throws Exception {
    Path launcher = install();
    Path closed = Files.createDirectory(directory.resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    List<String> asAnother = becomeAnotherUserOr("---------", closed);

    Outcome outcome = run(asAnother, launcher, "status", "--socket", closed + "/backend.sock");

    assertThat(outcome.exitCode()).isEqualTo(77);
    assertThat(outcome.out()).isEmpty();
  }

  /** Root may do anything, so root becomes somebody else; anybody else shuts the path. */
  private static List<String> becomeAnotherUserOr(String mode, Path path) throws IOException {
    if (System.getProperty("user.name").equals("root")) {
      return List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups");
    }
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    return List.of();
  }

  @Test
  void saysWhenThereIsNoJava() throws Exception {
    Outcome outcome = run(List.of("env", "JAVA_HOME=" + directory), LAUNCHER, "status");

    assertThat(outcome.exitCode()).isEqualTo(127);
    assertThat(outcome.err())
        .isEqualTo(
            "caplancectl: there is no Java in JAVA_HOME="
                + directory
                + "; Java 17 or newer is needed\n");
  }

  @Test
  void saysWhenJavaIsTooOld() throws Exception {
    Path java = Files.createDirectories(directory.resolve("jdk/bin")).resolve("java");
    openToAll(Files.writeString(java, "#!/bin/sh\necho must not be started >&2\nexit 1\n"));
    Files.writeString(directory.resolve("jdk/release"), "JAVA_VERSION=\"1.8.0_392\"\n");

    Outcome outcome =
        run(List.of("env", "JAVA_HOME=" + directory.resolve("jdk")), LAUNCHER, "status");

    assertThat(outcome)
        .isEqualTo(
            new Outcome(
                126, "", "caplancectl: " + java + " is Java 1.8.0_392; 17 or newer is needed\n"));
  }

  @Test
  void knowsItsVersion() throws Exception {
    Outcome outcome = run(LAUNCHER, "--version");

    assertThat(outcome.exitCode()).isZero();
    assertThat(outcome.out()).matches("caplancectl [0-9]+\\.[0-9]+\\.[0-9]+\\S*\n");
  }

  @Test
  void theJarHoldsTheClientAndNothingNative() throws IOException {
    try (JarFile jar = new JarFile(JAR.toFile())) {
      assertThat(jar.stream().filter(entry -> !entry.isDirectory()))
          .extracting(entry -> entry.getName())
          .contains("META-INF/LICENSE", "META-INF/NOTICE")
          .allMatch(
              name ->
                  name.matches(
                      "(META-INF/([A-Z.]+|maven/.*)|dev/caplance/(ctl|control|status|config)/.*"
                          + "|picocli/.*|com/google/gson/.*)"))
          .noneMatch(name -> name.contains("ControlServer") || name.endsWith(".so"));
    }
  }
}
