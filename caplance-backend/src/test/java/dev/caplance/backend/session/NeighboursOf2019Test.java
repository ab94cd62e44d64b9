package dev.caplance.backend.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.backend.session.SessionStatus.State;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a backend is told to be, and however slow or deaf a load balancer of 2019 is, it never
 * takes another backend out.
 */
class NeighboursOf2019Test {

  private static final InetAddress PEER = IpAddresses.parse("10.0.0.2");
  private static final String[] NEIGHBOURS = {"web-0", "web-2", "web-3", "web-4"};
  private static final List<BackendIntent> INTENTS = List.of(BackendIntent.values());
  private static final int STEPS = 400;

  private final FakeClock clock = new FakeClock();
  private final Balancer2019 balancer = new Balancer2019(NEIGHBOURS);
  private Balancer2019.Link link;
  private Runnable listener;
  private BackendIntent intent = BackendIntent.DEREGISTERED;

  private Membership membership(SplittableRandom random) {
    SessionSettings settings =
        new SessionSettings(
            "web-1",
            IpAddresses.parse("10.0.0.11"),
            List.of(),
            1,
            OptionalInt.empty(),
            Duration.ofSeconds(5),
            Duration.ofSeconds(1),
            Duration.ofSeconds(10),
            List.of(),
            false);
    return new Membership(
        new LoadBalancerAddress(PEER, 1338, true),
        settings,
        (address, onReadable) -> {
          listener = onReadable;
          link = balancer.new Link();
          return new Membership.Connector.PendingConnection(link, () -> true);
        },
        () -> {},
        random,
        clock,
        clock);
  }

  static LongStream seeds() {
    return LongStream.range(0, 200);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void noSequenceHarmsANeighbour(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Membership membership = membership(random);
    intend(membership, BackendIntent.ACTIVE);

    for (int step = 0; step < STEPS; step++) {
      switch (random.nextInt(8)) {
        case 0 -> intend(membership, INTENTS.get(random.nextInt(INTENTS.size())));
        case 1 -> clock.advance(Duration.ofMillis(random.nextInt(6_000)));
        case 2 -> deliverPathProbe(membership);
        case 3, 4 -> listener.run();
        default -> balancer.work();
      }
      membership.tick();
      assertThat(balancer.table()).as("step %d", step).contains(NEIGHBOURS);
    }

    settle(membership);
    List<String> expected = new ArrayList<>(List.of(NEIGHBOURS));
    if (intent == BackendIntent.ACTIVE) {
      expected.add(1, "web-1");
    }
    assertThat(balancer.table()).isEqualTo(expected);
    assertThat(membership.status().state())
        .isEqualTo(intent == BackendIntent.DEREGISTERED ? State.DEREGISTERED : State.REGISTERED);
  }

  private void intend(Membership membership, BackendIntent wanted) {
    if (intent.objectionTo(wanted).isEmpty()) {
      intent = wanted;
      membership.intend(wanted, Requests.Reply.NOBODY);
    }
  }

  private void deliverPathProbe(Membership membership) {
    String token = link.token();
    if (token != null) {
      membership.pathProbe(token, PEER);
    }
  }

  /** Lets everybody finish; time passes only where a connection has to be tried again. */
  private void settle(Membership membership) {
    for (int round = 0; round < 100; round++) {
      while (balancer.work()) {
        // Until everything is read.
      }
      deliverPathProbe(membership);
      listener.run();
      if (membership.status().state() == State.WAITING) {
        clock.advance(Duration.ofSeconds(10));
        membership.tick();
      }
    }
  }
}
