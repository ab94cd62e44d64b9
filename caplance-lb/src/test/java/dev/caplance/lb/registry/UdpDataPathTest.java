package dev.caplance.lb.registry;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.SanityDatagram;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

class UdpDataPathTest {

  private static final int PATIENCE_MILLIS = 60_000;

  @Test
  void sendsTheDatagramByteForByte() throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (DatagramSocket backend = new DatagramSocket(0, loopback)) {
      backend.setSoTimeout(PATIENCE_MILLIS);
      UdpDataPath dataPath =
          new UdpDataPath(backend.getLocalPort(), (target, token, padded) -> false);
      dataPath.send(loopback, new SanityDatagram("0123abc"));
      DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
      backend.receive(packet);
      assertThat(Arrays.copyOf(packet.getData(), packet.getLength()))
          .isEqualTo("SANITY 0123abc".getBytes(US_ASCII));
    }
  }

  @Test
  void aPortThatIsShutIsNotAnEnd() throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    DatagramSocket backend = new DatagramSocket(0, loopback);
    int port = backend.getLocalPort();
    backend.close();
    UdpDataPath dataPath = new UdpDataPath(port, (target, token, padded) -> false);
    SanityDatagram datagram = new SanityDatagram("0123abc");
    dataPath.send(loopback, datagram);
    dataPath.send(loopback, datagram);
    try (DatagramSocket late = new DatagramSocket(port, loopback)) {
      late.setSoTimeout(PATIENCE_MILLIS);
      dataPath.send(loopback, datagram);
      DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
      late.receive(packet);
      assertThat(packet.getLength()).isEqualTo(datagram.format().length);
    }
  }

  /** In a network namespace of its own, with routes that are known. */
  @Test
  void knowsWhereItCanSendAndWhereFrom() throws Exception {
    String network =
        String.join(
            " && ",
            "ip link set lo up",
            "ip link add v0 type veth peer name v1",
            "ip addr add 10.8.0.2/24 broadcast 10.8.0.255 dev v0",
            "ip link set v0 mtu 1400 up",
            "ip link set v1 up",
            "ip addr add 10.6.0.1/32 dev lo",
            "ip route add 10.7.0.0/24 dev v0 src 10.6.0.1",
            "ip route add local 10.5.0.0/16 dev lo",
            "ip route add 10.7.1.0/24 dev v0 mtu 256",
            "ip route add 10.7.2.0/24 dev v0 mtu 68",
            "exec \"$0\" \"$@\"");
    Process process =
        new ProcessBuilder(
                "unshare",
                "--user",
                "--map-root-user",
                "--net",
                "sh",
                "-c",
                network,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                UdpDataPathTest.class.getName(),
                "10.8.0.11",
                "10.7.0.1",
                "10.8.0.2",
                "10.8.0.255",
                "10.5.1.2",
                "10.9.0.1",
                "2001:db8::11",
                "10.7.1.1",
                "10.7.2.1")
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), US_ASCII);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output.lines().toList())
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("from 10.8.0.2 with an MTU of 1400"),
            line -> assertThat(line).isEqualTo("from 10.6.0.1 with an MTU of 1400"),
            line ->
                assertThat(line).startsWith("10.8.0.2 is an address of the load balancer itself"),
            line -> assertThat(line).startsWith("10.8.0.255 is the broadcast address of v0"),
            line ->
                assertThat(line).startsWith("10.5.1.2 is an address of the load balancer itself"),
            line ->
                assertThat(line)
                    .isEqualTo(
                        "the load balancer cannot send to 10.9.0.1 (Network is unreachable);"
                            + " register with a data address that it has a route to"),
            line ->
                assertThat(line)
                    .isEqualTo(
                        "the load balancer cannot send to 2001:db8::11 (Network is unreachable);"
                            + " register with a data address that it has a route to"),
            line -> assertThat(line).isEqualTo("from 10.8.0.2 with an MTU of 256"),
            line ->
                assertThat(line)
                    .isEqualTo(
                        "the load balancer's route to 10.7.2.1 has an MTU of 68, but at least 256"
                            + " is needed; raise the MTU of the route or of its interface"));
  }

  /** Says for each address where packets to it come from, or why none may go there. */
  public static void main(String[] addresses) {
    UdpDataPath dataPath = new UdpDataPath(1337, (target, token, padded) -> false);
    for (String address : addresses) {
      try {
        DataPath.Route route = dataPath.routeTo(IpAddresses.parse(address), Set.of());
        System.out.println(
            "from " + IpAddresses.format(route.source()) + " with an MTU of " + route.mtu());
      } catch (RefusedException e) {
        System.out.println(e.getMessage());
      }
    }
  }
}
