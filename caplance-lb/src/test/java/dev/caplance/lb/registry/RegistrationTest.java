package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.FramingException;
import dev.caplance.session.Intent;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Registration, reconnection and deregistration of backends, with a clock that only the test
 * advances.
 */
class RegistrationTest {

  private final RegistryHarness harness = new RegistryHarness();

  @AfterEach
  void close() {
    harness.close();
  }

  @Test
  void aBackendRegistersProvesItsPathAndGetsPacketsOnceItIsHealthy() {
    RegistryHarness.Peer peer = harness.connect("10.0.0.11");
    peer.say("REGISTER web-1 10.0.0.11 version=2 health=5s intent=active");
    assertThat(peer.hear()).isEmpty();
    assertThat(harness.registered()).isEmpty();
    assertThat(harness.dataPath.targets).containsExactly(IpAddresses.parse("10.0.0.11"));

    peer.say("SANE " + harness.dataPath.token("10.0.0.11"));
    assertThat(peer.hear()).containsExactly("REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.2");
    assertThat(harness.registered()).containsExactly("web-1");
    assertThat(harness.published).as("no packets before the first HEALTH 200").isEmpty();

    peer.say("HEALTH 503 still starting");
    assertThat(peer.hear()).containsExactly("HEALTHACK 200");
    assertThat(harness.published).isEmpty();

    peer.say("HEALTH 200");
    assertThat(peer.hear()).containsExactly("HEALTHACK 200");
    assertThat(harness.forwarding()).containsExactly("web-1");
    BackendView backend = harness.published.get(0).get(0);
    assertThat(backend.dataAddress()).isEqualTo(IpAddresses.parse("10.0.0.11"));
    assertThat(backend.target().address()).isEqualTo(IpAddresses.parse("10.0.0.11"));
    assertThat(backend.legacy()).isFalse();

    peer.say("HEALTH 503 connection refused");
    assertThat(harness.forwarding()).isEmpty();
    peer.say("HEALTH 200");
    assertThat(harness.forwarding()).containsExactly("web-1");
    assertThat(harness.published.get(2).get(0).target())
        .as("its flows stay")
        .isSameAs(backend.target());
  }

  @Test
  void sanityIsSentEverySecondWithOneTokenUntilItIsAnswered() {
    RegistryHarness.Peer peer = harness.connect("10.0.0.11");
    peer.say("REGISTER web-1 10.0.0.11");
    String token = harness.dataPath.token("10.0.0.11");
    harness.advance(Duration.ofMillis(900));
    assertThat(harness.dataPath.targets).hasSize(1);
    harness.advance(Duration.ofMillis(3_200));
    assertThat(harness.dataPath.targets).hasSize(5);
    assertThat(harness.dataPath.token("10.0.0.11")).isEqualTo(token);

    peer.say("SANE " + token);
    assertThat(peer.hear()).containsExactly("REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.2");
    harness.advance(Duration.ofSeconds(20));
    assertThat(harness.dataPath.targets).hasSize(5);
  }

  @Test
  void aSessionWithoutSaneInTimeIsRefused() {
    RegistryHarness.Peer peer = harness.connect("10.0.0.11");
    peer.say("REGISTER web-1 10.0.0.11");
    peer.say("SANE wrong");
    assertThat(peer.hear()).hasSize(1);
    harness.advance(Duration.ofMillis(9_900));
    assertThat(peer.closed).isFalse();
    assertThat(harness.dataPath.targets).hasSize(10);
    harness.advance(Duration.ofMillis(100));
    assertThat(peer.hear())
        .containsExactly(
            "INVALID no SANE in time; SANITY was sent to 10.0.0.11 UDP port 1337; check that the"
                + " port is open");
    assertThat(peer.closed).isTrue();
    harness.advance(Duration.ofSeconds(5));
    assertThat(harness.dataPath.targets).hasSize(10);
  }

  @Test
  void aSilentSessionIsRefusedInTime() {
    RegistryHarness.Peer peer = harness.connect("10.0.0.11");
    harness.advance(Duration.ofMillis(9_900));
    assertThat(peer.closed).isFalse();
    harness.advance(Duration.ofMillis(100));
    assertThat(peer.hear())
        .containsExactly("INVALID no REGISTER in time; send REGISTER <name> <data-ip>");
    assertThat(peer.closed).isTrue();
  }

