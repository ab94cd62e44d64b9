package dev.caplance.lb.dataplane.nfqueue;

import static dev.caplance.lb.dataplane.nfqueue.TestPackets.ACK;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.FIN;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.SYN;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.error;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.tcp;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec;
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
    return table(targets, draining, false);
  }

  private static ForwardingTable table(
      List<Target> targets, List<Target> draining, boolean awaitsBackends) {
    ServiceSpec spec =
        new ServiceSpec(
            "web",
            IpAddresses.parse("10.0.0.50"),
            Ports.ALL,
            false,
            ServiceSpec.WhenAllUnhealthy.FORWARD,
            ServiceSpec.WhenEmpty.REJECT,
            ServiceSpec.OtherTraffic.HOST);
    Service.Pool pool = new Service.Pool(spec, Service.State.BALANCING, targets, draining);
    return ForwardingTable.empty(HASH, 251).next(List.of(pool), AddressSet.EMPTY, awaitsBackends);
  }

  private Target send(ForwardingTable table, FlowKey packet, int now) {
    return send(flows, table, packet, now);
  }

  private static Target send(Flows through, ForwardingTable table, FlowKey packet, int now) {
    Fingerprint fingerprint = new Fingerprint();
    through.fingerprint(packet, fingerprint);
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

  @Test
  void aNewConnectionOnTheSamePortsIsANewFlow() {
    int port = portOfB1();
    send(both, tcp(port, SYN), 0);
    send(both, tcp(port, ACK), 0);
    assertThat(send(b1Drains, tcp(port, SYN), 1)).as("not ended").isSameAs(b1);
    assertThat(send(b1Drains, tcp(port, FIN), 2)).isSameAs(b1);
    assertThat(send(b1Drains, tcp(port, ACK), 2)).isSameAs(b1);
    assertThat(send(b1Drains, tcp(port, SYN), 3)).isSameAs(b2);
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
    ForwardingTable b1IsAwaited = table(List.of(b2), List.of(), true);
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
