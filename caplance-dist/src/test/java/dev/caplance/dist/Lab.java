package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.security.auth.module.UnixSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The lab of {@code scripts/lab.sh}, brought up once for all tests of this virtual machine and
 * taken down at its end.
 */
final class Lab {

  static final String VIP = "10.77.0.50";
  static final String VIP6 = "fd77::50";
  static final Path ROOT = Path.of(System.getProperty("caplance.root"));

  private static final Path STATE = Path.of("/run/caplance-lab");
  private static final long LONGEST_COMMAND_MINUTES = 8;

  /** Gives a command a /run and a network of its own, and lists what it leaves in /run. */
  private static final String ALONE =
      """
      mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir /run/lock && ip link set lo up &&
      "$@"; status=$?; ls /run; exit $status
      """;

  private static Lab instance;

  /** How a command ended and what it wrote. */
  record Result(int exit, String out, String err) {

    Result succeeded() {
      assertThat(exit).as("exit code; standard error: %s", err).isZero();
      return this;
    }
  }

  private Lab() {
    assertThat(new UnixSystem().getUid())
        .as("the end-to-end tests need root: they make network namespaces and bind NFQUEUE")
        .isZero();
    run(script("lab.sh"), "up").succeeded();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> run(script("lab.sh"), "down")));
  }

  /** The lab, brought up at the first call. */
  static synchronized Lab up() {
    if (instance == null) {
      instance = new Lab();
    }
    return instance;
  }

  /** A program of {@code scripts/}. */
  static String script(String name) {
    return ROOT.resolve("scripts").resolve(name).toString();
  }

  /** What a host sees as {@code /run/caplance}, {@code etc}, {@code lib} or {@code log}. */
  static Path directory(String host, String name) {
    return STATE.resolve(host).resolve(name);
  }

  /** The command line that runs a command on a host. */
  static List<String> on(String host, String... command) {
    List<String> line = new ArrayList<>(List.of(script("lab.sh"), "exec", host));
    line.addAll(List.of(command));
    return line;
  }

  /** Runs a command on a host and waits for its end. */
  Result exec(String host, String... command) {
    return run(on(host, command).toArray(String[]::new));
  }

  /** Sets the MTU of the links between load balancers and backends, in bytes; 1500 at first. */
  void dataPathMtu(int bytes) {
    run(script("lab.sh"), "mtu", Integer.toString(bytes)).succeeded();
  }

  /** The sum of some of the kernel's counters on a host, by the names that nstat(8) has. */
  long counters(String host, String... names) {
    List<String> nstat = new ArrayList<>(List.of("nstat", "-asz"));
    nstat.addAll(List.of(names));
    return exec(host, nstat.toArray(String[]::new))
        .succeeded()
        .out()
        .lines()
        .filter(line -> !line.startsWith("#"))
        .mapToLong(line -> Long.parseLong(line.split(" +")[1]))
        .sum();
  }

  /** Ends nginx on a host at once. */
  void stopNginx(String host) {
    Path directory = directory(host, "nginx");
    exec(host, "nginx", "-c", directory.resolve("nginx.conf").toString(), "-s", "stop").succeeded();
    await("end of nginx").until(() -> !Files.exists(directory.resolve("pid")));
  }

  /** Starts nginx where it does not run. */
  void startNginx() {
    run(script("lab.sh"), "up").succeeded();
  }

  /** Starts a program on a host and waits until it has written a line. */
  Process start(String host, Class<?> main, String... arguments) {
    try {
      Process process =
          new ProcessBuilder(on(host, java(main, arguments)))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      assertThat(process.inputReader().readLine()).as("first line of %s", main).isNotNull();
      return process;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A class of these tests that has a {@code main}, as a command. */
  static String[] java(Class<?> main, String... arguments) {
    List<String> line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
    line.addAll(List.of(arguments));
    return line.toArray(String[]::new);
  }

  /**
   * Runs a program of {@code scripts/} that has a lab of its own, and waits for its end. Last in
   * its output are the names that it leaves in {@code /run}.
   */
  static Result runAlone(String script, String... arguments) {
    List<String> line = new ArrayList<>(List.of("unshare", "-n", "-m", "--", "sh", "-c", ALONE));
    line.addAll(List.of("sh", "env", "-u", "CAPLANCE_LAB_OWNER", script(script)));
    line.addAll(List.of(arguments));
    return run(line.toArray(String[]::new));
  }

  /** Runs a command outside of the lab and waits for its end. */
  static Result run(String... command) {
    try {
      Path out = Files.createTempFile("caplance-out", null);
      Path err = Files.createTempFile("caplance-err", null);
      try {
        Process process =
            new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        if (!process.waitFor(LONGEST_COMMAND_MINUTES, TimeUnit.MINUTES)) {
          process.destroyForcibly();
          throw new AssertionError(String.join(" ", command) + " does not end");
        }
        return new Result(
            process.exitValue(), Files.readString(out, UTF_8), Files.readString(err, UTF_8));
      } finally {
        Files.delete(out);
        Files.delete(err);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
