package dev.caplance.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class FreePortTest {

  private static final InetAddress HERE = InetAddress.getLoopbackAddress();

  @Test
  void aTcpPortThatIsTaken() throws IOException {
    FreePort port;
    try (ServerSocket taken = new ServerSocket(0, 1, HERE)) {
      port = new FreePort("tcp", new InetSocketAddress(HERE, taken.getLocalPort()), "session.port");
      assertThat(port.findings())
          .extracting(Finding::what)
          .containsExactly("TCP port " + taken.getLocalPort() + " is already in use");
    }
    assertThat(port.findings()).isEmpty();
  }

  @Test
  void aUdpPortThatIsTaken() throws IOException {
    FreePort port;
    try (DatagramSocket taken = new DatagramSocket(0, HERE)) {
      port = new FreePort("udp", new InetSocketAddress(HERE, taken.getLocalPort()), "dataPort");
      assertThat(port.findings())
          .extracting(Finding::remedy)
          .asString()
          .contains("ss -Hlpun sport");
    }
    assertThat(port.findings()).isEmpty();
  }
}
