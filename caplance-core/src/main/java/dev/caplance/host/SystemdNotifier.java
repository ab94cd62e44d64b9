package dev.caplance.host;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caplance.linux.UnixDatagram;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports the daemon's state to systemd (sd_notify(3)). Does nothing if systemd did not ask for it,
 * and never fails: a daemon that cannot report still works. Any thread may call.
 */
public final class SystemdNotifier {

  private static final Logger LOG = LoggerFactory.getLogger(SystemdNotifier.class);

  private final Optional<String> socket;

  /** A notifier for the socket that this process's environment names, if any. */
  public SystemdNotifier() {
    this(System.getenv());
  }

  SystemdNotifier(Map<String, String> environment) {
    this.socket = Optional.ofNullable(environment.get("NOTIFY_SOCKET")).filter(s -> !s.isEmpty());
  }

  /**
   * The daemon is ready.
   *
   * @param status one line for {@code systemctl status}
   */
  public void ready(String status) {
    send("READY=1\n" + statusLine(status));
  }

  /** The daemon goes on, and this is how. */
  public void status(String status) {
    send(statusLine(status));
  }

  /** The daemon is stopping. */
  public void stopping(String status) {
    send("STOPPING=1\n" + statusLine(status));
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
