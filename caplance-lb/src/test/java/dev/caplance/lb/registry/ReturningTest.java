package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.session.Intent;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A session that ends without a word does not end the flows of its backend. */
class ReturningTest {

  private final IOException reset = new IOException("Connection reset");

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

  private BackendView backend(String name) {
    return harness.entry(name).backend();
  }

  @Test
  void allSessionsAreGoneButThePathAnswers() {
    List<RegistryHarness.Peer> peers = new ArrayList<>();
    for (int i = 1; i <= 3; i++) {
      peers.add(harness.registerProbed("web-" + i, "10.0.0.1" + i));
    }
    List<BackendView> before = harness.lastPublished();
    peers.forEach(peer -> peer.breakWith(reset));
    harness.advance(Duration.ofMinutes(5));
    assertThat(harness.retaining()).containsExactly("web-1", "web-2", "web-3");
    assertThat(harness.lastPublished()).allMatch(BackendView::mayTakeNewFlows);
    assertThat(harness.lastPublished()).allMatch(BackendView::returning);
    assertThat(harness.lastPublished())
        .extracting(BackendView::target)
        .isEqualTo(before.stream().map(BackendView::target).toList());
    assertThat(harness.forwarding()).isEmpty();

    for (int i = 1; i <= 3; i++) {
      harness.registerProbed("web-" + i, "10.0.0.1" + i);
    }
    assertThat(harness.lastPublished()).isEqualTo(newSessions(before));
  }

  /** The same backends, but for the addresses of their sessions. */
  private List<BackendView> newSessions(List<BackendView> before) {
    return before.stream()
        .map(
            view ->
                new BackendView(
                    view.target(),
                    view.version(),
                    view.intent(),
                    view.reported(),
                    view.path(),
                    false,
                    true,
                    view.services(),
                    backend(view.name()).session(),
                    view.registeredAt()))
        .toList();
  }

  /** Also when it is the whole rack. */
  @Test
  void sessionAndPathAreGone() {
    RegistryHarness.Peer first = harness.registerProbed("web-1", "10.0.0.11");
    RegistryHarness.Peer second = harness.registerProbed("web-2", "10.0.0.12");
    harness.dataPath.answersProbes = false;
    first.breakWith(reset);
    second.breakWith(reset);
    log.clear();
    harness.advance(Duration.ofSeconds(5));
    assertThat(harness.retaining()).containsExactly("web-1", "web-2");
    harness.advance(Duration.ofMillis(3_500));
    assertThat(harness.registered()).isEmpty();
    assertThat(harness.retaining()).isEmpty();
    assertThat(log.lines())
        .contains(
            "WARN web-1 (10.0.0.11): deregistered: it has no session, and its path does not answer"
                + " either");
    int probes = harness.dataPath.probes.size();
    harness.advance(Duration.ofSeconds(10));
    assertThat(harness.dataPath.probes).as("nobody is probed any more").hasSize(probes);
  }

  @Test
  void withoutProbesItIsTenSeconds() {
    RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11");
    peer.breakWith(new EOFException("the peer closed the session"));
    assertThat(backend("web-1").returning()).isTrue();
    harness.advance(Duration.ofMillis(9_900));
    assertThat(harness.retaining()).containsExactly("web-1");
    assertThat(harness.lastPublished().get(0).mayTakeNewFlows()).isTrue();
    harness.advance(Duration.ofMillis(100));
    assertThat(harness.registered()).isEmpty();
    assertThat(harness.retaining()).isEmpty();
    assertThat(log.lines())
        .last()
        .isEqualTo("WARN web-1 (10.0.0.11): deregistered: it has not returned");
  }

  @Test
  void itGetsNewFlowsAgainWithItsFirstHealth() {
    harness.registerHealthy("web-2", "10.0.0.12");
    harness.registerHealthy("web-1", "10.0.0.11").breakWith(reset);
    int id = backend("web-1").target().id();
    assertThat(harness.forwarding()).containsExactly("web-2");
    RegistryHarness.Peer again = harness.register("web-1", "10.0.0.11", "version=2 health=5s");
    harness.advance(Duration.ofSeconds(3));
    assertThat(harness.forwarding()).containsExactly("web-2");
    assertThat(harness.retaining()).containsExactly("web-1", "web-2");
    again.say("HEALTH 200");
    assertThat(harness.forwarding()).containsExactly("web-1", "web-2");
    assertThat(backend("web-1").target().id()).isEqualTo(id);
    harness.advance(Duration.ofSeconds(12));
    assertThat(harness.registered()).containsExactly("web-1", "web-2");
  }

  @Test
  void aSilentSessionIsOneThatIsGone() {
    harness.registerProbed("web-1", "10.0.0.11");
    harness.advance(Duration.ofSeconds(60));
    assertThat(backend("web-1").returning()).isTrue();
    assertThat(harness.retaining()).containsExactly("web-1");
  }

  @Test
  void itsIntentIsKept() {
    RegistryHarness.Peer paused = harness.registerProbed("web-1", "10.0.0.11");
    RegistryHarness.Peer draining = harness.registerProbed("web-2", "10.0.0.12");
    paused.say("PAUSE web-1");
    draining.say("DRAIN web-2");
    paused.breakWith(reset);
    draining.breakWith(reset);
    harness.advance(Duration.ofSeconds(30));
    assertThat(backend("web-1").intent()).isEqualTo(Intent.PAUSED);
    assertThat(backend("web-2").intent()).isEqualTo(Intent.DRAINING);
    assertThat(harness.retaining()).containsExactly("web-2");
    assertThat(harness.lastPublished()).noneMatch(BackendView::mayTakeNewFlows);
  }

  @Test
  void aWordEndsAllAtOnce() {
    RegistryHarness.Peer peer = harness.registerProbed("web-1", "10.0.0.11");
    peer.say("DEREGISTER web-1");
    assertThat(harness.registered()).isEmpty();
  }

  /** It may have got another address meanwhile. */
  @Test
  void itsNameIsFree() {
    harness.registerProbed("web-1", "10.0.0.11").breakWith(reset);
    harness.registerProbed("web-1", "10.0.0.12");
    assertThat(harness.forwarding()).containsExactly("web-1");
    assertThat(harness.registered()).containsExactly("web-1");
    assertThat(harness.retaining()).hasSize(1);
    harness.advance(Duration.ofSeconds(12));
    assertThat(harness.registered()).containsExactly("web-1");
  }

  @Test
  void stoppingTheLoadBalancerMindsNobodyWhoIsAway() {
    harness.registerProbed("web-1", "10.0.0.11").breakWith(reset);
    RegistryHarness.Peer there = harness.registerProbed("web-2", "10.0.0.12");
    harness.registry.stop();
    assertThat(there.hear()).containsExactly("DEREGISTERED web-2 load balancer is stopping");
  }
}
