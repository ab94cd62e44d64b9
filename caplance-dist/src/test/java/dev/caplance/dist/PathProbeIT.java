package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.linux.Datagram;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.ReceiveBatch;
import dev.caplance.linux.SendBatch;
import dev.caplance.linux.SocketAddress;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.PathProbe;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Path probes that come out where a client's packets do, on each way that these may take. */
class PathProbeIT {

  private static final int PROBES = 8;
  private static final String ALL_ANSWERED = PROBES + " answered\n";

  @AfterEach
  void looseReversePath() {
    reversePath(0);
  }

  private static void reversePath(int value) {
    Lab.up().exec("b1", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=" + value).succeeded();
  }

  private static String probe(Cluster cluster, String source, String backend, int size) {
    String[] prober = Lab.java(Prober.class, source, backend, Integer.toString(size));
    return cluster.lab().exec("lb1", prober).succeeded().out();
  }

  private static long answered(Cluster cluster) {
    return cluster.backend("b1").status().getAsJsonObject("packets").get("probes").getAsLong();
  }

  private static void assertAnswered(Cluster cluster, String source, String backend, int padded) {
    long before = answered(cluster);
    assertThat(probe(cluster, source, backend, 0)).isEqualTo(ALL_ANSWERED);
    assertThat(probe(cluster, source, backend, padded)).isEqualTo(ALL_ANSWERED);
    assertThat(answered(cluster)).isGreaterThanOrEqualTo(before + 2 * PROBES);
  }

  /** On the link of lo, and through the raw socket where rp_filter shuts the link. */
  @Test
  void ipv4ProbesAreAnsweredOnBothWays() {
    try (Cluster cluster = new Cluster("b1")) {
      assertAnswered(cluster, "10.77.0.2", "10.77.0.11", 1472);
      assertThatNobodyElseIsAnswered(cluster);
    }
    reversePath(1);
    try (Cluster cluster = new Cluster("b1")) {
      assertThat(cluster.backend("b1").log()).contains("through a raw socket");
      assertAnswered(cluster, "10.77.0.2", "10.77.0.11", 1472);
      assertThat(cluster.request(20)).isEqualTo(Map.of("b1", 20));
    }
  }

  private static void assertThatNobodyElseIsAnswered(Cluster cluster) {
    String[] prober = Lab.java(Prober.class, "10.77.0.3", "10.77.0.11", "0");
    assertThat(cluster.lab().exec("lb2", prober).succeeded().out()).isEqualTo("0 answered\n");
    assertThat(cluster.refused("b1", "not from a load balancer")).isGreaterThanOrEqualTo(PROBES);
  }

  /** The data address is IPv6, and no VIP is; nor is the address on lo. */
  @Test
  void ipv6ProbesAreAnsweredWhereOnlyIpv4IsServed() {
    String session = "session: {address: '::'}\n";
    String service = "services: [{name: web, vip: 10.77.0.50}]\n";
    String backend =
        """
        name: b1
        address: 'fd77::11'
        vips: [10.77.0.50]
        loadBalancers: [{address: 'fd77::2'}]
        """;
    Map<String, String> files =
        Map.of("lb1/lb.yaml", service + session + LabConfigs.HASH_KEY, "b1/backend.yaml", backend);
    try (Cluster cluster = new Cluster(files, "b1")) {
      assertAnswered(cluster, "fd77::2", "fd77::11", 1452);
    }
  }

  /**
   * {@code SOURCE BACKEND SIZE}: sends probes of this size in one GSO batch, which arrives as a GRO
   * batch, and says how many were answered within two seconds.
   */
  static final class Prober implements SendBatch.Listener {

    private static final int SLOT = 2000;

    private Prober() {}

    public static void main(String[] args) throws IOException {
      InetAddress source = IpAddresses.parse(args[0]);
      InetAddress backend = IpAddresses.parse(args[1]);
      LinuxSocket socket = LinuxSocket.udp(source, 0);
      socket.setReceiveTimeout(2000);
      NativeMemory memory = NativeMemory.allocate(PROBES * SLOT);
      SendBatch batch = new SendBatch(1, SendBatch.GSO_PIECES);
      Datagram datagram = new Datagram();
      for (int i = 0; i < PROBES; i++) {
        int length =
            PathProbe.write(
                source,
                socket.localPort(),
                backend,
                1337,
                "token-" + i,
                Integer.parseInt(args[2]),
                memory.networkBytes().position(i * SLOT).slice());
        datagram.set(memory.address() + (long) i * SLOT, length);
        if (i == 0) {
          batch.add(datagram, SocketAddress.of(backend, 1337), 0);
        } else if (!batch.append(0, datagram)) {
          throw new IllegalStateException("probes of different sizes");
        }
      }
      batch.flush(socket, new Prober());
      System.out.println(answers(socket).size() + " answered");
    }

    private static Set<String> answers(LinuxSocket socket) {
      Set<String> tokens = new TreeSet<>();
      ReceiveBatch replies = ReceiveBatch.ofDatagrams(PROBES, SLOT);
      int count = 0;
      while (tokens.size() < PROBES && count >= 0) {
        count = socket.receive(replies);
        for (int i = 0; i < count; i++) {
          PathProbe.replyToken(replies.bytes(), replies.offset(i), replies.length(i))
              .ifPresent(tokens::add);
        }
      }
      return tokens;
    }

    @Override
    public void sent(int index, int datagrams, int bytes) {}

    @Override
    public void failed(int index, int datagrams, int errno) {
      throw new IllegalStateException("error " + errno);
    }
  }
}
