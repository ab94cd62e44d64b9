package dev.caplance.lb.registry;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import dev.caplance.session.EventLoop;
import dev.caplance.session.SanityDatagram;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Backends over real TCP and UDP on the loopback, byte for byte, with the registry's own thread.
 */
class LoopbackSessionsTest {

  @TempDir private Path directory;

  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final RegistrySettings SETTINGS =
      new RegistrySettings(
          Duration.ofSeconds(60),
          Duration.ofSeconds(60),
          Duration.ofSeconds(2),
          100,
          100,
          List.of(
              new ServiceSpec(
                  "web",
                  IpAddresses.parse("10.0.0.50"),
                  Ports.ALL,
                  true,
                  ServiceSpec.WhenAllUnhealthy.FORWARD,
                  ServiceSpec.WhenEmpty.REJECT,
                  ServiceSpec.OtherTraffic.HOST)));

  private final List<List<BackendView>> published = new CopyOnWriteArrayList<>();
  private final AtomicInteger sanitySent = new AtomicInteger();
  private final List<Client> clients = new ArrayList<>();
  private BackendRegistry registry;
  private int dataPort;
  private boolean stopped;

  /** Takes the loopback for a network, which the real one rightly does not. */
  private final class LoopbackDataPath implements DataPath {
    @Override
    public Route routeTo(InetAddress dataAddress, Set<InetAddress> vips) {
      return new Route(LOOPBACK, 1500);
    }

    @Override
    public int mtu(InetAddress dataAddress) {
      return 1500;
    }

    @Override
    public boolean probe(Target target, String token, boolean padded) {
      return false;
    }

    @Override
    public void send(InetAddress dataAddress, SanityDatagram datagram) {
      new UdpDataPath(dataPort, this::probe).send(dataAddress, datagram);
      sanitySent.incrementAndGet();
    }
  }

  /** A program at the other end that knows nothing but bytes. */
  private final class Client {
    final Socket socket;
    final BufferedReader reader;

