package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sessions that never register, in numbers. */
class HalfOpenSessionsTest {

  private static final int LIMIT = 1024;

  private final RegistryHarness harness = new RegistryHarness();
  private CapturedLog log;

  @BeforeEach
  void keepTheConsoleQuiet() {
    log = new CapturedLog();
  }

  @AfterEach
  void close() {
    log.close();
    harness.close();
  }

  @Test
  void areLimitedAndTheOldestGoesFirst() {
    List<RegistryHarness.Peer> peers = new ArrayList<>();
    for (int i = 0; i < LIMIT; i++) {
      peers.add(harness.connect("10.0.0.66"));
    }
    harness.turn();
    assertThat(peers).noneMatch(peer -> peer.closed);
    peers.add(harness.connect("10.0.0.66"));
    peers.add(harness.connect("10.0.0.66"));
    harness.turn();
    assertThat(peers.stream().filter(peer -> peer.closed))
        .containsExactly(peers.get(0), peers.get(1));
    assertThat(peers.get(0).hear())
        .containsExactly(
            "INVALID there are 1024 sessions that have not registered, this was the oldest of its"
                + " address; try again");
  }

  @Test
  void doNotKeepOutABackendThatTakesItsTime() {
    RegistryHarness.Peer backend = harness.connect("10.0.0.11");
    for (int i = 0; i < 5 * LIMIT; i++) {
      harness.connect("10.0.0.66");
    }
    backend.say("REGISTER web-1 10.0.0.11");
    for (int i = 0; i < 5 * LIMIT; i++) {
      harness.connect("10.0.0.67").say("REGISTER flood-" + i + " 10.0.0.67");
    }
    harness.advance(Duration.ofSeconds(5));
    backend.say("SANE " + harness.dataPath.token("10.0.0.11"));
    assertThat(backend.hear())
        .containsExactly("REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.2");
  }

  @Test
  void neverTouchThoseWhoAreRegistered() {
    List<RegistryHarness.Peer> registered = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      registered.add(harness.registerHealthy("web-" + i, "10.0.1." + i));
    }
    for (int i = 0; i < 3 * LIMIT; i++) {
      harness.connect("10.0.1.7");
    }
    harness.turn();
    assertThat(registered).noneMatch(peer -> peer.closed);
    assertThat(registered).allMatch(peer -> peer.hear().isEmpty());
    assertThat(harness.forwarding()).hasSize(200);
  }

  @Test
  void allEndAtTheRegisterTimeout() {
    List<RegistryHarness.Peer> peers = new ArrayList<>();
    for (int i = 0; i < LIMIT; i++) {
      RegistryHarness.Peer peer = harness.connect("10.0.0." + i % 200);
      if (i % 2 == 0) {
        peer.say("REGISTER web-" + i + " 10.0.2." + i % 200, "SANE wrong");
      }
      peers.add(peer);
    }
    harness.advance(Duration.ofSeconds(10));
    assertThat(peers).allMatch(peer -> peer.closed);
    harness.dataPath.targets.clear();
    harness.advance(Duration.ofSeconds(5));
    assertThat(harness.dataPath.targets).as("no SANITY for those who are gone").isEmpty();
    for (int i = 0; i < LIMIT; i++) {
      peers.add(harness.connect("10.0.0.66"));
    }
    harness.turn();
    assertThat(peers.subList(LIMIT, 2 * LIMIT)).noneMatch(peer -> peer.closed);
  }
}
