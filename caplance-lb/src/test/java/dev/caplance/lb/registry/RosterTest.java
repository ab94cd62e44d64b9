package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** After a restart, the load balancer knows which backends are still missing. */
class RosterTest {

  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void aLoadBalancerWithThreeBackendsHasCrashed() throws IOException {
    file = directory.resolve("state/backends");
    RegistryHarness before = new RegistryHarness(file);
    before.registerHealthy("b1", "10.0.0.11");
    before.registerHealthy("b2", "10.0.0.12");
    before.registerHealthy("b3", "10.0.0.13");
    assertThat(before.complete).isTrue();
    before.advance(Duration.ofSeconds(2));
    before.crash();
    awaitNames("b1", "b2", "b3");
  }

  /** The file is written by a thread of its own. */
  private void awaitNames(String... names) {
    await()
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(Files.readAllLines(file)).containsExactly(names));
  }

  @Test
  void theTableIsCompleteWhenAllHaveReturnedInWhateverState() {
    try (RegistryHarness next = new RegistryHarness(file)) {
      next.registerHealthy("b1", "10.0.0.11");
      next.registerHealthy("another", "10.0.0.19");
      assertThat(next.forwarding()).containsExactly("another", "b1");
      assertThat(next.complete).isFalse();
      next.register("b2", "10.0.0.12", "version=2", "health=5s", "intent=paused");
      RegistryHarness.Peer unhealthy = next.register("b3", "10.0.0.13", "version=2", "health=5s");
      assertThat(next.complete).isFalse();
      unhealthy.say("HEALTH 503 application does not answer");
      assertThat(next.complete).isTrue();
      assertThat(next.forwarding()).containsExactly("another", "b1");
    }
  }

  @Test
  void theWaitEndsAfterTheGracePeriod() {
    try (RegistryHarness next = new RegistryHarness(file)) {
      next.registerHealthy("b1", "10.0.0.11").say("HEALTH 200");
      next.advance(Duration.ofSeconds(14));
      next.registerHealthy("b2", "10.0.0.12");
      next.advance(Duration.ofSeconds(14));
      next.registerHealthy("b1", "10.0.0.11");
      assertThat(next.complete).isFalse();
      next.advance(Duration.ofSeconds(2));
      assertThat(next.complete).isTrue();
    }
  }

  @Test
  void aCrashDuringTheWaitKeepsTheNames() throws IOException {
    try (RegistryHarness next = new RegistryHarness(file)) {
      next.registerHealthy("b1", "10.0.0.11");
      next.advance(Duration.ofSeconds(5));
      assertThat(Files.readAllLines(file)).containsExactly("b1", "b2", "b3");
    }
  }

  @Test
  void backendsThatDrainedOrLeftAreNotAwaited() throws IOException {
    try (RegistryHarness next = new RegistryHarness(file)) {
      next.registerHealthy("b1", "10.0.0.11");
      RegistryHarness.Peer drained = next.registerHealthy("b2", "10.0.0.12");
      RegistryHarness.Peer gone = next.registerHealthy("b3", "10.0.0.13");
      drained.say("DRAIN b2");
      gone.say("DEREGISTER b3");
      next.advance(Duration.ofSeconds(2));
      awaitNames("b1");
    }
  }

  /** A 2019 backend ends with its load balancer, so waiting for it would only delay the others. */
  @Test
  void backendsOf2019AreNotAwaited() throws IOException {
    try (RegistryHarness next = new RegistryHarness(file)) {
      next.register("old", "10.0.0.19").say("HEALTH 200");
      for (String name : List.of("b1", "b2", "b3")) {
        next.registerHealthy(name, "10.0.0.1" + name.charAt(1));
      }
      next.registry.stop();
      assertThat(Files.readAllLines(file)).containsExactly("b1", "b2", "b3");
    }
  }

  /** A crash while all sessions are broken must not find an empty list. */
  @Test
  void returningBackendsAreAwaited() throws IOException {
    try (RegistryHarness next = new RegistryHarness(file)) {
      List<RegistryHarness.Peer> peers = new ArrayList<>();
      for (String name : List.of("b1", "b2", "b3")) {
        peers.add(next.registerHealthy(name, "10.0.0.1" + name.charAt(1)));
      }
      peers.forEach(peer -> peer.breakWith(new EOFException("reset")));
      next.advance(Duration.ofSeconds(3));
      next.registry.stop();
      assertThat(Files.readAllLines(file)).containsExactly("b1", "b2", "b3");
    }
  }

  /** It has said that it is healthy, but gets no packets yet, so it is still missing. */
  @Test
  void aBackendWhosePathIsNotProvenIsStillAwaited() {
    try (RegistryHarness next = new RegistryHarness(file)) {
      next.registerHealthy("b1", "10.0.0.11");
      next.registerHealthy("b2", "10.0.0.12");
      next.dataPath.answersProbes = false;
      RegistryHarness.Peer last = next.registerProbed("b3", "10.0.0.13");
      assertThat(next.complete).isFalse();
      last.say("SANE " + next.dataPath.lastProbe().token());
      assertThat(next.complete).isTrue();
      assertThat(next.forwarding()).containsExactly("b1", "b2", "b3");
    }
  }

  @Test
  void aStopKeepsTheNames() throws IOException {
    try (RegistryHarness next = new RegistryHarness(file)) {
      for (String name : List.of("b1", "b2", "b3", "b4")) {
        next.registerHealthy(name, "10.0.0.1" + name.charAt(1));
      }
      next.registry.stop();
      assertThat(Files.readAllLines(file)).containsExactly("b1", "b2", "b3", "b4");
    }
  }

  @Test
  void aDamagedFileIsSetAsideAndNobodyIsAwaited() throws IOException {
    Files.delete(file);
    Files.createSymbolicLink(file, Path.of("nowhere"));
    try (RegistryHarness next = new RegistryHarness(file)) {
      next.registerHealthy("b1", "10.0.0.11");
      assertThat(next.complete).isTrue();
      next.advance(Duration.ofSeconds(2));
      awaitNames("b1");
    }
  }
}