    Client() throws IOException {
      socket = new Socket(LOOPBACK, registry.address().getPort());
      socket.setSoTimeout((int) PATIENCE.toMillis());
      reader = new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII));
      clients.add(this);
    }

    void send(String bytes) throws IOException {
      socket.getOutputStream().write(bytes.getBytes(US_ASCII));
    }

    String hear() throws IOException {
      return reader.readLine();
    }
  }

  @BeforeEach
  void start() throws IOException {
    try (DatagramSocket free = new DatagramSocket(0, LOOPBACK)) {
      dataPort = free.getLocalPort();
    }
    registry =
        new BackendRegistry(
            new InetSocketAddress(LOOPBACK, 0),
            dataPort,
            directory.resolve("backends"),
            (backends, complete) -> published.add(backends),
            new LoopbackDataPath(),
            new EventLoop("registry", System::nanoTime),
            InstantSource.system());
    registry.apply(SETTINGS);
    registry.listen();
    registry.start(failure -> {});
  }

  @AfterEach
  void stop() throws IOException {
    if (!stopped) {
      registry.stop();
    }
    for (Client client : clients) {
      client.socket.close();
    }
  }

  /** It opens its port after REGISTER, says HEALTH 200, and knows PAUSE, RESUME, DEREGISTER. */
  @Test
  void aBackendOf2019() throws IOException {
    Client client = new Client();
    client.send("REGISTER web-1 127.0.0.1\n");
    await().atMost(PATIENCE).until(() -> sanitySent.get() > 0);
    try (DatagramSocket port = new DatagramSocket(dataPort)) {
      String sanity = receive(port);
      assertThat(sanity).matches("SANITY [0-9a-f]{32}");
      client.send("SANE " + sanity.substring("SANITY ".length()) + "\n");
      assertThat(client.hear()).isEqualTo("REGISTERED web-1 127.0.0.1 version=2 from=127.0.0.1");
      assertThat(published).isEmpty();
      client.send("HEALTH 200\n");
      assertThat(client.hear()).isEqualTo("HEALTHACK 200");
      assertThat(forwarding()).containsExactly("web-1");
      assertThat(published.get(0).get(0).legacy()).isTrue();
      client.send("PAUSE web-1\n");
      assertThat(client.hear()).isEqualTo("PAUSED web-1");
      assertThat(forwarding()).isEmpty();
      client.send("PAUSE web-1\n");
      assertThat(client.hear()).isEqualTo("INVALID backend already paused");
      client.send("HEALTH 200\n");
      assertThat(client.hear()).isEqualTo("HEALTHACK 200");
      client.send("RESUME web-1\n");
      assertThat(client.hear()).isEqualTo("RESUMED web-1");
      assertThat(forwarding()).containsExactly("web-1");
      client.send("DEREGISTER web-1\n");
      assertThat(client.hear()).isEqualTo("DEREGISTERED web-1 the backend asked for it");
      assertThat(client.hear()).isNull();
      assertThat(forwarding()).isEmpty();
    }
  }

  /** At SIGTERM it says DEREGISTER and closes at once, without reading the answer. */
  @Test
  void aBackendOf2019ThatIsStoppedWhilePaused() throws IOException {
    try (DatagramSocket port = new DatagramSocket(dataPort)) {
      Client staying = register("web-2", port);
      Client leaving = register("web-1", port);
      leaving.send("PAUSE web-1\n");
      assertThat(leaving.hear()).isEqualTo("PAUSED web-1");
      leaving.send("DEREGISTER web-1\n");
      leaving.socket.close();
      await().atMost(PATIENCE).until(() -> registered().equals(List.of("web-2")));
      assertThat(forwarding()).containsExactly("web-2");
      staying.send("HEALTH 200\n");
      assertThat(staying.hear()).isEqualTo("HEALTHACK 200");
    }
  }

  @Test
  void aBackendThatSaysEverythingAtOnceWithCarriageReturns() throws IOException {
    try (DatagramSocket port = new DatagramSocket(dataPort)) {
      Client client = new Client();
      client.send("REGISTER web-1 127.0.0.1 version=2 health=5s intent=paused mtu=1500\r\n");
      client.send(
          "SANE "
              + receive(port).substring("SANITY ".length())
              + "\r\nHEALTH 200\r\nRESUME web-1\r\nDRAIN web-1\r\n");
      assertThat(client.hear()).isEqualTo("REGISTERED web-1 127.0.0.1 version=2 from=127.0.0.1");
      assertThat(client.hear()).isEqualTo("HEALTHACK 200");
      assertThat(client.hear()).isEqualTo("RESUMED web-1");
      assertThat(client.hear()).isEqualTo("DRAINING web-1");
    }
  }

  @Test
  void aBackendThatIsKilledGetsNoNewFlowsAtOnce() throws IOException {
    try (DatagramSocket port = new DatagramSocket(dataPort)) {
      Client killed = register("web-1", port);
      killed.socket.setSoLinger(true, 0); // the kernel sends a reset, as for a process that died
      killed.socket.close();
      await().atMost(PATIENCE).until(() -> forwarding().isEmpty());
    }
  }

  @Test
  void otherProtocolsGetAReason() throws IOException {
    Client tls = new Client();
    tls.socket.getOutputStream().write(new byte[] {0x16, 0x03, 0x01, 0x02, 0x00});
    assertThat(tls.hear())
        .isEqualTo("INVALID byte 0x16 is not printable ASCII; send lines of text that end in \\n");
    assertThat(tls.hear()).isNull();

    Client endless = new Client();
    endless.send("x".repeat(100_000));
    assertThat(endless.hear())
        .isEqualTo("INVALID the line is longer than 512 bytes; send shorter ones");

    Client http = new Client();
    http.send("GET / HTTP/1.1\r\nHost: lb\r\n\r\n");
    assertThat(http.hear()).startsWith("INVALID 'GET' is no command; known are REGISTER,");
    assertThat(http.hear()).isNull();
  }

  @Test
  void thousandsOfHalfOpenSessionsKeepNobodyOut() throws IOException {
    try (CapturedLog quiet = new CapturedLog();
        DatagramSocket port = new DatagramSocket(dataPort)) {
      Client before = register("web-1", port);
      for (int i = 0; i < 3000; i++) {
        Client silent = new Client();
        if (i % 3 == 0) {
          silent.send("REGISTER half-a-line");
        }
      }
      Client after = register("web-2", port);
      assertThat(forwarding()).containsExactly("web-1", "web-2");
      before.send("HEALTH 200\n");
      assertThat(before.hear()).isEqualTo("HEALTHACK 200");
      after.send("HEALTH 200\n");
      assertThat(after.hear()).isEqualTo("HEALTHACK 200");
      assertThat(quiet.lines()).hasSizeLessThan(200);
    }
  }

  @Test
  void allSessionsAreToldOfAStop() throws IOException {
    try (DatagramSocket port = new DatagramSocket(dataPort)) {
      Client first = register("web-1", port);
      Client second = register("web-2", port);
      Client nobody = new Client();
      nobody.send("SANE too-early\n");
      assertThat(nobody.hear()).startsWith("INVALID wrong token");
      int publishedBefore = published.size();

      registry.stop();
      stopped = true;
      assertThat(first.hear()).isEqualTo("DEREGISTERED web-1 load balancer is stopping");
      assertThat(first.hear()).isNull();
      assertThat(second.hear()).isEqualTo("DEREGISTERED web-2 load balancer is stopping");
      assertThat(nobody.hear()).isEqualTo("INVALID load balancer is stopping");
      assertThat(published).hasSize(publishedBefore);
      assertThatThrownBy(Client::new).isInstanceOf(IOException.class);
    }
  }

  @Test
  void anAddressThatIsInUseIsNamed() {
    int taken = registry.address().getPort();
    BackendRegistry second =
        new BackendRegistry(
            new InetSocketAddress(LOOPBACK, taken),
            dataPort,
            directory.resolve("backends"),
            (target, token, padded) -> false,
            (backends, complete) -> published.add(backends));
    assertThatThrownBy(second::listen)
        .isInstanceOf(IOException.class)
        .hasMessage("cannot listen on 127.0.0.1:" + taken + ": Address already in use");
    second.start(failure -> {});
    assertThatThrownBy(second::listen).as("by another thread").hasMessageContaining("in use");
    second.stop();
  }

  private Client register(String name, DatagramSocket port) throws IOException {
    Client client = new Client();
    String address = "127.0.0." + name.substring("web-".length());
    client.send("REGISTER " + name + " " + address + "\n");
    client.send("SANE " + receive(port).substring("SANITY ".length()) + "\n");
    assertThat(client.hear()).startsWith("REGISTERED " + name + " " + address);
    client.send("HEALTH 200\n");
    assertThat(client.hear()).isEqualTo("HEALTHACK 200");
    return client;
  }

  private static String receive(DatagramSocket port) throws IOException {
    port.setSoTimeout((int) PATIENCE.toMillis());
    DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
    port.receive(packet);
    return new String(packet.getData(), 0, packet.getLength(), US_ASCII);
  }

  private List<String> registered() {
    return registry.entries().join().stream().map(entry -> entry.backend().name()).toList();
  }

  private List<String> forwarding() {
    return published.isEmpty()
        ? List.of()
        : published.get(published.size() - 1).stream()
            .filter(BackendView::takesNewFlows)
            .map(BackendView::name)
            .toList();
  }
}