  @Test
  void aTokenOfAnotherSessionProvesNothing() {
    RegistryHarness.Peer first = harness.connect("10.0.0.11");
    RegistryHarness.Peer second = harness.connect("10.0.0.12");
    first.say("REGISTER web-1 10.0.0.11");
    second.say("REGISTER web-2 10.0.0.12");
    second.say("SANE " + harness.dataPath.token("10.0.0.11"));
    assertThat(second.hear()).singleElement().asString().startsWith("INVALID wrong token");
    assertThat(harness.registered()).isEmpty();
  }

  @Test
  void silenceEndsARegistrationAfterThreeHealthIntervals() {
    RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11"); // health=5s
    harness.advance(Duration.ofMillis(14_900));
    peer.say("nonsense is a word too");
    peer.hear();
    harness.advance(Duration.ofMillis(14_900));
    assertThat(harness.forwarding()).containsExactly("web-1");
    harness.advance(Duration.ofMillis(100));
    assertThat(peer.hear()).containsExactly("DEREGISTERED web-1 health check timeout ran out");
    assertThat(peer.closed).isTrue();
    assertThat(harness.forwarding()).isEmpty();
    harness.advance(Backend.UNPROBED_RETURN);
    assertThat(harness.registered()).isEmpty();
  }

  @Test
  void withoutAHealthIntervalItIsTheReadTimeoutOfTheConfiguration() {
    RegistryHarness.Peer peer = harness.register("web-1", "10.0.0.11");
    harness.advance(Duration.ofMillis(29_900));
    assertThat(peer.closed).isFalse();
    harness.advance(Duration.ofMillis(100));
    assertThat(peer.hear()).containsExactly("DEREGISTERED web-1 health check timeout ran out");
  }

  @ParameterizedTest
  @CsvSource({"active, true", "draining, false", "paused, false"})
  void theIntentAtRegisterHolds(String intent, boolean forwarding) {
    RegistryHarness.Peer peer =
        harness.register("web-1", "10.0.0.11", "version=2", "intent=" + intent);
    peer.say("HEALTH 200");
    assertThat(harness.forwarding().contains("web-1")).isEqualTo(forwarding);
    assertThat(harness.entry("web-1").backend().intent().word()).isEqualTo(intent);
  }

  @Test
  void aBrokenSessionEndsNewFlowsAtOnce() {
    harness.registerHealthy("web-2", "10.0.0.12");
    for (IOException cause :
        List.of(new EOFException("the peer closed the session"), new IOException("reset"))) {
      RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11");
      peer.breakWith(cause);
      assertThat(peer.hear()).isEmpty();
      assertThat(peer.closed).isTrue();
      assertThat(harness.forwarding()).containsExactly("web-2");
    }
  }

  @Test
  void bytesThatAreNoLinesEndTheSessionWithAReason() {
    RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11");
    peer.breakWith(new FramingException("byte 0x16 is not printable ASCII"));
    assertThat(peer.hear()).containsExactly("INVALID byte 0x16 is not printable ASCII");
    assertThat(peer.closed).isTrue();
    assertThat(harness.forwarding()).isEmpty();
  }

  @Test
  void aReconnectionTakesOverWithoutInterruptingTraffic() {
    RegistryHarness.Peer old = harness.registerHealthy("web-1", "10.0.0.11");
    BackendView before = harness.published.get(0).get(0);
    harness.advance(Duration.ofSeconds(3));

    RegistryHarness.Peer fresh = harness.connect("10.0.0.11");
    fresh.say("REGISTER web-1 10.0.0.11 version=2 health=5s intent=active");
    assertThat(old.state())
        .as("until the new one is sane")
        .isEqualTo(BackendSession.State.REGISTERED);
    fresh.say("SANE " + harness.dataPath.token("10.0.0.11"));

    assertThat(fresh.hear()).containsExactly("REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.2");
    assertThat(old.hear()).containsExactly("DEREGISTERED web-1 a new session has taken over");
    assertThat(old.closed).isTrue();
    assertThat(harness.published).containsExactly(List.of(before));
    BackendView status = harness.entry("web-1").backend();
    assertThat(status.session()).isEqualTo(fresh.peer());
    assertThat(status.registeredAt()).isEqualTo(RegistryHarness.START);

    old.say("DEREGISTER web-1");
    old.breakWith(new EOFException());
    harness.advance(Duration.ofSeconds(14));
    assertThat(harness.registered()).as("the old session is nobody").containsExactly("web-1");
    fresh.say("HEALTH 503 broken");
    assertThat(harness.forwarding()).isEmpty();
  }

