package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.io.EOFException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is published: which backends, in which order, how often. */
class ForwardingSetTest {

  @Test
  void isOrderedByTheBytesOfTheNames() {
    try (RegistryHarness harness = new RegistryHarness()) {
      int host = 10;
      for (String name : List.of("web-2", "web-10", "_x", "Web-1", "a", ".", "web-1", "9")) {
        harness.registerHealthy(name, "10.0.0." + host++);
      }
      assertThat(harness.forwarding())
          .containsExactly(".", "9", "Web-1", "_x", "a", "web-1", "web-10", "web-2");
    }
  }

  @Test
  void isPublishedOnceForAllThatHappensInATurn() {
    try (RegistryHarness harness = new RegistryHarness()) {
      List<RegistryHarness.Peer> peers = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        peers.add(harness.register("web-" + i, "10.0.1." + i, "version=2"));
      }
      assertThat(harness.published).isEmpty();
      peers.forEach(peer -> peer.sayWithinTheTurn("HEALTH 200"));
      harness.turn();
      assertThat(harness.published).hasSize(1);
      assertThat(harness.forwarding()).hasSize(50);
    }
  }

  @Test
  void isNotPublishedWhenItIsTheSame() {
    try (RegistryHarness harness = new RegistryHarness()) {
      RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11");
      RegistryHarness.Peer paused = harness.register("web-2", "10.0.0.12", "intent=paused");
      paused.say("HEALTH 200");
      peer.say("PAUSE web-1", "RESUME web-1");
      peer.say("HEALTH 503", "HEALTH 200");
      paused.say("HEALTH 500", "DEREGISTER web-2");
      peer.say("HEALTH 200");
      assertThat(harness.published).hasSize(1);
    }
  }

  /** Which states retain flows and which take new ones, over the life of a backend. */
  @Test
  void aBackendKeepsItsFlowsUntilItIsPausedOrGone() {
    try (RegistryHarness harness = new RegistryHarness()) {
      RegistryHarness.Peer peer = harness.register("web-1", "10.0.0.11", "version=2");
      peer.say("HEALTH 503 starting");
      assertThat(harness.retaining()).as("before the first HEALTH 200").isEmpty();
      peer.say("HEALTH 200");
      assertThat(harness.retaining()).containsExactly("web-1");
      assertThat(harness.forwarding()).containsExactly("web-1");
      for (String line : List.of("HEALTH 503 broken", "DRAIN web-1", "HEALTH 200")) {
        peer.say(line);
        assertThat(harness.retaining()).as(line).containsExactly("web-1");
        assertThat(harness.forwarding()).as(line).isEmpty();
      }
      RegistryHarness.Peer again =
          harness.register("web-1", "10.0.0.11", "version=2", "intent=draining");
      assertThat(harness.retaining()).as("through a reconnection").containsExactly("web-1");
      again.say("PAUSE web-1");
      assertThat(harness.retaining()).isEmpty();
      again.say("RESUME web-1");
      assertThat(harness.forwarding()).containsExactly("web-1");
      again.say("DEREGISTER web-1");
      assertThat(harness.retaining()).isEmpty();
      harness.register("web-1", "10.0.0.11", "version=2").say("HEALTH 503 starting");
      assertThat(harness.retaining()).as("after registering anew").isEmpty();
    }
  }

  @Test
  void carriesWhatABackendOffersAndTheReconnectionReplacesIt() {
    try (RegistryHarness harness = new RegistryHarness()) {
      harness
          .register("web-1", "10.0.0.11", "version=2", "services=web,mail", "weight=7")
          .say("HEALTH 200");
      BackendView before = harness.lastPublished().get(0);
      assertThat(before.target().weight()).isEqualTo(7);
      assertThat(before.services().names()).containsExactlyInAnyOrder("web", "mail");
      assertThat(before.serves(service("mail", false))).isTrue();
      assertThat(before.serves(service("dns", false))).isFalse();

      harness.register("web-1", "10.0.0.11", "version=2");
      BackendView after = harness.lastPublished().get(0);
      assertThat(after.target().weight()).isEqualTo(1);
      assertThat(after.services()).isEqualTo(ServedServices.ALL);
      assertThat(after.serves(service("dns", false))).isTrue();
      assertThat(after.target().id()).isEqualTo(before.target().id());
    }
  }

  private static ServiceSpec service(String name, boolean legacy) {
    return new ServiceSpec(
        name,
        RegistryHarness.VIP,
        Ports.ALL,
        legacy,
        ServiceSpec.WhenAllUnhealthy.FORWARD,
        ServiceSpec.WhenEmpty.REJECT,
        ServiceSpec.OtherTraffic.HOST);
  }

  /** Flow tables keep ids: one that was used before means another backend. */
  @Test
  void anIndexThatIsUsedAgainHasAnotherGeneration() {
    try (RegistryHarness harness = new RegistryHarness()) {
      harness.registerHealthy("web-1", "10.0.0.11");
      RegistryHarness.Peer second = harness.registerHealthy("web-2", "10.0.0.12");
      Target before = harness.lastPublished().get(1).target();
      second.say("DEREGISTER web-2");
      harness.registerHealthy("web-3", "10.0.0.13");
      Target after = harness.lastPublished().get(1).target();
      assertThat(after.index()).isEqualTo(before.index());
      assertThat(after.id()).isNotEqualTo(before.id());
      assertThat(harness.lastPublished().get(0).target().id()).isNotZero();
    }
  }

  /** A backend gets no reply until the data plane has put the change into effect. */
  @Test
  void repliesWaitUntilTheChangeIsInEffect() {
    try (RegistryHarness harness = new RegistryHarness()) {
      RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11");
      harness.inEffect = false;
      peer.say("PAUSE web-1");
      harness.advance(Duration.ofMillis(300));
      assertThat(peer.hear()).isEmpty();
      assertThat(harness.retaining()).isEmpty();
      harness.inEffect = true;
      harness.advance(Duration.ofMillis(200));
      assertThat(peer.hear()).containsExactly("PAUSED web-1");
      int publications = harness.published.size();
      harness.advance(Duration.ofSeconds(1));
      assertThat(harness.published).hasSize(publications);
    }
  }

  @Test
  void aBackendOf2019ServesTheLegacyServiceAlone() {
    try (RegistryHarness harness = new RegistryHarness()) {
      harness.register("old", "10.0.0.19").say("HEALTH 200");
      BackendView old = harness.lastPublished().get(0);
      assertThat(old.serves(service("web", true))).isTrue();
      assertThat(old.serves(service("mail", false))).isFalse();
    }
  }

  @Test
  void aPublisherThatFailsHoldsBackNoReplies() {
    try (RegistryHarness harness = new RegistryHarness()) {
      RegistryHarness.Peer peer = harness.registerHealthy("web-1", "10.0.0.11");
      harness.publishingFails = true;
      peer.say("PAUSE web-1");
      assertThat(peer.hear()).containsExactly("PAUSED web-1");
      harness.publishingFails = false;
      harness.registerHealthy("web-2", "10.0.0.12");
      assertThat(harness.forwarding()).containsExactly("web-2");
    }
  }

  @Test
  void holdsAsManyAsATableCanAndRefusesMore() {
    try (RegistryHarness harness = new RegistryHarness(true, 3)) {
      for (int i = 0; i < 3; i++) {
        harness.registerHealthy("web-" + i, address(i));
      }
      RegistryHarness.Peer last = harness.connect("10.9.9.9");
      last.say("REGISTER one-more 10.9.9.9 version=2");
      assertThat(last.hear())
          .containsExactly(
              "INVALID the limit of 3 registered backends is reached; session.maxBackends at the"
                  + " load balancer sets it");
      RegistryHarness.Peer again = harness.register("web-1", address(1), "version=2");
      again.say("DEREGISTER web-1");
      harness.registerHealthy("one-more", "10.9.9.9");
      assertThat(harness.forwarding()).containsExactly("one-more", "web-0", "web-2");
    }
  }

  /**
   * Whatever happened, in whatever order: the set is the one that a fresh registry makes of those
   * that are left.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void isWhatAFreshRegistryMakesOfTheSurvivors(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    try (RegistryHarness harness = new RegistryHarness();
        RegistryHarness fresh = new RegistryHarness();
        CapturedLog quiet = new CapturedLog()) {
      Map<String, RegistryHarness.Peer> peers = new HashMap<>();
      Map<String, Expected> expected = new TreeMap<>();
      for (int change = 0; change < 200; change++) {
        registerOrDepart(random, harness, peers, expected);
        for (int commands = random.nextInt(6); commands > 0; commands--) {
          command(random, peers, expected);
        }
      }
      expected.forEach(
          (name, backend) -> {
            RegistryHarness.Peer peer =
                fresh.register(name, backend.address, backend.offer + " intent=" + backend.intent);
            peer.say("HEALTH 200", "HEALTH " + backend.health);
          });
      // Those whose sessions broke are given up.
      harness.advance(Backend.UNPROBED_RETURN);
      assertThat(view(harness)).isEqualTo(view(fresh)).hasSizeGreaterThan(1);
      assertThat(harness.registered()).containsExactlyElementsOf(expected.keySet());
      assertThat(quiet.lines()).isNotEmpty();
    }
  }

  /** What the test knows of a backend, by the rules of the protocol and not of the registry. */
  private static final class Expected {
    final String address;
    final String offer;
    String intent = "active";
    int health = 200;

    Expected(String address, String offer) {
      this.address = address;
      this.offer = offer;
    }
  }

  /** What packets are forwarded by, but for indexes, which depend on what has been before. */
  private static List<String> view(RegistryHarness harness) {
    return harness.lastPublished().stream()
        .map(
            backend ->
                String.join(
                    " ",
                    backend.name(),
                    IpAddresses.format(backend.dataAddress()),
                    "weight " + backend.target().weight(),
                    "mtu " + backend.target().mtu(),
                    "services " + new TreeSet<>(backend.services().names()),
                    "legacy " + backend.legacy(),
                    "takes " + backend.takesNewFlows(),
                    "drains " + backend.draining()))
        .toList();
  }

  private static final List<String> OFFERS =
      List.of(
          "version=2",
          "version=2 weight=3",
          "version=2 services=web",
          "version=2 weight=256 services=mail,web",
          "mtu=1400");

  private static void registerOrDepart(
      SplittableRandom random,
      RegistryHarness harness,
      Map<String, RegistryHarness.Peer> peers,
      Map<String, Expected> expected) {
    int number = random.nextInt(40);
    String name = "web-" + number;
    RegistryHarness.Peer peer = peers.get(name);
    if (peer == null || random.nextInt(4) == 0) {
      // Either new, or the same backend in a new session.
      String offer = OFFERS.get(random.nextInt(OFFERS.size()));
      RegistryHarness.Peer registered = harness.register(name, address(number), offer);
      registered.say("HEALTH 200");
      peers.put(name, registered);
      expected.put(name, new Expected(address(number), offer));
      return;
    }
    switch (random.nextInt(3)) {
      case 0 -> peer.say("DEREGISTER " + name);
      case 1 -> peer.say("DEREGISTER " + name, "DEREGISTER " + name, "PAUSE " + name);
      default -> peer.breakWith(new EOFException());
    }
    peers.remove(name);
    expected.remove(name);
  }

  private static void command(
      SplittableRandom random,
      Map<String, RegistryHarness.Peer> peers,
      Map<String, Expected> expected) {
    if (peers.isEmpty()) {
      return;
    }
    List<String> names = List.copyOf(expected.keySet());
    String name = names.get(random.nextInt(names.size()));
    Expected backend = expected.get(name);
    String line;
    switch (random.nextInt(7)) {
      case 0 -> {
        line = "PAUSE " + name;
        backend.intent = "paused";
      }
      case 1 -> {
        line = "RESUME " + name;
        backend.intent = "active";
      }
      case 2 -> {
        line = "DRAIN " + name;
        backend.intent = backend.intent.equals("active") ? "draining" : backend.intent;
      }
      case 3 -> {
        line = "HEALTH 503 broken";
        backend.health = 503;
      }
      case 4 -> {
        line = "HEALTH 200";
        backend.health = 200;
      }
      case 5 -> line = "PAUSE " + names.get(random.nextInt(names.size())) + "x";
      default -> line = "nonsense";
    }
    String[] repeated = new String[random.nextInt(1, 4)];
    Arrays.fill(repeated, line);
    peers.get(name).say(repeated);
  }

  private static String address(int number) {
    return "10.0.1." + number;
  }
}
