package dev.caplance.backend.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PeerStateTest {

  private static String lines(List<Message> messages) {
    return messages.stream()
        .map(MessageCodec::format)
        .collect(
            Collectors.collectingAndThen(Collectors.joining(", "), s -> s.isEmpty() ? null : s));
  }

  private static LoadBalancerAddress peer(boolean legacy) {
    return new LoadBalancerAddress(IpAddresses.parse("10.0.0.2"), 1338, legacy);
  }

  @ParameterizedTest
  @CsvSource({
    "ACTIVE, ACTIVE,",
    "ACTIVE, DRAINING, DRAIN w",
    "ACTIVE, PAUSED, PAUSE w",
    "DRAINING, ACTIVE, RESUME w",
    "DRAINING, DRAINING,",
    "DRAINING, PAUSED, PAUSE w",
    "PAUSED, ACTIVE, RESUME w",
    "PAUSED, DRAINING, 'RESUME w, DRAIN w'",
    "PAUSED, PAUSED,",
  })
  void changes(BackendIntent before, BackendIntent after, String lines) {
    PeerState peer = new PeerState("w", peer(false), before, true);
    assertThat(lines(peer.become(after))).isEqualTo(lines);
    assertThat(peer.become(after)).isEmpty();
    assertThat(peer.beforeTheEnd()).isEmpty();
    assertThat(lines(peer.leave())).isEqualTo("DEREGISTER w");
  }

  @ParameterizedTest
  @CsvSource({
    "ACTIVE, ACTIVE,, DEREGISTER w",
    "ACTIVE, DRAINING, PAUSE w, 'RESUME w, DEREGISTER w'",
    "ACTIVE, PAUSED, PAUSE w, 'RESUME w, DEREGISTER w'",
    "DRAINING, ACTIVE, RESUME w, DEREGISTER w",
    "DRAINING, DRAINING,, 'RESUME w, DEREGISTER w'",
    "DRAINING, PAUSED,, 'RESUME w, DEREGISTER w'",
    "PAUSED, ACTIVE, RESUME w, DEREGISTER w",
    "PAUSED, DRAINING,, 'RESUME w, DEREGISTER w'",
    "PAUSED, PAUSED,, 'RESUME w, DEREGISTER w'",
  })
  void changesIn2019(BackendIntent before, BackendIntent after, String lines, String leaving) {
    PeerState peer = new PeerState("w", peer(true), before, true);
    assertThat(lines(peer.become(after))).isEqualTo(lines);
    assertThat(peer.become(after)).isEmpty();
    assertThat(lines(peer.leave())).isEqualTo(leaving);
    assertThat(peer.beforeTheEnd()).isEmpty();
  }

  @Test
  void whatALoadBalancerOf2019WasToldInRegisterItHasNotRead() {
    PeerState peer = new PeerState("w", peer(false), BackendIntent.DRAINING, true);
    assertThat(peer.told()).isEqualTo(Intent.DRAINING);

    peer.becomeLegacy();

    assertThat(peer.told()).isEqualTo(Intent.ACTIVE);
    assertThat(lines(peer.become(BackendIntent.DRAINING))).isEqualTo("PAUSE w");
    assertThat(lines(peer.beforeTheEnd())).isEqualTo("RESUME w");
  }

  /** A load balancer of 2019 does nothing about HEALTH 503. */
  @Test
  void anUnhealthyBackendPausesWhereHealthMeansNothing() {
    PeerState peer = new PeerState("w", peer(true), BackendIntent.ACTIVE, true);
    peer.health(false);
    assertThat(peer.pausesUnhealthy()).isTrue();
    assertThat(lines(peer.become(BackendIntent.ACTIVE))).isEqualTo("PAUSE w");
    assertThat(peer.become(BackendIntent.DRAINING)).as("never PAUSE twice").isEmpty();
    assertThat(lines(peer.leave())).isEqualTo("RESUME w, DEREGISTER w");
    peer.health(true);
    assertThat(lines(peer.become(BackendIntent.PAUSED))).isEqualTo("PAUSE w");
    assertThat(lines(peer.become(BackendIntent.ACTIVE))).isEqualTo("RESUME w");
  }

  @Test
  void elsewhereOrIfNotWantedItDoesNot() {
    PeerState peer = new PeerState("w", peer(false), BackendIntent.ACTIVE, false);
    assertThat(peer.become(BackendIntent.ACTIVE)).isEmpty();
    LoadBalancerAddress unwanted =
        new LoadBalancerAddress(IpAddresses.parse("10.0.0.2"), 1338, true, false);
    PeerState stays = new PeerState("w", unwanted, BackendIntent.ACTIVE, false);
    assertThat(stays.become(BackendIntent.ACTIVE)).isEmpty();
    assertThat(stays.pausesUnhealthy()).isFalse();
  }
}
