package dev.caplance.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.host.TestNamespace;
import dev.caplance.packet.Checksum;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Packets to a VIP of a host that could also send them to its neighbour. */
class LocalEntranceTest {

  private static final String IPV4_VIP = "10.0.0.50";
  private static final String IPV6_VIP = "2001:db8::50";
  private static final int PACKETS = 100;

  private static TestNamespace host;
  private static TestNamespace neighbour;

  @BeforeAll
  static void connect() throws IOException {
    host = TestNamespace.create();
    neighbour = TestNamespace.create();
    host.connect("eth0", "10.0.0.11/24", neighbour, "10.0.0.1/24");
    host.run("ip", "address", "add", "2001:db8::11/64", "dev", "eth0", "nodad");
    String mac = neighbour.run("cat", "/sys/class/net/eth0/address").strip();
    for (String vip : List.of(IPV4_VIP, IPV6_VIP)) {
      host.run("ip", "neigh", "add", vip, "lladdr", mac, "dev", "eth0");
    }
    host.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
  }

  @AfterAll
  static void remove() throws IOException {
    host.close();
    neighbour.close();
  }

  private static void attachVips() throws IOException {
    host.run("ip", "address", "replace", IPV4_VIP + "/32", "dev", "lo");
    host.run("ip", "address", "replace", IPV6_VIP + "/128", "dev", "lo", "nodad");
  }

  private static void detachVips() throws IOException {
    attachVips();
    host.run("ip", "address", "del", IPV4_VIP + "/32", "dev", "lo");
    host.run("ip", "address", "del", IPV6_VIP + "/128", "dev", "lo");
  }

  private static String deliver(String vip) throws IOException {
    String java = System.getProperty("java.home") + "/bin/java";
    String classPath = System.getProperty("java.class.path");
    return host.run(java, "-cp", classPath, Deliver.class.getName(), vip).strip();
  }

  private static int sentToNeighbour() throws IOException {
    return Integer.parseInt(host.run("cat", "/sys/class/net/eth0/statistics/tx_packets").strip());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void rawPacketsReachTheVipWithEveryReversePathFilter(int filter) throws IOException {
    attachVips();
    for (String device : List.of("all", "lo")) {
      host.run("sysctl", "-qw", "net.ipv4.conf." + device + ".rp_filter=" + filter);
    }
    assertThat(deliver(IPV4_VIP)).isEqualTo("sent 100, refused 0, received 100");
    assertThat(deliver(IPV6_VIP)).isEqualTo("sent 100, refused 0, received 100");
  }

  @Test
  void rawPacketsToAVipThatIsGoneDoNotLeaveTheMachine() throws IOException {
    detachVips();
    int before = sentToNeighbour();
    assertThat(deliver(IPV4_VIP)).contains("sent 100, refused 0");
    assertThat(deliver(IPV6_VIP)).isEqualTo("sent 0, refused 100, received 0");
    assertThat(sentToNeighbour() - before).as("but for neighbour discovery").isLessThan(50);
  }

  /** {@code VIP}: sends datagrams to it in raw packets, and prints what became of them. */
  static final class Deliver implements SendBatch.Listener {

    private int sent;
    private int refused;

    public static void main(String[] args) throws IOException {
      InetAddress vip = IpAddresses.parse(args[0]);
      boolean ipv4 = IpAddresses.isIpv4(vip);
      InetAddress client = IpAddresses.parse(ipv4 ? "198.51.100.7" : "2001:db8:1::7");
      Deliver outcome = new Deliver();
      try (DatagramSocket application = new DatagramSocket();
          LocalEntrance entrance = LocalEntrance.raw(ipv4, PACKETS);
          NativeMemory memory = NativeMemory.allocate(4096)) {
        byte[] packet = packet(ipv4, client, vip, application.getLocalPort());
        memory.networkBytes().put(packet);
        for (int i = 0; i < PACKETS; i++) {
          entrance.add(memory.address(), packet.length, SocketAddress.of(vip, 0));
        }
        entrance.flush(outcome);
        int received = received(application);
        System.out.printf(
            "sent %d, refused %d, received %d%n", outcome.sent, outcome.refused, received);
      }
    }

    private static int received(DatagramSocket application) throws IOException {
      application.setSoTimeout(500);
      int received = 0;
      while (received < PACKETS) {
        try {
          application.receive(new DatagramPacket(new byte[64], 64));
        } catch (SocketTimeoutException e) {
          break;
        }
        received++;
      }
      return received;
    }

    private static byte[] packet(boolean ipv4, InetAddress from, InetAddress to, int port) {
      byte[] text = "hello".getBytes(StandardCharsets.US_ASCII);
      int length = 8 + text.length;
      ByteBuffer packet = ByteBuffer.allocate((ipv4 ? 20 : 40) + length);
      if (ipv4) {
        packet.putInt(0x4500_0000 | packet.capacity()).putInt(0x4000);
        packet.putInt(64 << 24 | IpProtocol.UDP << 16).put(from.getAddress()).put(to.getAddress());
        packet.putShort(10, (short) Checksum.of(packet, 0, 20));
      } else {
        packet.putInt(0x6000_0000).putInt(length << 16 | IpProtocol.UDP << 8 | 64);
        packet.put(from.getAddress()).put(to.getAddress());
      }
      int udp = packet.position();
      packet.putShort((short) 1234).putShort((short) port).putShort((short) length);
      packet.putShort((short) 0).put(text);
      int addresses = 2 * from.getAddress().length;
      ByteBuffer summed = ByteBuffer.allocate(addresses + 8 + length);
      summed.put(packet.array(), udp - addresses, addresses).putInt(length).putInt(IpProtocol.UDP);
      summed.put(packet.array(), udp, length);
      packet.putShort(udp + 6, (short) Checksum.of(summed, 0, summed.capacity()));
      return packet.array();
    }

    @Override
    public void sent(int index, int datagrams, int bytes) {
      sent++;
    }

    @Override
    public void failed(int index, int datagrams, int errno) {
      refused++;
    }
  }
}
