package dev.caplance.lb.dataplane.nfqueue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.PathProbe;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Probes to a socket on loopback, which stands for a backend. */
class PathProbesTest {

  private static final InetAddress BACKEND = IpAddresses.parse("127.0.0.2");
  private static final InetAddress SOURCE = IpAddresses.parse("127.0.0.9");
  private static final int MTU = 1500;
  private static final int OVERHEAD = 28;
  private static final int UDP_PAYLOAD = 28;

  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private DatagramSocket backend;
  private PathProbes probes;

  private final ReceiveLoop.Owner owner =
      new ReceiveLoop.Owner() {
        @Override
        public void ended(Throwable cause) {
          heard.add("ended " + cause);
        }

        @Override
        public void failing(LinuxException cause) {
          heard.add("failing " + cause);
        }

        @Override
        public void recovered(String call, long failures) {}
      };

  @BeforeEach
  void open() throws Exception {
    backend = new DatagramSocket(0, BACKEND);
    backend.setSoTimeout(10_000);
    probes = new PathProbes(backend.getLocalPort(), owner);
    probes.onReply((sender, token) -> heard.add(IpAddresses.format(sender) + " " + token));
    probes.start();
  }

  @AfterEach
  void close() {
    probes.close();
    backend.close();
  }

  private static Target target(InetAddress source) {
    return target(source, MTU);
  }

  private static Target target(InetAddress source, int mtu) {
    return new Target(0, 1, "a", 1, BACKEND, mtu, source);
  }

  private DatagramPacket receive() throws Exception {
    DatagramPacket received = new DatagramPacket(new byte[65_535], 65_535);
    backend.receive(received);
    return received;
  }

  private void reply(DatagramPacket to, String token) throws Exception {
    byte[] reply = PathProbe.reply(token);
    backend.send(new DatagramPacket(reply, reply.length, to.getAddress(), to.getPort()));
  }

  @Test
  void aProbeIsAWholePacketFromTheTargetsSourceAndFromThePortThatItNames() throws Exception {
    assertThat(probes.send(target(SOURCE), "Token_1", false)).isTrue();
    DatagramPacket outer = receive();
    assertThat(outer.getAddress()).isEqualTo(SOURCE);
    ByteBuffer packet = ByteBuffer.wrap(outer.getData());
    IpHeader header = new IpHeader();
    FlowKey flow = new FlowKey();
    // A source in 127/8 is a martian, as it has to be: its fields are read nevertheless.
    assertThat(header.read(packet, 0, outer.getLength())).isEqualTo(Disposition.MARTIAN_SOURCE);
    assertThat(flow.read(header, packet)).isEqualTo(Disposition.FORWARD);
    assertThat(flow.sourceLow()).isEqualTo(IpAddresses.low(SOURCE));
    assertThat(flow.sourcePort()).isEqualTo(outer.getPort());
    assertThat(flow.destinationLow()).isEqualTo(IpAddresses.low(BACKEND));
    assertThat(flow.destinationPort()).isEqualTo(backend.getLocalPort());
    assertThat(PathProbe.token(packet, UDP_PAYLOAD, outer.getLength() - UDP_PAYLOAD))
        .isEqualTo(Optional.of("Token_1"));
  }

  @Test
  void aPaddedProbeIsAsLargeAsThePathMtu() throws Exception {
    assertThat(probes.send(target(SOURCE), "t", true)).isTrue();
    assertThat(receive().getLength()).isEqualTo(MTU - OVERHEAD);
    assertThat(probes.send(target(SOURCE), "t2", false)).isTrue();
    assertThat(receive().getLength()).isEqualTo(UDP_PAYLOAD + "PROBE t2\n".length());
  }

  /** An interface may have an MTU that exceeds the largest packet, as loopback does. */
  @Test
  void aPaddedProbeIsNoLargerThanAPacketCanBe() throws Exception {
    assertThat(probes.send(target(SOURCE, 65_536), "t", true)).isTrue();
    assertThat(receive().getLength()).isEqualTo(Encapsulation.MAX_PACKET);
    assertThat(probes.send(target(SOURCE, 68), "t2", true)).isTrue();
    assertThat(receive().getLength()).isEqualTo(68 - OVERHEAD);
  }

  @Test
  void aSourceThatThisMachineLacksIsReplacedByNoOther() throws Exception {
    assertThat(probes.send(target(IpAddresses.parse("198.51.100.7")), "lost", false)).isFalse();
    assertThat(probes.send(target(SOURCE), "next", false)).isTrue();
    assertThat(receive().getAddress()).isEqualTo(SOURCE);
  }

  @Test
  void onlyTokensThatWereSentAreHeardAndEachOnce() throws Exception {
    probes.send(target(SOURCE), "one", false);
    DatagramPacket first = receive();
    probes.send(target(SOURCE), "two", false);
    byte[] noise = new byte[1000];
    Arrays.fill(noise, (byte) 'x');
    backend.send(new DatagramPacket(noise, noise.length, first.getAddress(), first.getPort()));
    reply(first, "forged");
    reply(first, "one");
    reply(first, "one");
    reply(first, "two");
    assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("127.0.0.2 one");
    assertThat(heard.poll(10, TimeUnit.SECONDS)).isEqualTo("127.0.0.2 two");
    assertThat(heard).isEmpty();
  }

  @Test
  void nothingIsSentAfterTheEnd() {
    probes.close();
    assertThat(probes.send(target(SOURCE), "late", false)).isFalse();
    probes.close();
  }
}
