package dev.caplance.host;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs programs of the system ({@code ip}, {@code iptables-nft-restore}, …) and waits until they
 * end, with a timeout. Any thread may call.
 */
public final class CommandRunner {

  private static final Logger LOG = LoggerFactory.getLogger(CommandRunner.class);

  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  /** Where these programs are, even if they are not in the user's PATH. */
  private static final List<String> SYSTEM_DIRECTORIES = List.of("/usr/sbin", "/sbin", "/usr/bin");

  private static final Map<String, String> DEBIAN_PACKAGES =
      Map.of(
          "ip", "iproute2",
          "ss", "iproute2",
          "setsid", "util-linux",
          "iptables-nft-save", "iptables",
          "iptables-nft-restore", "iptables",
          "ip6tables-nft-save", "iptables",
          "ip6tables-nft-restore", "iptables");

  private final List<String> prefix;
  private final Duration timeout;

  /** Runs programs as they are. */
  public CommandRunner() {
    this(List.of(), TIMEOUT);
  }

  /**
   * Runs programs with a prefix such as {@code ip netns exec NAME}.
   *
   * @param timeout after which a program is killed
   */
  public CommandRunner(List<String> prefix, Duration timeout) {
    this.prefix = List.copyOf(prefix);
    this.timeout = timeout;
  }

  /**
   * Runs a program.
   *
   * @param command its name and arguments
   * @return what it wrote to its standard output
   * @throws CommandException when it is missing, took too long, or did not end with exit code 0
   * @throws InterruptedIOException when the thread was interrupted; the program was killed
   */
  public String run(String... command) throws IOException {
    return runWithInput("", command);
  }

  /** Runs a program like {@link #run}, with this text as its standard input. */
  public String runWithInput(String input, String... command) throws IOException {
    List<String> line = new ArrayList<>(prefix);
    line.addAll(List.of(command));
    String shown = String.join(" ", command);
    Process process = startProcess(line);
    try {
      FutureTask<String> output = inBackground(() -> read(process.getInputStream()));
      FutureTask<String> errors = inBackground(() -> read(process.getErrorStream()));
      FutureTask<Void> written = inBackground(() -> write(process.getOutputStream(), input));
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new CommandException(
            "'" + shown + "' did not end within " + timeout.toMillis() + " ms");
      }
      String problem = get(errors);
      if (process.exitValue() != 0) {
        throw new CommandException(
            "'" + shown + "' failed: " + explain(problem, process.exitValue()));
      }
      get(written);
      return get(output);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted during '" + shown + "'");
    } finally {
      process.destroyForcibly();
    }
  }

  private static Process startProcess(List<String> line) throws CommandException {
    List<String> located = new ArrayList<>(line);
    located.set(0, locate(line.get(0)));
    ProcessBuilder builder = new ProcessBuilder(located);
    builder.environment().put("LC_ALL", "C");
    try {
      return builder.start();
    } catch (IOException e) {
      throw new CommandException("cannot run " + located.get(0) + ": " + e.getMessage(), e);
    }
  }

  private static String locate(String program) throws CommandException {
    return find(program)
        .orElseThrow(
            () ->
                new CommandException(
                    "the program '" + program + "' is missing; install it: " + howToGet(program)))
        .toString();
  }

  private static Optional<Path> find(String program) {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.concat(Stream.of(path.split(File.pathSeparator)), SYSTEM_DIRECTORIES.stream())
        .filter(directory -> !directory.isEmpty())
        .map(directory -> Path.of(directory).resolve(program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Whether a program is installed. */
  public static boolean has(String program) {
    return find(program).isPresent();
  }

  /** The command that installs a program. */
  public static String howToGet(String program) {
    return "apt install " + DEBIAN_PACKAGES.getOrDefault(program, program);
  }

  private static String explain(String problem, int exitValue) {
    String text =
        problem.isBlank()
            ? "exit code " + exitValue
            : problem.strip().replaceAll(":\\s*\n\\s*", ": ").replaceAll("\\s*\n\\s*", "; ");
    boolean forbidden =
        problem.contains("Operation not permitted") || problem.contains("Permission denied");
    return forbidden ? text + " (needs root, or the capability CAP_NET_ADMIN)" : text;
  }

  private static <T> FutureTask<T> inBackground(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread thread = new Thread(task, "command-io");
    thread.setDaemon(true);
    thread.start();
    return task;
  }

  /** With a timeout as well, since a child of the program may hold a stream open. */
  private <T> T get(FutureTask<T> task) throws IOException, InterruptedException {
    try {
      return task.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new CommandException("cannot exchange data with a program: " + e, e);
    }
  }

  private static String read(InputStream in) throws IOException {
    return new String(in.readAllBytes(), UTF_8);
  }

  private static Void write(OutputStream out, String text) {
    try (out) {
      out.write(text.getBytes(UTF_8));
    } catch (IOException e) {
      LOG.debug("a program did not read its input; its exit code tells why", e);
    }
    return null;
  }
}
