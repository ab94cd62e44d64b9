package dev.caplance.lb.dataplane.nfqueue;

import static dev.caplance.lb.dataplane.nfqueue.TestPackets.ACK;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.FIN;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.RST;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.SYN;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.data;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.error;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.tcp;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.udp;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.ServiceSpec.Affinity;
import dev.caplance.lb.forwarding.ServiceSpec.UdpWhenUnhealthy;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FlowsTest {

  private static final FlowHash HASH = new FlowHash(new byte[16]);

  private static final Dataplane.FlowTimeouts TIMEOUTS =
      new Dataplane.FlowTimeouts(
          Duration.ofHours(1), Duration.ofMinutes(2), Duration.ofSeconds(30));

  private final Target b1 = target(1);
  private final Target b2 = target(2);
  private final ForwardingTable both = table(List.of(b1, b2), List.of());
  private final ForwardingTable b1Drains = table(List.of(b2), List.of(b1));
  private final ForwardingTable b1IsPaused = table(List.of(b2), List.of());

  private final FlowTable own = new FlowTable(4096, TIMEOUTS);
  private final Flows flows = new Flows(HASH, own);

  @AfterEach
  void free() {
    own.close();
  }

  private static Target target(int index) {
    InetAddress address = IpAddresses.parse("10.0.0." + (10 + index));
    return new Target(index, 1, "b" + index, 1, address, 1500, address);
  }

  private static ForwardingTable table(List<Target> targets, List<Target> draining) {
    return table(targets, draining, List.of(), false, Affinity.FLOW, UdpWhenUnhealthy.MOVE);
  }

  private static ForwardingTable table(
      List<Target> targets,
      List<Target> draining,
      List<Target> unhealthy,
      boolean awaitsBackends,
      Affinity affinity,
      UdpWhenUnhealthy udpWhenUnhealthy) {
    ServiceSpec spec =
        new ServiceSpec(
            "web",
            IpAddresses.parse("10.0.0.50"),
            Ports.ALL,
            false,
            ServiceSpec.WhenAllUnhealthy.FORWARD,
            ServiceSpec.WhenEmpty.REJECT,
            ServiceSpec.OtherTraffic.HOST,
            affinity,
            udpWhenUnhealthy);
    Service.Pool pool =
        new Service.Pool(spec, Service.State.BALANCING, targets, draining, unhealthy);
    return ForwardingTable.empty(HASH, 251).next(List.of(pool), AddressSet.EMPTY, awaitsBackends);
  }

  private Target send(ForwardingTable table, FlowKey packet, int now) {
    return send(flows, table, packet, now);
  }

  private static Target send(Flows through, ForwardingTable table, FlowKey packet, int now) {
    Fingerprint fingerprint = new Fingerprint();
    through.fingerprint(table, 0, packet, fingerprint);
    return through.target(table, 0, packet, fingerprint, now);
  }

  /** A port whose new connections go to b1 while both take them. */
  private int portOfB1() {
    int port = 1;
    while (!both.target(0, tcp(port, SYN)).equals(b1)) {
      port++;
    }
    return port;
  }

  @Test
  void connectionsStayWhateverElseChanges() {
    for (int port = 1; port <= 500; port++) {
      Target first = send(both, tcp(port, SYN), 0);
      send(both, tcp(port, ACK), 1);
      assertThat(send(b1Drains, tcp(port, ACK), 2)).isSameAs(first);
      assertThat(send(both, tcp(port, ACK), 3)).isSameAs(first);
    }
    for (int port = 501; port <= 600; port++) {
      assertThat(send(b1Drains, tcp(port, SYN), 4)).isSameAs(b2);
    }
  }

  @Test
  void connectionsOfABackendThatMayNotKeepThemMoveOnce() {
    for (int port = 1; port <= 200; port++) {
      send(both, tcp(port, SYN), 0);
      send(both, tcp(port, ACK), 0);
      assertThat(send(b1IsPaused, tcp(port, ACK), 1)).isSameAs(b2);
      assertThat(send(both, tcp(port, ACK), 2)).as("where it is now").isSameAs(b2);
    }
  }

  private int connectionToB1() {
    int port = portOfB1();
    send(both, tcp(port, SYN), 0);
    send(both, tcp(port, ACK), 0);
    return port;
  }

  @Test
  void aNewConnectionOnTheSamePortsLeavesATargetThatGetsNoNewOnes() {
    int port = connectionToB1();
    assertThat(send(b1Drains, tcp(port, SYN), 1)).as("not ended").isSameAs(b1);
    assertThat(send(b1Drains, tcp(port, FIN), 2)).isSameAs(b1);
    assertThat(send(b1Drains, tcp(port, ACK), 2)).isSameAs(b1);
    assertThat(send(b1Drains, tcp(port, SYN, 5000), 3)).isSameAs(b2);
    assertThat(send(b1Drains, tcp(port, SYN, 5000), 4)).as("sent again").isSameAs(b2);
    assertThat(send(b1Drains, data(port, 5001), 5)).as("the handshake goes on").isSameAs(b2);
    assertThat(send(both, data(port, 5101), 6)).isSameAs(b2);
  }

  @Test
  void aNewConnectionOnTheSamePortsStaysWhereNewOnesGo() {
    Target b3 = target(3);
    ForwardingTable wider = table(List.of(b1, b2, b3), List.of());
    int port = connectionToB1();
    while (wider.target(0, tcp(port, SYN)).equals(b1)) {
      port++;
      send(both, tcp(port, SYN), 0);
      send(both, tcp(port, ACK), 0);
    }
    Target kept = send(both, tcp(port, FIN), 1);
    assertThat(send(wider, tcp(port, SYN, 5000), 2)).isSameAs(kept);
    assertThat(send(wider, tcp(port, ACK, 5001), 3)).isSameAs(kept);
    Target chosen = wider.target(0, tcp(port, SYN));
    send(both, tcp(port, RST), 4);
    assertThat(send(wider, tcp(port, SYN, 9000), 40)).as("long after the end").isSameAs(chosen);
    assertThat(send(wider, tcp(port, ACK, 9001), 40)).isSameAs(chosen);
  }

  /** Their sender does not know the sequence number; the client does not notice. */
  @Test
  void forgedPacketsMoveNoConnection() {
    for (int[] forged : new int[][] {{RST, SYN}, {FIN, SYN}, {RST, FIN, SYN}, {SYN, RST, SYN}}) {
      for (int silence : new int[] {0, 60, 8000}) {
        int port = connectionToB1();
        int now = 1;
        for (int flags : forged) {
          send(b1Drains, tcp(port, flags, 77), now += silence);
        }
        now += silence;
        assertThat(send(b1Drains, tcp(port, ACK, 1_000_000), now)).isSameAs(b1);
        assertThat(send(b1Drains, data(port, 1_000_000), now)).isSameAs(b1);
        assertThat(send(b1Drains, tcp(port, SYN, 78), now)).as("contradicted").isSameAs(b1);
        assertThat(send(both, data(port, 1_000_100), now)).isSameAs(b1);
      }
    }
  }

  @Test
  void aSynThatNothingFollowsIsGivenUp() {
    int port = connectionToB1();
    send(b1Drains, tcp(port, RST), 1);
    assertThat(send(b1Drains, tcp(port, SYN, 5000), 2)).isSameAs(b2);
    for (int now = 3; now < 2100; now++) {
      own.sweep(now);
    }
    assertThat(send(b1Drains, tcp(port, ACK, 5001), 2100)).isSameAs(b1);
  }

  /** The handshake has failed, or its client would not try again. */
  @Test
  void aSynThatIsSentAgainLeavesATargetThatGetsNoNewConnections() {
    int port = portOfB1();
    assertThat(send(both, tcp(port, SYN), 0)).isSameAs(b1);
    assertThat(send(b1Drains, tcp(port, SYN), 1)).isSameAs(b2);
    assertThat(send(both, tcp(port, ACK), 2)).isSameAs(b2);
  }

  private ForwardingTable b1IsUnhealthy(Affinity affinity, UdpWhenUnhealthy udp) {
    return table(List.of(b2), List.of(b1), List.of(b1), false, affinity, udp);
  }

  private int udpPortOfB1() {
    int port = 1;
    while (!both.target(0, udp(port)).equals(b1)) {
      port++;
    }
    return port;
  }

  @Test
  void udpFlowsLeaveAnUnhealthyBackendOnceAndConnectionsStay() {
    int connection = connectionToB1();
    int port = udpPortOfB1();
    assertThat(send(both, udp(port), 0)).isSameAs(b1);
    assertThat(send(b1Drains, udp(port), 1)).as("draining").isSameAs(b1);
    ForwardingTable unhealthy = b1IsUnhealthy(Affinity.FLOW, UdpWhenUnhealthy.MOVE);
    assertThat(send(unhealthy, udp(port), 2)).isSameAs(b2);
    assertThat(send(both, udp(port), 3)).as("b1 has recovered").isSameAs(b2);
    assertThat(send(unhealthy, data(connection, 9), 3)).isSameAs(b1);
  }

  @Test
  void udpFlowsStayOnAnUnhealthyBackendIfTheServiceSaysSo() {
    int port = udpPortOfB1();
    assertThat(send(both, udp(port), 0)).isSameAs(b1);
    assertThat(send(b1IsUnhealthy(Affinity.FLOW, UdpWhenUnhealthy.STAY), udp(port), 1))
        .isSameAs(b1);
  }

  /** A change of port, as QUIC's clients make behind a router, is no change of the flow. */
  @Test
  void withAffinityToTheClientEveryPacketFollowsTheFirst() {
    Target b3 = target(3);
    List<Target> more = List.of(target(0), b1, b2, b3);
    ForwardingTable few = clientTable(List.of(b1, b2), List.of(), List.of());
    Target first = send(few, udp(1), 0);
    ForwardingTable wider = clientTable(more, List.of(), List.of());
    for (int port = 2; port < 100; port++) {
      assertThat(few.target(0, udp(port))).as("the slot has no ports").isSameAs(first);
      assertThat(send(wider, udp(port), port)).isSameAs(first);
      assertThat(send(wider, tcp(port, SYN), port)).isSameAs(first);
      assertThat(send(wider, tcp(port, RST), port)).isSameAs(first);
    }
    assertThat(own.count()).isEqualTo(1);
    List<Target> others = List.of(first.equals(b1) ? b2 : b1);
    ForwardingTable drains = clientTable(others, List.of(first), List.of());
    assertThat(send(drains, tcp(7, SYN), 7000))
        .as("the client's connections are there")
        .isSameAs(first);
    ForwardingTable unhealthy = clientTable(others, List.of(first), List.of(first));
    assertThat(send(unhealthy, data(7, 1), 7001)).isSameAs(first);
    assertThat(send(unhealthy, tcp(8, SYN), 7001)).isSameAs(others.get(0));
    assertThat(send(few, udp(9), 7002)).isSameAs(others.get(0));
  }

  private static ForwardingTable clientTable(
      List<Target> targets, List<Target> draining, List<Target> unhealthy) {
    return table(targets, draining, unhealthy, false, Affinity.CLIENT, UdpWhenUnhealthy.MOVE);
  }

  @Test
  void errorsGoToTheTargetOfTheFlowThatTheyQuote() {
    int port = portOfB1();
    Flows other = new Flows(HASH, new FlowTable(4096, TIMEOUTS));
    send(other, both, tcp(port, SYN), 0);
    send(other, both, tcp(port, ACK), 0);
    assertThat(send(b1Drains, error(port), 1)).as("not known here").isSameAs(b2);
    flows.setTables(new FlowTable[] {own, other.table()});
    assertThat(send(b1Drains, error(port), 1)).isSameAs(b1);
    assertThat(own.count()).as("an error is no packet of the flow").isZero();
    other.table().close();
  }

  /** Their backend may be about to register again; the client retransmits. */
  @Test
  void packetsOfUnknownConnectionsAreDroppedWhileBackendsAreAwaited() {
    int port = portOfB1();
    ForwardingTable b1IsAwaited =
        table(List.of(b2), List.of(), List.of(), true, Affinity.FLOW, UdpWhenUnhealthy.MOVE);
    assertThat(send(b1IsAwaited, tcp(port, ACK), 0)).isNull();
    assertThat(send(b1IsAwaited, tcp(port, FIN), 0)).isNull();
    assertThat(send(both, tcp(port, ACK), 1)).isSameAs(b1);
    assertThat(send(b1IsAwaited, tcp(port + 1, SYN), 2)).isSameAs(b2);
    assertThat(send(b1IsAwaited, tcp(port + 1, ACK), 2)).as("known").isSameAs(b2);
  }

  @Test
  void withoutABackendThereIsNone() {
    ForwardingTable empty = table(List.of(), List.of());
    assertThat(send(empty, tcp(1, SYN), 0)).isNull();
    assertThat(send(empty, error(1), 0)).isNull();
    assertThat(own.count()).isZero();
  }
}
