package dev.caplance.session;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TcpListenerTest {

  private final List<SocketChannel> accepted = new ArrayList<>();

  @Test
  void handsOverEveryConnection() throws IOException {
    try (LoopDriver driver = new LoopDriver()) {
      TcpListener listener = TcpListener.open(driver.loop, anyPort(), accepted::add);
      List<Socket> clients = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        clients.add(connect(listener));
      }
      driver.turnUntil(() -> accepted.size() == clients.size());
      assertThat(accepted)
          .extracting(channel -> channel.socket().getPort())
          .containsExactlyInAnyOrderElementsOf(clients.stream().map(Socket::getLocalPort).toList());
      closeAll(clients);
    }
  }

  @Test
  void aConnectionThatCannotBeTakenOverCostsOnlyItself() throws IOException {
    try (LoopDriver driver = new LoopDriver()) {
      TcpListener listener =
          TcpListener.open(
              driver.loop,
              anyPort(),
              channel -> {
                accepted.add(channel);
                if (accepted.size() == 1) {
                  throw new IllegalStateException("a bug");
                }
              });
      try (Socket first = connect(listener);
          Socket second = connect(listener)) {
        driver.turnUntil(() -> accepted.size() == 2);
        assertThat(accepted.get(0).isOpen()).isFalse();
        assertThat(accepted.get(1).isOpen()).isTrue();
        assertThat(first.isConnected() && second.isConnected()).isTrue();
      }
    }
  }

  @Test
  void anIpv4AddressIsNotEveryIpv6AddressToo() throws IOException {
    try (LoopDriver driver = new LoopDriver()) {
      InetSocketAddress any = new InetSocketAddress(IpAddresses.parse("0.0.0.0"), 0);
      TcpListener listener = TcpListener.open(driver.loop, any, accepted::add);
      assertThat(listener.address().getAddress()).isEqualTo(any.getAddress());
    }
  }

  @Test
  void anAddressThatIsTakenIsAnError() throws IOException {
    try (LoopDriver driver = new LoopDriver()) {
      TcpListener listener = TcpListener.open(driver.loop, anyPort(), accepted::add);
      assertThatThrownBy(() -> TcpListener.open(driver.loop, listener.address(), accepted::add))
          .isInstanceOf(BindException.class);
    }
  }

  /** In a process of its own, which may open only a few files. */
  @Test
  void withoutFileDescriptorsItWaitsInsteadOfSpinning() throws Exception {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "ulimit -n 64 && exec \"$0\" \"$@\"",
                java.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                NoFileDescriptors.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), US_ASCII);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    assertThat(output)
        .as("one warning for all the attempts")
        .containsOnlyOnce("they have to wait: Too many open files");
  }

  private static Socket connect(TcpListener listener) throws IOException {
    return new Socket(listener.address().getAddress(), listener.address().getPort());
  }

  private static void closeAll(List<Socket> sockets) throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private static InetSocketAddress anyPort() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }
}
