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
 * Runs the system's own programs ({@code ip}, {@code iptables-nft-restore}, …) and waits for their
 * end, but not for ever. Any thread may call.
 */
public final class CommandRunner {

  private static final Logger LOG = LoggerFactory.getLogger(CommandRunner.class);

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Where these programs are, whether or not the PATH of the user says so. */
  private static final List<String> SYSTEM_DIRECTORIES = List.of("/usr/sbin", "/sbin", "/usr/bin");

  private static final Map<String, String> DEBIAN_PACKAGES =
      Map.of(
          "ip", "iproute2",
          "ss", "iproute2",
          "iptables-nft-save", "iptables",
          "iptables-nft-restore", "iptables",
          "ip6tables-nft-save", "iptables",
          "ip6tables-nft-restore", "iptables");

  private final List<String> prefix;
  private final Duration patience;

  /** Runs programs as they are. */
  public CommandRunner() {
    this(List.of(), PATIENCE);
  }

  /**
   * Runs programs behind a prefix, such as {@code ip netns exec NAME}.
   *
   * @param patience how long a program may take
   */
  public CommandRunner(List<String> prefix, Duration patience) {
    this.prefix = List.copyOf(prefix);
    this.patience = patience;
  }

  /**
   * Runs a program.
   *
   * @param command its name and arguments
   * @return what it wrote to its standard output
   * @throws CommandException when it is missing, took too long, or ended with anything but 0
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
      start(() -> write(process.getOutputStream(), input));
      if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new CommandException(
            "'" + shown + "' did not end within " + patience.toMillis() + " ms");
      }
      String problem = get(errors);
      if (process.exitValue() != 0) {
        throw new CommandException(
            "'" + shown + "' failed: " + explain(problem, process.exitValue()));
      }
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

  /** Whether this machine has a program. */
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
    start(task);
    return task;
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "command-io");
    thread.setDaemon(true);
    thread.start();
  }

  /** Bounded as well, since a child of the program may hold its output open. */
  private String get(FutureTask<String> text) throws IOException, InterruptedException {
    try {
      return text.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new CommandException("cannot read the output of a program: " + e, e);
    }
  }

  private static String read(InputStream in) throws IOException {
    return new String(in.readAllBytes(), UTF_8);
  }

  private static void write(OutputStream out, String text) {
    try (out) {
      out.write(text.getBytes(UTF_8));
    } catch (IOException e) {
      LOG.debug("a program did not read its input; its exit code says why", e);
    }
  }
}
