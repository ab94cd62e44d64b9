package dev.caplance.host;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SystemdNotifierTest {

  private static final long PID = 4711;

  @TempDir private Path directory;

  private static SystemdNotifier notifier(String socket) {
    return new SystemdNotifier(Map.of("NOTIFY_SOCKET", socket), PID);
  }

  private static String receive(UnixDatagramChannel systemd) throws IOException {
    ByteBuffer message = ByteBuffer.allocate(4096);
    systemd.receive(message);
    return new String(message.array(), 0, message.position(), UTF_8);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @Timeout(60)
  void tellsSystemdHowItIs(boolean isAbstract) throws IOException {
    String name = isAbstract ? "caplance-test-" + PID + "-" + System.nanoTime() : directory + "/s";
    try (UnixDatagramChannel systemd = UnixDatagramChannel.open()) {
      systemd.bind(new UnixSocketAddress(isAbstract ? "\0" + name : name));
      SystemdNotifier notifier = notifier(isAbstract ? "@" + name : name);
      notifier.ready("2 services");
      assertThat(receive(systemd)).isEqualTo("READY=1\nSTATUS=2 services");
      notifier.status("3 backends\nREADY=1");
      assertThat(receive(systemd)).isEqualTo("STATUS=3 backends READY=1");
      notifier.alive();
      assertThat(receive(systemd)).isEqualTo("WATCHDOG=1");
      notifier.stopping("asked to stop");
      assertThat(receive(systemd)).isEqualTo("STOPPING=1\nSTATUS=asked to stop");
    }
  }

  @Test
  void aSystemdThatDoesNotListenStopsNothing() {
    notifier(directory + "/nobody").ready("fit");
    notifier("vsock:2:1").ready("fit");
    new SystemdNotifier(Map.of(), PID).ready("fit");
    notifier("").ready("fit");
  }

  @ParameterizedTest
  @CsvSource({
    "30000000, 4711, PT30S",
    "30000000, , PT30S",
    "30000000, 1, ",
    "0, 4711, ",
    "soon, 4711, ",
    ", 4711, "
  })
  void knowsTheWatchdogThatIsMeantForThisProcess(String micros, String pid, Duration timeout) {
    Map<String, String> environment = new HashMap<>();
    if (micros != null) {
      environment.put("WATCHDOG_USEC", micros);
    }
    if (pid != null) {
      environment.put("WATCHDOG_PID", pid);
    }
    assertThat(new SystemdNotifier(environment, PID).watchdogTimeout().orElse(null))
        .isEqualTo(timeout);
  }
}
