package dev.caplance.backend.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A session whose path is probed again and again, and which is told the VIPs. */
class ProbedSessionTest {

  private static final String REGISTERED =
      "REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.3 probe=2s";

  private final FakeClock clock = new FakeClock();
  private final FakeConnection connection = new FakeConnection().establish();
  private final List<String> events = new ArrayList<>();
  private Session session;

  private void begin(boolean legacy, boolean answersProbes, List<String> vips) {
    session =
        new Session(
            new LoadBalancerAddress(IpAddresses.parse("10.0.0.2"), 1338, legacy),
            new SessionSettings(
                "web-1",
                IpAddresses.parse("10.0.0.11"),
                List.of(),
                1,
                OptionalInt.empty(),
                Duration.ofSeconds(5),
                Duration.ofSeconds(1),
                Duration.ofSeconds(2),
                vips.stream().map(IpAddresses::parse).toList(),
                answersProbes),
            connection.asConnection(),
            clock,
            new Recorder(),
            BackendIntent.ACTIVE,
            new Message.Health(200, ""),
            Requests.Reply.NOBODY);
  }

  private void register() {
    begin(false, true, List.of("10.0.0.50"));
    hear(REGISTERED, "SERVING web-1 services=1", "HEALTHACK 200");
    connection.takeSent();
    events.clear();
  }

  private void hear(String... lines) {
    for (String line : lines) {
      connection.give(line);
    }
    session.read();
  }

  private void pass(Duration time) {
    clock.advance(time);
    session.tick();
  }

  private final class Recorder implements SessionOwner, SessionNews {

    @Override
    public SessionNews news() {
      return this;
    }

    @Override
    public void registered(InetAddress from, boolean legacy) {}

    @Override
    public void acknowledged() {}

    @Override
    public void operatorSaid(Intent operatorIntent) {}

    @Override
    public void serving(int services, List<String> unknown) {
      events.add("serving " + services + " " + unknown);
    }

    @Override
    public void pathLost(Duration silence) {
      events.add("path lost after " + silence.toMillis() + " ms");
    }

    @Override
    public void pathRestored() {
      events.add("path restored");
    }

    @Override
    public void pausedWhileUnhealthy(boolean paused) {}

    @Override
    public void troubled(String problem) {
      events.add("troubled: " + problem);
    }

    @Override
    public void ended(String reason) {
      events.add("ended: " + reason);
    }
  }

  @Test
  void tellsItsVipsBeforeHealthAsksForPackets() {
    begin(false, true, List.of("10.0.0.50", "2001:db8::50"));
    assertThat(connection.takeSent())
        .containsExactly("REGISTER web-1 10.0.0.11 version=2 health=5s intent=active probe=1");
    hear(REGISTERED);
    assertThat(connection.takeSent())
        .containsExactly("SERVES web-1 vips=10.0.0.50,2001:db8::50", "HEALTH 200");
    hear("SERVING web-1 services=0 unknown=wbe,mial", "HEALTHACK 200");
    assertThat(events).containsExactly("serving 0 [wbe, mial]");
    hear("SERVING web-1 services=1");
    assertThat(events).endsWith("troubled: unexpected line 'SERVING web-1 services=1'");
  }

  @Test
  void manyVipsTakeManyLinesAndTheLastAnswerCounts() {
    begin(false, true, IntStream.range(0, 2000).mapToObj(i -> "2001:db8::1:" + i).toList());
    hear(REGISTERED);
    List<String> sent = connection.takeSent();
    assertThat(sent).hasSizeGreaterThan(66).endsWith("HEALTH 200");
    assertThat(sent.stream().filter(line -> line.startsWith("SERVES "))).hasSize(sent.size() - 2);
    session.tick();
    assertThat(events).as("not too many without an answer").isEmpty();
    for (int i = 1; i < sent.size() - 1; i++) {
      hear("SERVING web-1 services=" + i);
    }
    assertThat(events).containsExactly("serving " + (sent.size() - 2) + " []");
  }

  @Test
  void olderLoadBalancersHearNothingThatTheyDoNotKnow() {
    begin(false, true, List.of("10.0.0.50"));
    hear("REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.3");
    connection.takeSent();
    assertThat(session.path()).isEmpty();
    session.probed("t", true);
    assertThat(connection.takeSent()).isEmpty();
    pass(Duration.ofSeconds(5));
    hear("HEALTHACK 200", "HEALTHACK 200");
    pass(Duration.ofSeconds(5));
    hear("HEALTHACK 200");
    assertThat(connection.takeSent()).containsExactly("HEALTH 200", "HEALTH 200");
  }

  @Test
  void oneOf2019IsOfferedNothing() {
    begin(true, true, List.of("10.0.0.50"));
    assertThat(connection.takeSent())
        .containsExactly("REGISTER web-1 10.0.0.11 version=2 health=5s intent=active");
    hear("REGISTERED web-1 10.0.0.11");
    assertThat(connection.takeSent()).containsExactly("HEALTH 200");
  }

  @Test
  void aMachineThatCannotDeliverProbesOffersNone() {
    begin(false, false, List.of("10.0.0.50"));
    assertThat(connection.takeSent())
        .containsExactly("REGISTER web-1 10.0.0.11 version=2 health=5s intent=active");
    hear(REGISTERED);
    assertThat(connection.takeSent()).containsExactly("HEALTH 200");
  }

  @Test
  void answersProbesOnTheSessionWithoutExpectingAnAnswer() {
    register();
    session.probed("t1", true);
    session.probed("t2", false);
    assertThat(connection.takeSent()).containsExactly("SANE t1");
    hear("INVALID no");
    assertThat(events).containsExactly("troubled: says INVALID: no");
  }

  @Test
  void reportsALostPathAsUnhealthyUntilAProbeArrives() {
    register();
    pass(Duration.ofSeconds(5));
    hear("HEALTHACK 200");
    assertThat(connection.takeSent()).containsExactly("HEALTH 200");
    assertThat(Duration.ofNanos(session.untilDue())).isEqualTo(Duration.ofSeconds(2));

    pass(Duration.ofSeconds(2));
    assertThat(events).containsExactly("path lost after 7000 ms");
    assertThat(connection.takeSent()).containsExactly("HEALTH 503 data path");
    pass(Duration.ofSeconds(5));
    assertThat(connection.takeSent()).containsExactly("HEALTH 503 data path");
    session.health(new Message.Health(503, "disk full"));
    session.health(new Message.Health(200, ""));
    assertThat(connection.takeSent())
        .containsExactly("HEALTH 503 disk full", "HEALTH 503 data path");

    session.probed("t", true);
    assertThat(events).endsWith("path restored");
    assertThat(connection.takeSent()).containsExactly("HEALTH 200", "SANE t");
  }
}
