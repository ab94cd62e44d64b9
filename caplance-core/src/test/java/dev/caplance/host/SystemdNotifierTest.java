package dev.caplance.host;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.CapturedLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SystemdNotifierTest {

  @TempDir private Path directory;

  private static SystemdNotifier notifier(String socket) {
    return new SystemdNotifier(Map.of("NOTIFY_SOCKET", socket));
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
    String name = isAbstract ? "caplance-test-" + System.nanoTime() : directory + "/s";
    try (UnixDatagramChannel systemd = UnixDatagramChannel.open()) {
      systemd.bind(new UnixSocketAddress(isAbstract ? "\0" + name : name));
      SystemdNotifier notifier = notifier(isAbstract ? "@" + name : name);
      notifier.ready("2 services");
      assertThat(receive(systemd)).isEqualTo("READY=1\nSTATUS=2 services");
      notifier.stopping("asked to\nREADY=1");
      assertThat(receive(systemd)).isEqualTo("STOPPING=1\nSTATUS=asked to READY=1");
    }
  }

  @Test
  void aSystemdThatDoesNotListenIsReportedAndHarmless() {
    try (CapturedLog log = new CapturedLog(SystemdNotifier.class)) {
      notifier(directory + "/nobody").ready("ready");
      notifier("vsock:2:1").ready("ready");
      assertThat(log.lines())
          .hasSize(2)
          .allMatch(line -> line.startsWith("WARN cannot report to systemd at "));
    }
  }

  @Test
  void nothingIsSentWithoutASocket() {
    try (CapturedLog log = new CapturedLog(SystemdNotifier.class)) {
      new SystemdNotifier(Map.of()).ready("ready");
      notifier("").ready("ready");
      assertThat(log.lines()).isEmpty();
    }
  }
}
