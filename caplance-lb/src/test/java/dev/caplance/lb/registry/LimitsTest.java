package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.IpAddresses;
import java.io.EOFException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What one peer can do to a load balancer and to other backends. */
class LimitsTest {

  private final RegistryHarness harness = new RegistryHarness();
  private CapturedLog log;

  @BeforeEach
  void captureTheLog() {
    log = new CapturedLog();
  }

  @AfterEach
  void close() {
    log.close();
    harness.close();
  }

  private RegistryHarness.Peer registerFrom(String peer, String name, String address) {
    RegistryHarness.Peer session = harness.connect(peer);
    session.say("REGISTER " + name + " " + address + " version=2 services=a,b,c,d,e,f,g,h");
    session.say("SANE " + harness.dataPath.token(address));
    return session;
  }

  @Test
  void oneAddressRegistersSoManyBackendsAndNoMore() {
    for (int i = 0; i < RegistryHarness.MAX_BACKENDS_PER_ADDRESS; i++) {
      registerFrom("10.0.0.66", "web-" + i, "10.0.1." + i);
    }
    RegistryHarness.Peer refused = harness.connect("10.0.0.66");
    refused.say("REGISTER one-more 10.0.2.1 version=2");
    assertThat(refused.hear())
        .containsExactly(
            "INVALID the limit of 64 backends registered from 10.0.0.66 is reached;"
                + " session.maxBackendsPerAddress at the load balancer sets it");
    assertThat(log.lines())
        .last()
        .asString()
        .startsWith("WARN session from 10.0.0.66:")
        .contains("for one-more: refused: the limit of 64");

    registerFrom("10.0.0.66", "web-7", "10.0.1.7");
    harness.registerHealthy("another", "10.0.0.11");
    assertThat(harness.registered())
        .as("reconnections and others are not affected")
        .hasSize(RegistryHarness.MAX_BACKENDS_PER_ADDRESS + 1);
  }

  /** It goes on where it was: same index and generation, so its flows stay. */
  @Test
  void oneDataAddressIsOneBackendWhateverItsName() {
    RegistryHarness.Peer old = harness.registerHealthy("web-1", "10.0.0.11");
    Target before = harness.lastPublished().get(0).target();
    RegistryHarness.Peer fresh = harness.connect("10.0.0.11");
    fresh.say("REGISTER web-2 10.0.0.11 version=2 health=5s");
    assertThat(old.state()).isEqualTo(BackendSession.State.REGISTERED);
    fresh.say("SANE " + harness.dataPath.token("10.0.0.11"));

    assertThat(old.hear()).containsExactly("DEREGISTERED web-1 a new session has taken over");
    assertThat(old.closed).isTrue();
    assertThat(harness.registered()).containsExactly("web-2");
    assertThat(harness.forwarding()).containsExactly("web-2");
    Target after = harness.lastPublished().get(0).target();
    assertThat(after.id()).isEqualTo(before.id());
    assertThat(after.name()).isEqualTo("web-2");
    assertThat(log.lines())
        .contains(
            "WARN web-1 (10.0.0.11): replaced by web-2 (10.0.0.11), which has the same data"
                + " address");
    fresh.say("DEREGISTER web-2");
    assertThat(harness.registered()).isEmpty();
    harness.registerHealthy("web-1", "10.0.0.12");
    assertThat(harness.forwarding()).as("the old name is free").containsExactly("web-1");
  }

  /**
   * Nor do hundreds of registrations each second from elsewhere keep a backend from registering.
   */
  @Test
  void aFloodOfRegistrationsForOneDataAddressLeavesItsBackendAlone() {
    RegistryHarness.Peer backend = harness.connect("10.0.0.11");
    for (int i = 0; i < 900; i++) {
      RegistryHarness.Peer flood = harness.connect("10.0.0." + (60 + i % 100));
      flood.say("REGISTER flood-" + i + " 10.0.0.11 version=2");
      if (i % 3 == 0) {
        flood.breakWith(new EOFException());
      }
      if (i == 500) {
        int sent = harness.dataPath.targets.size();
        backend.say("REGISTER web-1 10.0.0.11 version=2");
        assertThat(harness.dataPath.targets).as("its own datagram").hasSize(sent + 1);
        backend.say("SANE " + harness.dataPath.token("10.0.0.11"));
      }
    }
    assertThat(harness.registered()).containsExactly("web-1");
    harness.dataPath.targets.clear();
    harness.advance(Duration.ofSeconds(5));
    assertThat(Collections.frequency(harness.dataPath.targets, IpAddresses.parse("10.0.0.11")))
        .isLessThanOrEqualTo(5 * ProvingSessions.MAX_OF_A_KIND);
  }

  @Test
  void fewSessionsProveOneDataAddress() {
    List<RegistryHarness.Peer> foreign = new ArrayList<>();
    List<RegistryHarness.Peer> own = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      foreign.add(harness.connect("10.0.0.66"));
      foreign.get(i).say("REGISTER foreign-" + i + " 10.0.0.11 version=2");
      own.add(harness.connect("10.0.0.11"));
      own.get(i).say("REGISTER own-" + i + " 10.0.0.11 version=2");
    }
    assertThat(foreign.get(4).hear())
        .containsExactly(
            "INVALID the limit of 4 sessions that prove 10.0.0.11 from other addresses is reached;"
                + " try again, or connect from that address");
    assertThat(own.get(0).hear())
        .containsExactly("INVALID a newer session from 10.0.0.11 took its place");
    assertThat(own.subList(1, 5)).noneMatch(peer -> peer.closed);
    assertThat(foreign.subList(0, 4)).noneMatch(peer -> peer.closed);
    harness.advance(Duration.ofSeconds(10));
    RegistryHarness.Peer late = harness.connect("10.0.0.66");
    late.say("REGISTER late 10.0.0.11 version=2");
    assertThat(late.closed).isFalse();
  }
}
