package dev.caplance.host;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caplance.linux.UnixDatagram;
import java.io.IOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells systemd how the daemon is (sd_notify(3)). Does nothing when systemd did not ask for it, and
 * never fails: a daemon that cannot report still works. Any thread may call.
 */
public final class SystemdNotifier {

  private static final Logger LOG = LoggerFactory.getLogger(SystemdNotifier.class);

  private final Optional<String> socket;
  private final Optional<Duration> watchdog;

  /** Takes systemd's wishes from the environment of this process. */
  public SystemdNotifier() {
    this(System.getenv(), ProcessHandle.current().pid());
  }

  SystemdNotifier(Map<String, String> environment, long pid) {
    this.socket = Optional.ofNullable(environment.get("NOTIFY_SOCKET")).filter(s -> !s.isEmpty());
    this.watchdog = watchdogOf(environment, pid);
  }

  private static Optional<Duration> watchdogOf(Map<String, String> environment, long pid) {
    String forPid = environment.getOrDefault("WATCHDOG_PID", Long.toString(pid));
    String micros = environment.getOrDefault("WATCHDOG_USEC", "");
    if (!micros.matches("[1-9]\\d{0,17}") || !forPid.equals(Long.toString(pid))) {
      return Optional.empty();
    }
    return Optional.of(Duration.of(Long.parseLong(micros), ChronoUnit.MICROS));
  }

  /** The daemon does its work from now on. */
  public void ready(String status) {
    send("READY=1\n" + statusLine(status));
  }

  /** One line for {@code systemctl status}. */
  public void status(String status) {
    send(statusLine(status));
  }

  /** The daemon has begun to stop. */
  public void stopping(String status) {
    send("STOPPING=1\n" + statusLine(status));
  }

  /** The daemon is alive; to be sent well before {@link #watchdogTimeout} is over. */
  public void alive() {
    send("WATCHDOG=1");
  }

  /** After how much silence systemd kills the daemon; empty when it does not. */
  public Optional<Duration> watchdogTimeout() {
    return watchdog;
  }

  private static String statusLine(String status) {
    return "STATUS=" + status.replaceAll("\\R", " ");
  }

  private void send(String message) {
    if (socket.isEmpty()) {
      return;
    }
    try {
      UnixDatagram.send(socket.get(), message.getBytes(UTF_8));
    } catch (IOException e) {
      LOG.warn("cannot report to systemd at {}: {}", socket.get(), e.getMessage());
    }
  }
}