  @Test
  void aReconnectionThatWasNotHealthyStaysOutUntilItIs() {
    harness.register("web-1", "10.0.0.11", "version=2");
    RegistryHarness.Peer fresh = harness.register("web-1", "10.0.0.11", "version=2");
    assertThat(harness.published).isEmpty();
    fresh.say("HEALTH 200");
    assertThat(harness.forwarding()).containsExactly("web-1");
  }

  @ParameterizedTest
  @CsvSource({
    "1500, '', 1500",
    "1500, mtu=1400, 1400",
    "1500, mtu=9000, 1500",
    "9000, mtu=9000, 9000",
    "9000, '', 9000",
  })
  void theMtuIsTheSmallerOfBothEnds(int here, String offer, int mtu) {
    harness.dataPath.mtu = here;
    harness.register("web-1", "10.0.0.11", "version=2", offer).say("HEALTH 200");
    assertThat(harness.entry("web-1").backend().target().mtu()).isEqualTo(mtu);
    assertThat(harness.lastPublished().get(0).target().maxPacket()).isEqualTo(mtu - 28);
  }

  @Test
  void theMtuOfAReconnectionReplacesTheOldOne() {
    harness.register("web-1", "10.0.0.11", "version=2", "mtu=1400");
    harness.register("web-1", "10.0.0.11", "version=2", "mtu=1300");
    assertThat(harness.entry("web-1").backend().target().mtu()).isEqualTo(1300);
  }

  @Test
  void anOfferThatIsWrongIsRefusedWithWhatWouldBeRight() {
    RegistryHarness.Peer peer = harness.connect("10.0.0.11");
    peer.say("REGISTER web-1 10.0.0.11 version=2 weight=1000");
    assertThat(peer.hear())
        .containsExactly("INVALID weight=1000 is not a whole number from 1 to 256");
    assertThat(peer.closed).isTrue();
  }

  @Test
  void theIntentOfAReconnectionReplacesTheOldOne() {
    harness.registerHealthy("web-1", "10.0.0.11");
    harness.register("web-1", "10.0.0.11", "version=2", "intent=paused");
    assertThat(harness.forwarding()).isEmpty();
    harness.register("web-1", "10.0.0.11", "version=2");
    assertThat(harness.forwarding()).containsExactly("web-1");
  }

  @Test
  void aRegisteredNameIsRefusedFromAnotherAddress() {
    harness.registerHealthy("web-1", "10.0.0.11");
    RegistryHarness.Peer thief = harness.connect("10.0.0.66");
    thief.say("REGISTER web-1 10.0.0.66");
    assertThat(thief.hear())
        .containsExactly(
            "INVALID name in use: web-1 (10.0.0.11) is registered; choose another name, or"
                + " reconnect with the same data address");
    assertThat(thief.closed).isTrue();
    assertThat(harness.forwarding()).containsExactly("web-1");
  }

  @Test
  void ofTwoBackendsWithOneNameTheFirstToProveItsPathGetsIt() {
    RegistryHarness.Peer slow = harness.connect("10.0.0.11");
    slow.say("REGISTER web-1 10.0.0.11");
    RegistryHarness.Peer quick = harness.registerHealthy("web-1", "10.0.0.12");
    slow.say("SANE " + harness.dataPath.token("10.0.0.11"));
    assertThat(slow.hear()).singleElement().asString().startsWith("INVALID name in use");
    assertThat(slow.closed).isTrue();
    quick.say("DEREGISTER web-1");
    harness.registerHealthy("web-1", "10.0.0.11");
    assertThat(harness.forwarding()).containsExactly("web-1");
  }

  @Test
  void aDataAddressThatIsRefusedEndsTheSessionWithTheReason() {
    harness.dataPath.refused.put(IpAddresses.parse("::1"), "::1 is a loopback address; register");
    RegistryHarness.Peer neighbour = harness.registerHealthy("web-2", "10.0.0.12");
    RegistryHarness.Peer peer = harness.connect("10.0.0.11");
    peer.say("REGISTER x ::1");
    assertThat(peer.hear()).containsExactly("INVALID ::1 is a loopback address; register");
    assertThat(peer.closed).isTrue();
    assertThat(harness.dataPath.targets).doesNotContain(IpAddresses.parse("::1"));
    neighbour.say("HEALTH 200");
    assertThat(neighbour.hear()).containsExactly("HEALTHACK 200");
  }

