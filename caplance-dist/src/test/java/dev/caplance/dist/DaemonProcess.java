package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonObject;
import dev.caplance.control.ControlClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A real daemon from the real jar, on a host of the lab. */
final class DaemonProcess implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final String host;
  private final Path socket;
  private final Path log;
  private final Process process;

  private DaemonProcess(
      String launcher, String host, String kind, Map<String, String> environment) {
    this.host = host;
    this.socket = Lab.directory(host, "run").resolve(kind + ".sock");
    this.log = Lab.ROOT.resolve("caplance-dist/target/e2e-" + host + "-" + kind + ".log");
    // A process that ignores a signal from its start, as under nohup, never hears of it.
    ProcessBuilder builder =
        new ProcessBuilder(Lab.on(host, "env", "--default-signal=HUP", launcher, kind))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(environment);
    try {
      this.process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts {@code caplance lb} and waits until it serves. */
  static DaemonProcess loadBalancer(String host) {
    return loadBalancer(Lab.script("caplance"), host);
  }

  /** The same with another build, by its {@code scripts/caplance}. */
  static DaemonProcess loadBalancer(String launcher, String host) {
    return new DaemonProcess(launcher, host, "lb", Map.of()).awaitServing();
  }

  /** Starts {@code caplance backend} of a build and waits until it serves. */
  static DaemonProcess backend(String launcher, String host) {
    return new DaemonProcess(launcher, host, "backend", Map.of()).awaitServing();
  }

  /** Starts {@code lb} or {@code backend} with this in its environment, and does not wait. */
  static DaemonProcess start(String host, String kind, Map<String, String> environment) {
    return new DaemonProcess(Lab.script("caplance"), host, kind, environment);
  }

  /** Waits until its control socket answers; one that never does is ended. */
  DaemonProcess awaitServing() {
    try {
      await(host + " serves")
          .atMost(PATIENCE)
          .until(
              () -> {
                assertThat(process.isAlive())
                    .as("the daemon on %s lives; see %s", host, log)
                    .isTrue();
                return answers();
              });
      return this;
    } catch (RuntimeException | AssertionError e) {
      process.destroyForcibly();
      throw e;
    }
  }

  private boolean answers() {
    try {
      status();
      return true;
    } catch (AssertionError e) {
      return false;
    }
  }

  String host() {
    return host;
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** The result of the control method {@code status}. */
  JsonObject status() {
    return call("status");
  }

  JsonObject call(String method) {
    try (ControlClient client = ControlClient.connect(socket, PATIENCE)) {
      return client.call(method, new JsonObject(), Duration.ofSeconds(20)).getAsJsonObject();
    } catch (Exception e) {
      throw new AssertionError(host + ": " + method + " failed: " + e.getMessage(), e);
    }
  }

  /** What it has logged, this run and the ones before on this host. */
  String log() {
    try {
      return Files.readString(log, UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends a signal, by its name. */
  void signal(String name) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Asks it to end, and gives its exit code. */
  int stop() {
    signal("TERM");
    return awaitEnd();
  }

  /** Ends it without warning. */
  void kill() {
    signal("KILL");
    awaitEnd();
  }

  /** Waits until it has ended, and gives its exit code. */
  int awaitEnd() {
    try {
      assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
          .as("%s ends; see %s", host, log)
          .isTrue();
      return process.exitValue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Ends it if it still runs. */
  @Override
  public void close() {
    if (process.isAlive()) {
      signal("CONT");
      stop();
    }
  }
}
