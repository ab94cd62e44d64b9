package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The path to a registered backend is proven again and again. */
class PathWatchTest {

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

  private BackendView backend() {
    return harness.entry("web-1").backend();
  }

  @ParameterizedTest
  @CsvSource({
    "probe=1 health=5s, probe=2s",
    "probe=1 health=1s, probe=500ms",
    "probe=1 health=100ms, probe=100ms",
    "probe=1, probe=2s",
    "health=5s, ''",
    "probe=2, ''",
  })
  void theIntervalSuitsBothEndsAndIsToldOnlyToThoseWhoAskForIt(String options, String told) {
    RegistryHarness.Peer peer = harness.connect("10.0.0.11");
    peer.say("REGISTER web-1 10.0.0.11 version=2 " + options);
    peer.say("SANE " + harness.dataPath.token("10.0.0.11"));
    assertThat(peer.hear())
        .containsExactly(("REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.2 " + told).strip());
  }

  @Test
  void aBackendGetsPacketsOnceItIsHealthyAndAProbeWasAnswered() {
    harness.dataPath.answersProbes = false;
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    assertThat(harness.dataPath.probes).as("at once, with the first HEALTH").hasSize(1);
    assertThat(harness.published).isEmpty();
    assertThat(backend().path()).isEqualTo(BackendView.Path.UNPROVEN);

    harness.registry.probeAnswered(harness.dataPath.lastProbe().token());
    harness.turn();
    harness.turn();
    assertThat(harness.forwarding()).containsExactly("web-1");
    assertThat(peer.hear()).as("no line answers a probe").isEmpty();
  }

  @Test
  void aReplyOnTheSessionIsAsGood() {
    harness.dataPath.answersProbes = false;
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    peer.say("SANE " + harness.dataPath.lastProbe().token());
    assertThat(harness.forwarding()).containsExactly("web-1");
    for (int i = 0; i < 20; i++) {
      harness.advance(Duration.ofSeconds(2));
      peer.say("SANE " + harness.dataPath.lastProbe().token());
      peer.say("HEALTH 200");
    }
    assertThat(harness.forwarding()).containsExactly("web-1");
    assertThat(peer.hear()).containsOnly("HEALTHACK 200");
  }

  @Test
  void probesHaveFreshTokensAndAreLargeAndSmallInTurn() {
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    harness.advance(Duration.ofSeconds(10));
    peer.say("HEALTH 200");
    harness.advance(Duration.ofSeconds(8));
    assertThat(harness.dataPath.probes)
        .extracting(RegistryHarness.RecordingDataPath.Probe::padded)
        .containsExactly(true, false, true, false, true, false, true, false, true, false);
    assertThat(harness.dataPath.probes)
        .extracting(RegistryHarness.RecordingDataPath.Probe::token)
        .doesNotHaveDuplicates();
  }

  @Test
  void threeWithoutAReplyMakeTheBackendUnhealthyUntilOneIsAnswered() {
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    log.clear();
    harness.dataPath.answersProbes = false;
    harness.advance(Duration.ofSeconds(6));
    peer.say("HEALTH 200");
    assertThat(harness.forwarding()).containsExactly("web-1");
    harness.advance(Duration.ofSeconds(2));
    assertThat(harness.forwarding()).isEmpty();
    assertThat(harness.retaining()).as("its flows stay").containsExactly("web-1");
    assertThat(backend().health().reason()).isEqualTo("data path");
    assertThat(log.lines())
        .containsExactly(
            "WARN web-1 (10.0.0.11): unhealthy: data path; 3 probes in a row were not answered");
    peer.say("HEALTH 200");
    assertThat(harness.forwarding()).as("what it says itself is not enough").isEmpty();

    harness.dataPath.answersProbes = true;
    harness.advance(Duration.ofSeconds(4));
    assertThat(harness.forwarding()).containsExactly("web-1");
    assertThat(log.lines()).last().isEqualTo("INFO web-1 (10.0.0.11): the data path works again");
  }

  @Test
  void largePacketsThatAreLostMakeItUnhealthyToo() {
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    harness.dataPath.largestThatArrives = 1400;
    harness.advance(Duration.ofSeconds(14));
    peer.say("HEALTH 200");
    assertThat(backend().health().reason()).isEqualTo("data path: packets of 1500 bytes are lost");
    assertThat(harness.forwarding()).isEmpty();
    harness.dataPath.largestThatArrives = 1500;
    harness.advance(Duration.ofSeconds(4));
    assertThat(harness.forwarding()).containsExactly("web-1");
  }

  /** A router has said so meanwhile. */
  @Test
  void aSmallerMtuThatTheKernelKnowsIsAdopted() {
    harness.registerProbed("web-1", "10.0.0.11");
    int id = backend().target().id();
    harness.dataPath.largestThatArrives = 1400;
    harness.dataPath.mtu = 1400;
    harness.advance(Duration.ofSeconds(8));
    assertThat(harness.lastPublished().get(0).target().mtu()).isEqualTo(1400);
    assertThat(harness.lastPublished().get(0).target().id()).isEqualTo(id);
    assertThat(harness.forwarding()).containsExactly("web-1");
  }

  @Test
  void aForgedReplyProvesNothing() {
    harness.dataPath.answersProbes = false;
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    for (int i = 0; i < 1000; i++) {
      harness.registry.probeAnswered("forged-" + i);
      peer.say("SANE forged-" + i);
    }
    assertThat(harness.forwarding()).isEmpty();
    assertThat(peer.hear()).isEmpty();
    assertThat(peer.state()).isEqualTo(BackendSession.State.REGISTERED);
  }

  @Test
  void aReplyThatIsLateProvesThePathAsWell() {
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    harness.dataPath.answersProbes = false;
    for (int i = 0; i < 20; i++) {
      harness.advance(Duration.ofSeconds(2));
      List<RegistryHarness.RecordingDataPath.Probe> probes = harness.dataPath.probes;
      harness.registry.probeAnswered(probes.get(probes.size() - 2).token());
      peer.say("HEALTH 200");
    }
    assertThat(harness.forwarding()).containsExactly("web-1");
  }

  /** Its own standing still is no evidence against anybody. */
  @Test
  void timeInWhichTheLoadBalancerStoodStillCountsForNothing() {
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    harness.registerHealthy("web-2", "10.0.0.12");
    for (int i = 0; i < 5; i++) {
      harness.dataPath.answersProbes = false;
      harness.advance(Duration.ofSeconds(2));
      harness.standStill(Duration.ofSeconds(60));
      harness.registry.probeAnswered(harness.dataPath.lastProbe().token());
      harness.turn();
    }
    assertThat(harness.forwarding()).containsExactly("web-1", "web-2");
    assertThat(peer.closed).isFalse();
  }

  @Test
  void aBackendThatTakesPacketsFromAnAddressThatHasGoneRegistersAgain() {
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    int id = backend().target().id();
    harness.registry.ownAddresses(Set.of(RegistryHarness.LOAD_BALANCER));
    harness.turn();
    assertThat(peer.hear()).isEmpty();
    harness.registry.ownAddresses(Set.of(IpAddresses.parse("10.0.0.3")));
    harness.turn();
    harness.turn();
    assertThat(peer.hear())
        .containsExactly(
            "DEREGISTERED web-1 the load balancer's address 10.0.0.2 has gone; register again");
    assertThat(peer.closed).isTrue();
    assertThat(harness.retaining()).as("its flows wait").containsExactly("web-1");
    harness.registerProbed("web-1", "10.0.0.11");
    assertThat(backend().target().id()).isEqualTo(id);
    assertThat(harness.forwarding()).containsExactly("web-1");
  }
}