  @Test
  void backendsOf2019NeedAServiceThatIsMarkedForThem() {
    RegistryHarness.Peer old = harness.register("old", "10.0.0.19");
    old.say("HEALTH 200");
    harness.registerHealthy("web-1", "10.0.0.11");
    assertThat(harness.published.get(1))
        .extracting(BackendView::name, BackendView::legacy)
        .containsExactly(tuple("old", true), tuple("web-1", false));

    try (RegistryHarness modern = new RegistryHarness(false, 10)) {
      RegistryHarness.Peer refused = modern.connect("10.0.0.19");
      refused.say("REGISTER old 10.0.0.19");
      assertThat(refused.hear())
          .containsExactly(
              "INVALID no service here is for 2019 backends, which register without version=; mark"
                  + " one with legacy: true at the load balancer, or register with version=2");
      assertThat(refused.closed).isTrue();
      modern.registerHealthy("web-1", "10.0.0.11");
      assertThat(modern.forwarding()).containsExactly("web-1");
    }
  }

  @Test
  void aSecondPauseRemovesNobody() {
    RegistryHarness.Peer first = harness.registerHealthy("web-1", "10.0.0.11");
    harness.registerHealthy("web-2", "10.0.0.12");
    harness.registerHealthy("web-3", "10.0.0.13");
    first.say("PAUSE web-1", "PAUSE web-1", "PAUSE web-1");
    assertThat(first.hear())
        .containsExactly(
            "PAUSED web-1", "INVALID backend already paused", "INVALID backend already paused");
    assertThat(harness.forwarding()).containsExactly("web-2", "web-3");
    first.say("DEREGISTER web-1");
    assertThat(harness.forwarding()).containsExactly("web-2", "web-3");
    assertThat(harness.registered()).containsExactly("web-2", "web-3");
  }

  @Test
  void linesAfterTheEndOfASessionDoNothing() {
    harness.registerHealthy("web-2", "10.0.0.12");
    RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11");
    peer.say("DEREGISTER web-1", "REGISTER web-1 10.0.0.11", "PAUSE web-2", "HEALTH 200");
    assertThat(peer.hear()).containsExactly("DEREGISTERED web-1 the backend asked for it");
    assertThat(harness.registered()).containsExactly("web-2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"PAUSE web-1", "DRAIN web-1", "DEREGISTER web-1"})
  void whatABackendHearsIsTrueAlready(String line) {
    RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11");
    // An earlier answer in the same turn must not let the confirmation overtake the table.
    peer.sayWithinTheTurn("HEALTH 200", line);
    assertThat(peer.hear()).isEmpty();
    harness.turn();
    assertThat(peer.hear()).hasSize(2).first().isEqualTo("HEALTHACK 200");
    assertThat(peer.forwardingWhenHeard).isEmpty();
  }

  @Test
  void statusTellsWhatAnOperatorAsks() {
    RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11");
    harness.register("old", "10.0.0.19");
    harness.advance(Duration.ofSeconds(4));
    peer.say("HEALTH 503 connection refused", "DRAIN web-1");
    harness.advance(Duration.ofSeconds(2));

    BackendView status = harness.entry("web-1").backend();
    assertThat(status.dataAddress()).isEqualTo(IpAddresses.parse("10.0.0.11"));
    assertThat(status.version()).isEqualTo(2);
    assertThat(status.intent()).isEqualTo(Intent.DRAINING);
    assertThat(status.health())
        .isEqualTo(
            new BackendView.Health(
                BackendView.Health.Condition.UNHEALTHY, 503, "connection refused"));
    assertThat(status.takesNewFlows()).isFalse();
    assertThat(status.target().weight()).isEqualTo(1);
    assertThat(status.services()).isEqualTo(ServedServices.ALL);
    assertThat(status.target().mtu()).isEqualTo(1500);
    assertThat(status.session()).isEqualTo(peer.peer());
    assertThat(harness.entry("web-1").silence()).isEqualTo(Duration.ofSeconds(2));
    assertThat(status.registeredAt()).isEqualTo(RegistryHarness.START);

    BackendView old = harness.entry("old").backend();
    assertThat(old.version()).isEqualTo(2019);
    assertThat(old.health()).isEqualTo(BackendView.Health.UNKNOWN);
    assertThat(harness.registered()).containsExactly("old", "web-1");
  }
}
