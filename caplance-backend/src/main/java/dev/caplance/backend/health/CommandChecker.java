package dev.caplance.backend.health;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Runs a program that exits with code 0 if the application works, and otherwise says why in its
 * first line of output. After the timeout the program and its children are killed.
 */
final class CommandChecker implements Checker {

  private static final int MAX_KEPT = 200;
  private static final long POLL_MILLIS = 20;

  private final List<String> line;
  private final Duration timeout;

  CommandChecker(List<String> line, Duration timeout) {
    this.line = line;
    this.timeout = timeout;
  }

  @Override
  public Optional<String> attempt() throws InterruptedException {
    String name = "command " + line.get(0);
    Process process;
    try {
      process =
          new ProcessBuilder(line)
              .redirectInput(new File("/dev/null"))
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      return Optional.of(name + " cannot be run: " + e.getMessage());
    }
    try {
      ByteArrayOutputStream output = new ByteArrayOutputStream();
      if (!waitFor(process, output)) {
        return Optional.of(name + " did not end within " + timeout.toMillis() + " ms");
      }
      int code = process.exitValue();
      return code == 0 ? Optional.empty() : Optional.of(name + explain(code, output));
    } catch (IOException e) {
      return Optional.of(name + ": its output cannot be read: " + e.getMessage());
    } finally {
      kill(process);
    }
  }

  /**
   * Waits for the program to exit, and meanwhile reads only what is there: a blocking read would
   * wait for any child that holds the output open.
   */
  private boolean waitFor(Process process, ByteArrayOutputStream output)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    InputStream in = process.getInputStream();
    boolean ended = false;
    while (!ended && System.nanoTime() - deadline < 0) {
      ended = process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
      while (in.available() > 0) {
        byte[] piece = in.readNBytes(in.available());
        output.write(piece, 0, Math.min(piece.length, MAX_KEPT - output.size()));
      }
    }
    return ended;
  }

  private static String explain(int code, ByteArrayOutputStream output) {
    return output
        .toString(UTF_8)
        .lines()
        .map(String::strip)
        .filter(text -> !text.isEmpty())
        .findFirst()
        .map(text -> ": " + text)
        .orElse(" ended with exit code " + code);
  }

  private static void kill(Process process) {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
  }
}
