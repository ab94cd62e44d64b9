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

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** How soon a program that is running gets to know that its time has become shorter. */
  private static final long LOOK_MILLIS = 200;

  /** Where these programs are, even if they are not in the user's PATH. */
  private static final List<String> SYSTEM_DIRECTORIES = List.of("/usr/sbin", "/sbin", "/usr/bin");

  private static final Map<String, String> DEBIAN_PACKAGES =
      Map.of(
          "ip", "iproute2",
          "ss", "iproute2",
          "ipset", "ipset",
          "setsid", "util-linux",
          "iptables-nft-save", "iptables",
          "iptables-nft-restore", "iptables",
          "ip6tables-nft-save", "iptables",
          "ip6tables-nft-restore", "iptables");

  private final List<String> prefix;
  private final Duration timeout;
  private volatile Limit limit = new Limit(Duration.ofDays(1), System.nanoTime(), false);

  /** What programs may take: each at most so long, and all until that time at the latest. */
  private record Limit(Duration each, long endNanos, boolean ends) {}

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
   * From now on, programs have less time, also those that are running: a stop has one deadline in
   * all, however many programs hang.
   *
   * @param each what one program may take at most
   * @param all when even the last one has to be done, from now
   */
  public void hurry(Duration each, Duration all) {
    limit = new Limit(each, System.nanoTime() + all.toNanos(), true);
  }

  /** The nanoseconds that a program which began at that time may still take. */
  private long left(long beganNanos) {
    Limit now = limit;
    long each = Math.min(timeout.toNanos(), now.each().toNanos());
    long left = beganNanos + each - System.nanoTime();
    return now.ends() ? Math.min(left, now.endNanos() - System.nanoTime()) : left;
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
    long began = System.nanoTime();
    if (left(began) <= 0) {
      throw new CommandException("there is no time left for '" + shown + "'");
    }
    Process process = startProcess(line);
    try {
      FutureTask<String> output = inBackground(() -> read(process.getInputStream()));
      FutureTask<String> errors = inBackground(() -> read(process.getErrorStream()));
      FutureTask<Void> written = inBackground(() -> write(process.getOutputStream(), input));
      if (!ends(process, began)) {
        throw new CommandException(
            "'"
                + shown
                + "' did not end within "
                + Math.min(timeout.toMillis(), limit.each().toMillis())
                + " ms");
      }
      String problem = get(errors, began);
      if (process.exitValue() != 0) {
        throw new CommandException(
            "'" + shown + "' failed: " + explain(problem, process.exitValue()));
      }
      get(written, began);
      return get(output, began);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted during '" + shown + "'");
    } finally {
      process.destroyForcibly();
    }
  }

  private boolean ends(Process process, long beganNanos) throws InterruptedException {
    long left = left(beganNanos);
    while (left > 0) {
      if (process.waitFor(
          Math.min(left, TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS)), TimeUnit.NANOSECONDS)) {
        return true;
      }
      left = left(beganNanos);
    }
    return false;
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
  private <T> T get(FutureTask<T> task, long beganNanos) throws IOException, InterruptedException {
    try {
      return task.get(left(beganNanos), TimeUnit.NANOSECONDS);
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
