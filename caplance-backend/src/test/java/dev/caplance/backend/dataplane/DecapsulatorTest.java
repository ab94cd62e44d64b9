package dev.caplance.backend.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.LocalEntrance;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.Checksum;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounters;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Datagrams of a load balancer on loopback, for entrances that only count. */
class DecapsulatorTest {

  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress OWN = IpAddresses.parse("10.0.0.11");

  /** From port 40000 of 198.51.100.7 to port 80 of 10.0.0.50, SYN. */
  private static final String SYN =
      "450000280001400040060663c63364070a0000329c400050000000010000000050022000bee40000";

  private final FakeSink link = new FakeSink();
  private final FakeSink raw = new FakeSink();
  private final TrafficCounters counters = new TrafficCounters();
  private final BlockingQueue<String> probes = new LinkedBlockingQueue<>();
  private final BlockingQueue<Throwable> ends = new LinkedBlockingQueue<>();
  private DatagramSocket loadBalancer;
  private Decapsulator decapsulator;
  private int port;
  private volatile boolean failsOnProbes;

  private final ReceiveLoop.Owner owner =
      new ReceiveLoop.Owner() {
        @Override
        public void ended(Throwable cause) {
          ends.add(cause);
        }

        @Override
        public void failing(LinuxException cause) {}

        @Override
        public void recovered(String call, long failures) {}
      };

  @BeforeEach
  void start() throws IOException {
    loadBalancer = new DatagramSocket(0, LOOPBACK);
    LinuxSocket socket = LinuxSocket.udp(LOOPBACK, 0);
    socket.setReceiveTimeout(ReceiveLoop.RECEIVE_TIMEOUT_MILLIS);
    port = socket.localPort();
    Delivery delivery =
        new Delivery(
            new LocalEntrance(link, 256, 65_535),
            new LocalEntrance(raw, 256, 65_535),
            256,
            true,
            counters);
    decapsulator =
        new Decapsulator(
            socket,
            new DataPort(LOOPBACK, port),
            delivery,
            null,
            new Vips(List.of(VIP)),
            counters,
            owner);
    decapsulator.refuseSources(AddressSet.of(List.of(VIP, OWN)));
    decapsulator.acceptFrom(AddressSet.of(List.of(LOOPBACK)));
    decapsulator.start(this::received, this::probed);
  }

  private void received(InetAddress sender, String text) {
    if (failsOnProbes) {
      throw new IllegalStateException("listener failed");
    }
    probes.add(IpAddresses.format(sender) + " " + text);
  }

  private void probed(InetAddress sender, String token) {
    probes.add(IpAddresses.format(sender) + " token " + token);
  }

  @AfterEach
  void stop() {
    decapsulator.stop();
    loadBalancer.close();
    assertThat(link.closed && raw.closed).isTrue();
  }

  private void send(byte[] bytes) throws IOException {
    loadBalancer.send(new DatagramPacket(bytes, bytes.length, LOOPBACK, port));
  }

  /** The SYN with other addresses. */
  private static byte[] syn(String source, String destination) {
    ByteBuffer packet = ByteBuffer.wrap(HexFormat.of().parseHex(SYN));
    packet.put(12, IpAddresses.parse(source).getAddress());
    packet.put(16, IpAddresses.parse(destination).getAddress()).putShort(10, (short) 0);
    return packet.putShort(10, (short) Checksum.of(packet, 0, 20)).array();
  }

