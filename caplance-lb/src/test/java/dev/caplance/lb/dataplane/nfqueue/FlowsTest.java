package dev.caplance.lb.dataplane.nfqueue;

import static dev.caplance.lb.dataplane.nfqueue.TestPackets.ACK;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.FIN;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.SYN;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.error;
import static dev.caplance.lb.dataplane.nfqueue.TestPackets.tcp;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.ForwardingTable.Member;
import dev.caplance.lb.forwarding.ForwardingTable.Pool;
import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FlowsTest {

  private static final FlowHash HASH = new FlowHash(new byte[16]);

  private final Member b1 = new Member("b1", 1, endpoint(11));
  private final Member b2 = new Member("b2", 1, endpoint(12));
  private final ForwardingTable both = table(List.of(b1, b2), b1, b2);
  private final ForwardingTable b1Drains = table(List.of(b2), b1, b2);
  private final ForwardingTable b1IsPaused = table(List.of(b2), b2);

  private final FlowTable own = new FlowTable(4096, FlowTimeouts.DEFAULT);
  private final Flows flows = new Flows(HASH, own);

  @AfterEach
  void free() {
    own.close();
  }

  private static Endpoint endpoint(int number) {
    return new Endpoint(IpAddresses.parse("10.0.0." + number), 1337, 1, 1500);
  }

  private static ForwardingTable table(List<Member> members, Member... keepers) {
    List<Endpoint> keeping = List.of(keepers).stream().map(Member::endpoint).toList();
    Pool pool = new Pool(IpAddresses.parse("10.0.0.50"), Ports.ALL, members, keeping, true);
    return ForwardingTable.of(List.of(pool), AddressSet.EMPTY, HASH, 251);
  }

  private Endpoint send(ForwardingTable table, FlowKey packet, int now) {
    return send(flows, table, packet, now);
  }

  private static Endpoint send(Flows through, ForwardingTable table, FlowKey packet, int now) {
    Fingerprint number = new Fingerprint();
    through.number(packet, number);
    return through.endpoint(table, 0, packet, number, now);
  }

  /** A port whose new connections go to b1 while both take them. */
  private int portOfB1() {
    int port = 1;
    while (both.endpoint(0, tcp(port, SYN)) != b1.endpoint()) {
      port++;
    }
    return port;
  }

  @Test
  void connectionsStayWhateverElseChanges() {
    for (int port = 1; port <= 500; port++) {
      Endpoint first = send(both, tcp(port, SYN), 0);
      send(both, tcp(port, ACK), 1);
      assertThat(send(b1Drains, tcp(port, ACK), 2)).isSameAs(first);
      assertThat(send(both, tcp(port, ACK), 3)).isSameAs(first);
    }
    for (int port = 501; port <= 600; port++) {
      assertThat(send(b1Drains, tcp(port, SYN), 4)).isSameAs(b2.endpoint());
    }
  }

  @Test
  void connectionsOfABackendThatMayNotKeepThemMoveOnce() {
    for (int port = 1; port <= 200; port++) {
      send(both, tcp(port, SYN), 0);
      send(both, tcp(port, ACK), 0);
      assertThat(send(b1IsPaused, tcp(port, ACK), 1)).isSameAs(b2.endpoint());
      assertThat(send(both, tcp(port, ACK), 2)).as("where it is now").isSameAs(b2.endpoint());
    }
  }

  @Test
  void aNewConnectionOnTheSamePortsIsANewFlow() {
    int port = portOfB1();
    send(both, tcp(port, SYN), 0);
    send(both, tcp(port, ACK), 0);
    assertThat(send(b1Drains, tcp(port, SYN), 1)).as("not ended").isSameAs(b1.endpoint());
    assertThat(send(b1Drains, tcp(port, FIN), 2)).isSameAs(b1.endpoint());
    assertThat(send(b1Drains, tcp(port, ACK), 2)).isSameAs(b1.endpoint());
    assertThat(send(b1Drains, tcp(port, SYN), 3)).isSameAs(b2.endpoint());
  }

  @Test
  void errorsGoToTheFlowThatTheyQuoteWhicheverWorkerHasIt() {
    int port = portOfB1();
    Flows other = new Flows(HASH, new FlowTable(4096, FlowTimeouts.DEFAULT));
    send(other, both, tcp(port, SYN), 0);
    send(other, both, tcp(port, ACK), 0);
    assertThat(send(b1Drains, error(port), 1)).as("not known here").isSameAs(b2.endpoint());
    flows.setTables(new FlowTable[] {own, other.table()});
    assertThat(send(b1Drains, error(port), 1)).isSameAs(b1.endpoint());
    assertThat(own.count(1)).as("an error is no packet of the flow").isZero();
    other.table().close();
  }

  /** Its backend may be about to return; the client sends again what it gets no answer to. */
  @Test
  void aConnectionThatIsNotKnownWaitsForTheBackendsThatHaveYetToReturn() {
    int port = portOfB1();
    ForwardingTable b1IsYetToCome = b1IsPaused.awaitingBackends();
    assertThat(send(b1IsYetToCome, tcp(port, ACK), 0)).isNull();
    assertThat(send(b1IsYetToCome, tcp(port, FIN), 0)).isNull();
    assertThat(send(both, tcp(port, ACK), 1)).isSameAs(b1.endpoint());
    assertThat(send(b1IsYetToCome, tcp(port + 1, SYN), 2)).isSameAs(b2.endpoint());
    assertThat(send(b1IsYetToCome, tcp(port + 1, ACK), 2)).as("known").isSameAs(b2.endpoint());
  }

  @Test
  void withoutABackendThereIsNone() {
    ForwardingTable empty = table(List.of());
    assertThat(send(empty, tcp(1, SYN), 0)).isNull();
    assertThat(send(empty, error(1), 0)).isNull();
    assertThat(own.count(0)).isZero();
  }
}
