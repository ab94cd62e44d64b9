package dev.caplance.dist;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The daemons as a service manager sees them: what they report to systemd (sd_notify(3)), where
 * they unpack their libraries, how they end.
 */
class ServiceManagerIT {

  private static Lab lab;

  @TempDir Path directory;

  @BeforeAll
  static void bringUpTheLab() {
    lab = Lab.up();
  }

  /** The socket on which systemd hears its services. */
  private static final class NotifySocket implements AutoCloseable {

    private static final byte[] FILLING = "FILLING=1".getBytes(UTF_8);

    private final UnixSocketAddress address;
    private final UnixDatagramChannel channel;

    NotifySocket(Path path) throws IOException {
      address = new UnixSocketAddress(path.toFile());
      channel = UnixDatagramChannel.open();
      channel.bind(address);
    }

    /** Fills the queue, so that whoever sends has to wait until {@link #receive} is called. */
    void fill() throws IOException {
      try (UnixDatagramChannel sender = UnixDatagramChannel.open()) {
        sender.configureBlocking(false);
        while (fits(sender)) {}
      }
    }

    private boolean fits(UnixDatagramChannel sender) {
      try {
        return sender.send(ByteBuffer.wrap(FILLING), address) > 0;
      } catch (IOException queueIsFull) {
        return false;
      }
    }

    /** The next message but for the filling. */
    String receive() throws IOException {
      String message;
      do {
        ByteBuffer bytes = ByteBuffer.allocate(4096);
        channel.receive(bytes);
        message = new String(bytes.array(), 0, bytes.position(), UTF_8);
      } while (message.equals(new String(FILLING, UTF_8)));
      return message;
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /** With its report of readiness held up, a daemon serves all the same: it had begun before. */
  @ParameterizedTest
  @CsvSource({
    "lb1, lb, 'balancing 10.77.0.50, backends register on port 1338'",
    "b1, backend, 'serving 10.77.0.50 as b1'"
  })
  @Timeout(180)
  void reportsReadyOnceItServesAndStoppingAtSigterm(String host, String kind, String status)
      throws IOException {
    Path socket = directory.resolve("notify");
    Map<String, String> environment = Map.of("NOTIFY_SOCKET", socket.toString());
    try (NotifySocket systemd = new NotifySocket(socket)) {
      systemd.fill();
      try (DaemonProcess daemon = DaemonProcess.start(host, kind, environment).awaitServing()) {
        assertThat(systemd.receive()).isEqualTo("READY=1\nSTATUS=" + status);
        daemon.signal("TERM");
        assertThat(systemd.receive()).isEqualTo("STOPPING=1\nSTATUS=stopping");
        assertThat(daemon.awaitEnd()).isZero();
      }
    }
  }

  /** A hardened unit lets them be mapped from there only. */
  @Test
  void nativeLibrariesAreUnpackedInTheCacheDirectory() throws IOException {
    Map<String, String> environment = Map.of("CACHE_DIRECTORY", directory.toString());
    try (DaemonProcess daemon = DaemonProcess.start("b1", "backend", environment).awaitServing()) {
      assertThat(Files.readString(Path.of("/proc/" + daemon.pid() + "/maps")))
          .contains(directory + "/jna", directory + "/jffi");
    }
  }

  @ParameterizedTest
  @CsvSource({"lb1, lb", "b1, backend"})
  void checksTheConfigurationThatIsShipped(String host, String kind) {
    String file = Lab.ROOT.resolve("config/" + kind + ".yaml").toString();
    Lab.Result checked = caplance(host, kind, "--config", file, "--check-config").succeeded();
    assertThat(checked.out()).isEqualTo(file + " is valid\n");
    assertThat(checked.err()).isEmpty();
  }

  /** 78 is EX_CONFIG: the units do not restart a daemon that ends so. */
  @ParameterizedTest
  @ValueSource(strings = {"", "--check-config"})
  void namesEveryMistakeInTheLoadBalancersConfigurationAndEndsWith78(String option)
      throws IOException {
    Path file = directory.resolve("lb.yaml");
    Files.writeString(
        file,
        """
        services:
          - vip: 10.77.0.500
            colour: red
        queues: {count: 0}
        """);
    Lab.Result ended = caplance("lb1", "lb", "--config", file.toString(), option);
    assertThat(ended.exit()).isEqualTo(78);
    assertThat(ended.err().lines())
        .satisfiesExactly(
            line -> assertThat(line).startsWith(file + ":2:10: vip: '10.77.0.500' is not"),
            line -> assertThat(line).startsWith(file + ":3:5: unknown key 'colour'"),
            line -> assertThat(line).startsWith(file + ":4:17: count: '0' is not"));
    assertThat(ended.out()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "--check-config"})
  void namesEveryMistakeInTheBackendsConfigurationAndEndsWith78(String option) throws IOException {
    Path file = directory.resolve("backend.yaml");
    Files.writeString(
        file,
        """
        address: 10.77.0.11
        vips: [10.77.0.50, 10.77.0.50]
        loadBalancer:
          - {address: 10.77.0.2}
        healthInterval: 5 apples
        """);
    Lab.Result ended = caplance("b1", "backend", "--config", file.toString(), option);
    assertThat(ended.exit()).isEqualTo(78);
    assertThat(ended.err().lines())
        .satisfiesExactly(
            line -> assertThat(line).startsWith(file + ":1:1: 'loadBalancers' is missing"),
            line -> assertThat(line).startsWith(file + ":2:20: vips: 10.77.0.50 is listed twice"),
            line -> assertThat(line).startsWith(file + ":3:1: unknown key 'loadBalancer'"),
            line -> assertThat(line).startsWith(file + ":5:17: healthInterval: '5 apples' is not"));
    assertThat(ended.out()).isEmpty();
  }

  private static Lab.Result caplance(String host, String kind, String... options) {
    Stream<String> command =
        Stream.concat(
            Stream.of(Lab.script("caplance"), kind),
            Stream.of(options).filter(option -> !option.isEmpty()));
    return lab.exec(host, command.toArray(String[]::new));
  }
}
