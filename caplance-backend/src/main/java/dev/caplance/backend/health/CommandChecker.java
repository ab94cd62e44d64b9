package dev.caplance.backend.health;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caplance.linux.Signals;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Runs a program that exits with code 0 if the application works, and otherwise says why in its
 * first line of output. It gets a process group of its own, which is killed when it has ended or
 * the timeout has passed: the children that it leaves would pile up.
 */
final class CommandChecker implements Checker {

  private static final int MAX_KEPT = 200;
  private static final long POLL_MILLIS = 20;

  /** Of util-linux or busybox; becomes the program itself, as the leader of a new group. */
  private static final String GROUP_MAKER = "setsid";

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
    List<String> inGroup = new ArrayList<>(List.of(GROUP_MAKER));
    inGroup.addAll(line);
    try {
      process =
          new ProcessBuilder(inGroup)
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
        .map(CommandChecker::reason)
        .orElse(" ended with exit code " + code);
  }

  private static String reason(String line) {
    String unable = GROUP_MAKER + ": ";
    return line.startsWith(unable)
        ? " cannot be run: " + line.substring(unable.length())
        : ": " + line;
  }

  /** Children may have made groups of their own; those of a parent that has ended are not known. */
  private static void kill(Process process) {
    List<ProcessHandle> children = process.descendants().toList();
    Signals.killGroup(process.pid());
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
  }
}