  private void await(Disposition disposition, int count) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (counters.snapshot().of(disposition) < count && System.nanoTime() < end) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    assertThat(counters.snapshot().of(disposition)).as(disposition.label()).isEqualTo(count);
  }

  @Test
  void deliversWhatALoadBalancerSendsForAVipAndCountsTheRest() throws Exception {
    send(syn("198.51.100.7", "10.0.0.50"));
    send(syn("198.51.100.7", "10.0.0.51"));
    send(syn("10.0.0.11", "10.0.0.50"));
    send(syn("10.0.0.50", "10.0.0.50"));
    send(syn("127.0.0.1", "10.0.0.50"));
    send(new byte[] {1, 2, 3});
    await(Disposition.FORWARD, 1);
    await(Disposition.NOT_A_VIP, 1);
    await(Disposition.OWN_SOURCE, 2);
    await(Disposition.MARTIAN_SOURCE, 1);
    await(Disposition.MALFORMED, 1);
    decapsulator.acceptFrom(AddressSet.EMPTY);
    send(syn("198.51.100.7", "10.0.0.50"));
    await(Disposition.STRANGER, 1);
    assertThat(link.counts).containsExactly(1);
    assertThat(raw.counts).isEmpty();
  }

  /** On a host that forwards, packets on the link of lo would go back to the wire. */
  @Test
  void withoutTheVipPacketsGoThroughTheRawSocketOnly() throws Exception {
    decapsulator.refuseSources(AddressSet.of(List.of(OWN)));
    send(syn("198.51.100.7", "10.0.0.50"));
    await(Disposition.FORWARD, 1);
    assertThat(link.counts).isEmpty();
    assertThat(raw.counts).containsExactly(1);
    decapsulator.refuseSources(AddressSet.of(List.of(OWN, VIP)));
    send(syn("198.51.100.7", "10.0.0.50"));
    await(Disposition.FORWARD, 2);
    assertThat(link.counts).containsExactly(1);
  }

  @Test
  void handsPathProbesOnButNotEveryOne() throws Exception {
    send("SANITY token".getBytes(StandardCharsets.US_ASCII));
    assertThat(probes.poll(20, TimeUnit.SECONDS)).isEqualTo("127.0.0.1 SANITY token");
    await(Disposition.PATH_PROBE, 1);
    send("SANITY ".getBytes(StandardCharsets.US_ASCII));
    await(Disposition.MALFORMED, 1);
    assertThat(probes).isEmpty();
  }

  private void sendText(String text) throws IOException {
    send(text.getBytes(StandardCharsets.US_ASCII));
  }

  private String reply() throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[256], 256);
    loadBalancer.setSoTimeout(20_000);
    loadBalancer.receive(packet);
    assertThat(packet.getPort()).isEqualTo(port);
    return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII);
  }

  @Test
  void answersAPathProbeThatWasDeliveredToWhereItCameFrom() throws Exception {
    sendText("PROBE abc_1\n");
    assertThat(reply()).isEqualTo("SANE abc_1");
    assertThat(probes.poll(20, TimeUnit.SECONDS)).isEqualTo("127.0.0.1 token abc_1");
    sendText("PROBE padded\n" + "\0".repeat(8000));
    assertThat(reply()).isEqualTo("SANE padded");
    await(Disposition.PATH_PROBE, 2);
    assertThat(decapsulator.answeredProbes()).isEqualTo(2);
    assertThat(counters.snapshot().of(Disposition.FORWARD)).isZero();

    sendText("PROBE no end of the token");
    sendText("PROBE $\n");
    await(Disposition.MALFORMED, 2);
    decapsulator.acceptFrom(AddressSet.EMPTY);
    sendText("PROBE abc_2\n");
    await(Disposition.STRANGER, 1);
    assertThat(decapsulator.answeredProbes()).isEqualTo(2);
  }

  /** Strangers send as much as they like; a load balancer's registration gets through. */
  @Test
  void pathProbesOfStrangersKeepNoLoadBalancerFromRegistering() throws Exception {
    decapsulator.acceptFrom(AddressSet.EMPTY);
    decapsulator.expectRegistrationsFrom(AddressSet.of(List.of(LOOPBACK)));
    InetAddress other = IpAddresses.parse("127.0.0.2");
    try (DatagramSocket stranger = new DatagramSocket(0, other)) {
      byte[] flood = "SANITY flood".getBytes(StandardCharsets.US_ASCII);
      for (int i = 0; i < 600; i++) {
        stranger.send(new DatagramPacket(flood, flood.length, LOOPBACK, port));
      }
    }
    // The flood may have filled the socket's buffer: a load balancer, too, sends it again.
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    do {
      sendText("SANITY token");
      TimeUnit.MILLISECONDS.sleep(100);
    } while (!probes.contains("127.0.0.1 SANITY token") && System.nanoTime() < end);
    assertThat(probes.contains("127.0.0.1 SANITY token")).isTrue();
  }

  @Test
  void theOwnerLearnsThatUnwrappingEnded() throws Exception {
    failsOnProbes = true;
    send("SANITY token".getBytes(StandardCharsets.US_ASCII));
    assertThat(ends.poll(20, TimeUnit.SECONDS)).hasMessage("listener failed");
  }
}
