package dev.caplance.backend.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.FramingException;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The state machine of one session; the test is the load balancer and the clock. */
class SessionTest {

  private static final InetAddress PEER = IpAddresses.parse("10.0.0.2");
  private static final LoadBalancerAddress LOAD_BALANCER =
      new LoadBalancerAddress(PEER, 1338, false);
  private static final LoadBalancerAddress OLD_ONE = new LoadBalancerAddress(PEER, 1338, true);
  private static final SessionSettings SETTINGS =
      new SessionSettings(
          "web-1",
          IpAddresses.parse("10.0.0.11"),
          List.of(),
          1,
          OptionalInt.empty(),
          Duration.ofSeconds(5),
          Duration.ofSeconds(1),
          Duration.ofSeconds(30),
          List.of(),
          false);
  private static final String REGISTERED = "REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.3";
  private static final String REGISTERED_2019 = "REGISTERED web-1 10.0.0.11";

  private final FakeClock clock = new FakeClock();
  private final FakeConnection connection = new FakeConnection();
  private final List<String> events = new ArrayList<>();
  private Session session;

  /** How far a session has come before the line of a test. */
  private enum Phase {
    CONNECTING,
    REGISTERING,
    PROVED,
    REGISTERED,
    PAUSING,
    LEAVING,
    ENDED
  }

  private void bring(Phase phase) {
    begin(LOAD_BALANCER, BackendIntent.ACTIVE);
    if (phase.compareTo(Phase.REGISTERING) >= 0) {
      connection.establish();
    }
    if (phase.compareTo(Phase.PROVED) >= 0) {
      session.pathProbe("t1", true);
    }
    if (phase.compareTo(Phase.REGISTERED) >= 0) {
      hear(REGISTERED);
    }
    if (phase.compareTo(Phase.PAUSING) >= 0) {
      hear("HEALTHACK 200");
    }
    if (phase == Phase.PAUSING) {
      session.intend(BackendIntent.PAUSED, reply("pause"));
    } else if (phase.compareTo(Phase.LEAVING) >= 0) {
      session.deregister(reply("deregister"));
    }
    if (phase == Phase.ENDED) {
      hear("DEREGISTERED web-1 bye");
    }
    connection.takeSent();
    events.clear();
  }

  private void begin(LoadBalancerAddress loadBalancer, BackendIntent intent) {
    session =
        new Session(
            loadBalancer,
            SETTINGS,
            connection.asConnection(),
            clock,
            new Recorder(),
            intent,
            new Message.Health(200, ""),
            reply("register"));
  }

  private Requests.Reply reply(String name) {
    return (confirmed, text) ->
        events.add(name + (confirmed ? " confirmed: " : " failed: ") + text);
  }

  private void hear(String... lines) {
    for (String line : lines) {
      connection.give(line);
    }
    session.read();
  }

  private List<String> takeEvents() {
    List<String> taken = List.copyOf(events);
    events.clear();
    return taken;
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
    public void registered(InetAddress from, boolean legacy) {
      events.add("registered from " + IpAddresses.format(from) + (legacy ? ", 2019" : ""));
    }

    @Override
    public void acknowledged() {
      events.add("acknowledged");
    }

    @Override
    public void operatorSaid(Intent operatorIntent) {
      events.add("operator: " + operatorIntent.word());
    }

    @Override
    public void serving(int services, List<String> unknown) {
      events.add("serving " + services + (unknown.isEmpty() ? "" : ", unknown " + unknown));
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
    public void pausedWhileUnhealthy(boolean paused) {
      events.add(paused ? "paused while unhealthy" : "no longer paused");
    }

    @Override
    public void troubled(String problem) {
      events.add("troubled: " + problem);
    }

    @Override
    public void ended(String reason) {
      events.add("ended: " + reason);
    }
  }

  // --- Every line in every phase ---

  private static final List<String> LINES =
      List.of(
          REGISTERED,
          "REGISTERED web-2 10.0.0.11 version=2",
          "REGISTERED web-1 10.0.0.12 version=2",
          "HEALTHACK 200",
          "PAUSED web-1",
          "PAUSED web-2",
          "DRAINING web-1",
          "DRAINING web-2",
          "RESUMED web-1",
          "RESUMED web-2",
          "DEREGISTERED web-1 bye",
          "DEREGISTERED web-2 bye",
          "INVALID no",
          "REGISTER web-1 10.0.0.11",
          "SANE t1",
          "HEALTH 200",
          "PAUSE web-1",
          "DRAIN web-1",
          "RESUME web-1",
          "DEREGISTER web-1",
          "HTTP/1.1 400 Bad Request",
          "paused web-1",
          "HEALTHACK",
          "");

  private static final String UNEXPECTED = "unexpected line '%s'";

  private static final List<String> REGISTRATION =
      List.of("registered from 10.0.0.3", "register confirmed: REGISTERED", "> HEALTH 200");

  private static List<String> endedUnregistered(String reason) {
    return List.of("ended: " + reason, "register failed: " + reason);
  }

  private static final Map<String, List<String>> WHILE_REGISTERING =
      Map.of(
          REGISTERED,
          REGISTRATION,
          "REGISTERED web-2 10.0.0.11 version=2",
          endedUnregistered("registered web-2 10.0.0.11 instead of this backend"),
          "REGISTERED web-1 10.0.0.12 version=2",
          endedUnregistered("registered web-1 10.0.0.12 instead of this backend"),
          "DEREGISTERED web-1 bye",
          endedUnregistered("deregistered by the load balancer: bye"),
          "DEREGISTERED web-2 bye",
          endedUnregistered("deregistered by the load balancer: bye"),
          "INVALID no",
          endedUnregistered("refused: no"));

  private static final Map<String, List<String>> ONCE_REGISTERED =
      Map.of(
          "HEALTHACK 200",
          List.of("acknowledged"),
          "PAUSED web-1",
          List.of("operator: paused"),
          "DRAINING web-1",
          List.of("operator: draining"),
          "RESUMED web-1",
          List.of("operator: active"),
          "DEREGISTERED web-1 bye",
          List.of("ended: deregistered by the load balancer: bye"),
          "INVALID no",
          List.of("troubled: refused HEALTH 200: no"));

  private static final Map<Phase, Map<String, List<String>>> OTHERWISE =
      Map.of(
          Phase.CONNECTING,
          Map.of(),
          Phase.REGISTERING,
          Map.of(),
          Phase.PROVED,
          Map.of("INVALID no", List.of("troubled: refused: no")),
          Phase.REGISTERED,
          Map.of(),
          Phase.PAUSING,
          Map.of(
              "PAUSED web-1",
              List.of("pause confirmed: PAUSED"),
              "DEREGISTERED web-1 bye",
              List.of(
                  "ended: deregistered by the load balancer: bye",
                  "pause failed: deregistered by the load balancer: bye"),
              "INVALID no",
              List.of("pause failed: INVALID no", "troubled: refused PAUSE web-1: no")),
          Phase.LEAVING,
          Map.of(
              "DEREGISTERED web-1 bye",
              List.of("deregister confirmed: DEREGISTERED", "ended: deregistered"),
              "INVALID no",
              List.of(
                  "deregister failed: INVALID no",
                  "troubled: refused DEREGISTER web-1: no",
                  "ended: refused to deregister this backend: no")),
          Phase.ENDED,
          Map.of());

  static Stream<Arguments> everyLineInEveryPhase() {
    return Stream.of(Phase.values())
        .flatMap(phase -> LINES.stream().map(line -> Arguments.of(phase, line)));
  }

  private static List<String> outcome(Phase phase, String line) {
    if (phase == Phase.ENDED) {
      return List.of();
    }
    boolean registered = phase.compareTo(Phase.REGISTERED) >= 0;
    Map<String, List<String>> usual = registered ? ONCE_REGISTERED : WHILE_REGISTERING;
    String unexpected = String.format(UNEXPECTED, line);
    List<String> stray =
        registered ? List.of("troubled: " + unexpected) : endedUnregistered(unexpected);
    return OTHERWISE.get(phase).getOrDefault(line, usual.getOrDefault(line, stray));
  }

  @ParameterizedTest
  @MethodSource
  void everyLineInEveryPhase(Phase phase, String line) {
    bring(phase);

    hear(line);

    List<String> outcome = new ArrayList<>(takeEvents());
    connection.takeSent().forEach(sent -> outcome.add("> " + sent));
    assertThat(outcome).isEqualTo(outcome(phase, line));
    boolean ended = outcome.stream().anyMatch(event -> event.startsWith("ended"));
    assertThat(connection.closed()).isEqualTo(ended || phase == Phase.ENDED);
  }

  @ParameterizedTest
  @EnumSource
  void aBrokenConnectionEndsTheSessionInEveryPhase(Phase phase) {
    bring(phase);

    connection.breakWith(new EOFException("the peer closed the session"));
    session.read();

    assertThat(takeEvents())
        .isEqualTo(
            switch (phase) {
              case CONNECTING, REGISTERING, PROVED ->
                  endedUnregistered("the peer closed the session");
              case REGISTERED -> List.of("ended: the peer closed the session");
              case PAUSING ->
                  List.of(
                      "ended: the peer closed the session",
                      "pause failed: the peer closed the session");
              case LEAVING ->
                  List.of(
                      "ended: the peer closed the session",
                      "deregister failed: the peer closed the session");
              case ENDED -> List.of();
            });
    assertThat(connection.closed()).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void onlyARegisteredSessionTellsWhatTheBackendWants(Phase phase) {
    bring(phase);

    session.health(new Message.Health(503, "disk full"));

    assertThat(connection.takeSent())
        .isEqualTo(
            phase == Phase.REGISTERED || phase == Phase.PAUSING
                ? List.of("HEALTH 503 disk full")
                : List.of());
  }

  @ParameterizedTest
  @EnumSource
  void onlyARegisteringSessionAnswersPathProbes(Phase phase) {
    bring(phase);

    session.pathProbe("t2", true);

    assertThat(connection.takeSent())
        .isEqualTo(
            phase == Phase.REGISTERING || phase == Phase.PROVED ? List.of("SANE t2") : List.of());
  }

  // --- Registration ---

  @Test
  void announcesItselfAtOnce() {
    begin(LOAD_BALANCER, BackendIntent.DRAINING);
    assertThat(connection.takeSent())
        .containsExactly("REGISTER web-1 10.0.0.11 version=2 health=5s intent=draining");
  }

  @Test
  void announcesWhatItOffers() {
    SessionSettings settings =
        new SessionSettings(
            "web-1",
            SETTINGS.dataAddress(),
            List.of("web", "db"),
            3,
            OptionalInt.of(9000),
            SETTINGS.healthInterval(),
            SETTINGS.reconnectInitial(),
            SETTINGS.reconnectMax(),
            List.of(),
            false);
    assertThat(MessageCodec.format(settings.register(false, Intent.PAUSED)))
        .isEqualTo(
            "REGISTER web-1 10.0.0.11 version=2 health=5s intent=paused services=web,db weight=3"
                + " mtu=9000");
  }

  @Test
  void answersEachTokenOnceAndRegistersThoughOneWasWrong() {
    bring(Phase.REGISTERING);

    session.pathProbe("wrong", true);
    session.pathProbe("right", true);
    session.pathProbe("wrong", true);
    session.pathProbe("right", true);
    assertThat(connection.takeSent()).containsExactly("SANE wrong", "SANE right");

    hear("INVALID that token was not sent to you", REGISTERED, "INVALID unfit", "HEALTHACK 200");
    assertThat(takeEvents())
        .containsExactly(
            "troubled: refused: that token was not sent to you",
            "registered from 10.0.0.3",
            "register confirmed: REGISTERED",
            "troubled: refused HEALTH 200: unfit",
            "acknowledged");
  }

  @Test
  void whatIsRefusedAfterTheRightTokenIsTheOtherToken() {
    bring(Phase.REGISTERING);
    session.pathProbe("right", true);
    session.pathProbe("wrong", true);
    hear(REGISTERED);
    takeEvents();

    hear("INVALID that token was not sent to you", "HEALTHACK 200");

    assertThat(takeEvents())
        .containsExactly(
            "troubled: refused SANE wrong: that token was not sent to you", "acknowledged");
  }

  @Test
  void strangersCannotUseUpTheRoomForTokens() {
    bring(Phase.REGISTERING);
    for (int i = 0; i < 1000; i++) {
      session.pathProbe("stranger-" + i, false);
    }
    assertThat(connection.takeSent()).hasSize(Registration.MAX_TOKENS_OF_OTHERS);
    for (int i = 0; i < 1000; i++) {
      session.pathProbe("peer-" + i, true);
    }
    assertThat(connection.takeSent())
        .hasSize(Registration.MAX_TOKENS - Registration.MAX_TOKENS_OF_OTHERS)
        .startsWith("SANE peer-0");
  }

  @Test
  void theReasonOfARefusalOutlivesTheEndOfTheConnection() {
    bring(Phase.PROVED);
    connection.breakWith(new EOFException("the peer closed the session"));

    hear("INVALID name in use");

    assertThat(takeEvents())
        .containsExactly(
            "troubled: refused: name in use",
            "ended: refused: name in use",
            "register failed: refused: name in use");
  }

  @Test
  void packetsComeFromThePeerWhenTheLoadBalancerDoesNotSay() {
    bring(Phase.PROVED);
    hear("REGISTERED web-1 10.0.0.11 version=2");
    assertThat(takeEvents()).startsWith("registered from 10.0.0.2");
  }

  @Test
  void anIntentThatChangedDuringRegistrationIsToldBeforeHealth() {
    bring(Phase.PROVED);
    session.intend(BackendIntent.PAUSED, reply("pause"));
    assertThat(takeEvents())
        .containsExactly("pause failed: not connected; will be told when it is");

    hear(REGISTERED);

    assertThat(connection.takeSent()).containsExactly("PAUSE web-1", "HEALTH 200");
    hear("PAUSED web-1", "HEALTHACK 200");
    assertThat(takeEvents())
        .containsExactly(
            "registered from 10.0.0.3", "register confirmed: REGISTERED", "acknowledged");
  }

  @ParameterizedTest
  @EnumSource(names = {"CONNECTING", "REGISTERING", "PROVED"})
  void leavingBeforeRegistrationHangsUp(Phase phase) {
    bring(phase);

    session.deregister(reply("deregister"));

    assertThat(connection.takeSent()).isEmpty();
    assertThat(connection.closed()).isTrue();
    assertThat(takeEvents())
        .containsExactly(
            "ended: not registered yet",
            "register failed: not registered yet",
            "deregister failed: was not registered there");
  }

  // --- Commands ---

  @Test
  void eachChangeOfIntentIsConfirmedByItsOwnAnswer() {
    bring(Phase.REGISTERED);
    hear("HEALTHACK 200");
    takeEvents();

    session.intend(BackendIntent.DRAINING, reply("drain"));
    session.intend(BackendIntent.PAUSED, reply("pause"));
    session.intend(BackendIntent.ACTIVE, reply("resume"));
    assertThat(connection.takeSent()).containsExactly("DRAIN web-1", "PAUSE web-1", "RESUME web-1");
    assertThat(takeEvents()).isEmpty();

    hear("DRAINING web-1", "PAUSED web-1", "RESUMED web-1");
    assertThat(takeEvents())
        .containsExactly(
            "drain confirmed: DRAINING", "pause confirmed: PAUSED", "resume confirmed: RESUMED");
  }

  @Test
  void theFirstOfTwoEqualAnswersIsOursAndTheOtherTheOperators() {
    bring(Phase.PAUSING);
    hear("PAUSED web-1", "PAUSED web-1", "RESUMED web-1");
    assertThat(takeEvents())
        .containsExactly("pause confirmed: PAUSED", "operator: paused", "operator: active");
  }

  @Test
  void nobodyWaitsForAnAnswerLongerThanTenSeconds() {
    bring(Phase.PAUSING);

    pass(Duration.ofSeconds(5));
    hear("HEALTHACK 200");
    pass(Duration.ofMillis(4999));
    assertThat(takeEvents()).containsExactly("acknowledged");
    pass(Duration.ofMillis(1));
    assertThat(takeEvents())
        .containsExactly("pause failed: no answer within 10 s; it will still happen");

    hear("PAUSED web-1");
    assertThat(takeEvents()).as("a late answer is no operator's doing").isEmpty();
  }

  @Test
  void leavesThoughDeregisterIsNotAnswered() {
    bring(Phase.LEAVING);

    pass(Duration.ofSeconds(5));
    assertThat(connection.takeSent()).as("no more HEALTH after DEREGISTER").isEmpty();
    pass(Duration.ofSeconds(5));

    assertThat(takeEvents())
        .containsExactly(
            "deregister failed: no answer within 10 s; it will still happen",
            "ended: no answer to DEREGISTER");
    assertThat(connection.closed()).isTrue();
  }

  // --- The passing of time ---

  @Test
  void givesUpAConnectionThatIsNotMade() {
    bring(Phase.CONNECTING);
    assertThat(session.untilDue()).isEqualTo(Registration.CONNECT_TIMEOUT.toNanos());

    pass(Registration.CONNECT_TIMEOUT.minusMillis(1));
    assertThat(takeEvents()).isEmpty();
    pass(Duration.ofMillis(1));

    assertThat(takeEvents()).isEqualTo(endedUnregistered("no connection within 2 s"));
  }

  @Test
  void tellsWhyAConnectionCannotBeMade() {
    bring(Phase.CONNECTING);
    connection.breakWith(new ConnectException("Connection refused"));
    session.read();
    assertThat(takeEvents()).isEqualTo(endedUnregistered("Connection refused"));
  }

  @Test
  void givesUpALoadBalancerThatAcceptsAndSaysNothing() {
    bring(Phase.REGISTERING);

    pass(Registration.CONNECT_TIMEOUT);
    pass(Registration.REGISTER_TIMEOUT.minus(Registration.CONNECT_TIMEOUT).minusMillis(1));
    assertThat(connection.closed()).isFalse();
    takeEvents();
    pass(Duration.ofMillis(1));

    assertThat(takeEvents())
        .containsExactly(
            "ended: no REGISTERED within 15 s: no path probe arrived at 10.0.0.11 by UDP");
  }

  @Test
  void givesUpALoadBalancerThatDoesNotRegisterAfterSane() {
    bring(Phase.PROVED);
    pass(Registration.CONNECT_TIMEOUT);
    pass(Registration.REGISTER_TIMEOUT);
    assertThat(takeEvents())
        .containsExactly(
            "register failed: no answer within 10 s; it will still happen",
            "ended: no REGISTERED within 15 s");
  }

  @Test
  void tellsItsHealthAtEveryInterval() {
    bring(Phase.REGISTERED);
    for (int i = 0; i < 100; i++) {
      hear("HEALTHACK 200");
      pass(Duration.ofMillis(4999));
      assertThat(connection.takeSent()).isEmpty();
      assertThat(session.untilDue()).isEqualTo(Duration.ofMillis(1).toNanos());
      pass(Duration.ofMillis(1));
      assertThat(connection.takeSent()).containsExactly("HEALTH 200");
    }
  }

  @Test
  void aChangeOfHealthStartsTheIntervalAnew() {
    bring(Phase.REGISTERED);
    pass(Duration.ofSeconds(3));
    session.health(new Message.Health(503, "starting"));
    assertThat(connection.takeSent()).containsExactly("HEALTH 503 starting");
    pass(Duration.ofSeconds(4));
    assertThat(connection.takeSent()).isEmpty();
    pass(Duration.ofSeconds(1));
    assertThat(connection.takeSent()).containsExactly("HEALTH 503 starting");
  }

  @Test
  void endsWhenItHearsNothingForThreeIntervals() {
    bring(Phase.REGISTERED);
    hear("HEALTHACK 200");
    pass(Duration.ofSeconds(5));
    pass(Duration.ofSeconds(5));
    pass(Duration.ofMillis(4999));
    assertThat(connection.closed()).isFalse();
    takeEvents();

    pass(Duration.ofMillis(1));

    assertThat(takeEvents()).containsExactly("ended: heard nothing for 15000 ms");
    assertThat(connection.closed()).isTrue();
  }

  @Test
  void endsWhenItIsTalkedToButNeverAnswered() {
    bring(Phase.REGISTERED);
    for (int i = 0; !connection.closed() && i < 1000; i++) {
      hear("PAUSED web-1");
      pass(Duration.ofSeconds(5));
    }
    assertThat(takeEvents()).endsWith("ended: too many lines without an answer");
  }

  // --- Load balancers of 2019 ---

  @Test
  void pausesAtALoadBalancerOf2019AfterRegistration() {
    begin(OLD_ONE, BackendIntent.DRAINING);
    assertThat(connection.takeSent())
        .containsExactly("REGISTER web-1 10.0.0.11 version=2 health=5s intent=paused");
    connection.establish();
    session.pathProbe("ABCDEFGHIJKLMNOP", true);
    assertThat(connection.takeSent()).containsExactly("SANE ABCDEFGHIJKLMNOP");

    hear(REGISTERED_2019);

    assertThat(connection.takeSent()).containsExactly("PAUSE web-1", "HEALTH 200");
    assertThat(takeEvents())
        .containsExactly("registered from 10.0.0.2, 2019", "register confirmed: REGISTERED");
  }

  @Test
  void answersOnlyThePeersTokensAtALoadBalancerOf2019() {
    begin(OLD_ONE, BackendIntent.ACTIVE);
    connection.establish();
    connection.takeSent();
    session.pathProbe("wrong", false);
    assertThat(connection.takeSent()).isEmpty();
  }

  /** Its HEALTH would change nothing there. */
  @Test
  void pausesAtALoadBalancerOf2019WhileItIsUnhealthy() {
    begin(OLD_ONE, BackendIntent.ACTIVE);
    connection.establish();
    session.health(new Message.Health(503, "not checked yet"));
    hear(REGISTERED_2019);
    assertThat(connection.takeSent())
        .endsWith("PAUSE web-1", "HEALTH 503 not checked yet")
        .hasSize(3);
    hear("PAUSED web-1", "HEALTHACK 200");
    session.health(new Message.Health(200, ""));
    assertThat(connection.takeSent()).containsExactly("RESUME web-1", "HEALTH 200");
    hear("RESUMED web-1");
    session.health(new Message.Health(503, "disk full"));
    session.health(new Message.Health(503, "disk broken"));
    assertThat(connection.takeSent())
        .containsExactly("PAUSE web-1", "HEALTH 503 disk full", "HEALTH 503 disk broken");
    assertThat(takeEvents())
        .contains("paused while unhealthy", "no longer paused")
        .doesNotContain("operator: paused");
  }

  @Test
  void neverSaysPauseTwiceAndResumesBeforeItLeaves() {
    registerWith2019(OLD_ONE);

    session.intend(BackendIntent.DRAINING, reply("drain"));
    session.intend(BackendIntent.PAUSED, reply("pause"));
    session.deregister(reply("deregister"));

    assertThat(connection.takeSent())
        .containsExactly("PAUSE web-1", "RESUME web-1", "DEREGISTER web-1");
    assertThat(takeEvents()).containsExactly("pause confirmed: was paused there already");
    hear(
        "HEALTHACK 200",
        "PAUSED web-1",
        "RESUMED web-1",
        "DEREGISTERED web-1 client requested deregistration");
    assertThat(takeEvents())
        .containsExactly(
            "acknowledged",
            "drain confirmed: PAUSED: it speaks the 2019 protocol and cannot drain, so connections"
                + " through it are broken",
            "deregister confirmed: DEREGISTERED",
            "ended: deregistered");
  }

  @Test
  void resumesBeforeItHangsUpOnALoadBalancerOf2019() {
    registerWith2019(OLD_ONE);
    session.intend(BackendIntent.PAUSED, reply("pause"));
    hear("HEALTHACK 200", "PAUSED web-1");
    connection.takeSent();

    clock.advance(Duration.ofSeconds(15));
    session.tick();

    assertThat(connection.takeSent()).containsExactly("RESUME web-1");
    assertThat(connection.closed()).isTrue();
  }

  @Test
  void endsAnUnfinishedRegistrationOf2019WithAWrongToken() {
    begin(OLD_ONE, BackendIntent.ACTIVE);
    connection.establish().takeSent();

    pass(Registration.CONNECT_TIMEOUT);
    pass(Registration.REGISTER_TIMEOUT);

    assertThat(connection.takeSent()).containsExactly("SANE given-up");
    assertThat(connection.closed()).isTrue();
  }

  @Test
  void treatsALoadBalancerThatShowsItselfAsOneOf2019LikeOne() {
    registerWith2019(LOAD_BALANCER);
    assertThat(events).isEmpty();

    session.intend(BackendIntent.DRAINING, reply("drain"));
    session.deregister(reply("deregister"));

    assertThat(connection.takeSent())
        .containsExactly("PAUSE web-1", "RESUME web-1", "DEREGISTER web-1");
  }

  private void registerWith2019(LoadBalancerAddress loadBalancer) {
    begin(loadBalancer, BackendIntent.ACTIVE);
    connection.establish();
    session.pathProbe("ABCDEFGHIJKLMNOP", true);
    hear(REGISTERED_2019);
    connection.takeSent();
    takeEvents();
  }

  @Test
  void aLoadBalancerOf2019HearsHealthOftenEnoughForItsThirtySeconds() {
    SessionSettings rarely =
        new SessionSettings(
            "web-1",
            SETTINGS.dataAddress(),
            List.of(),
            1,
            OptionalInt.empty(),
            Duration.ofMinutes(10),
            SETTINGS.reconnectInitial(),
            SETTINGS.reconnectMax(),
            List.of(),
            false);
    session =
        new Session(
            OLD_ONE,
            rarely,
            connection.establish().asConnection(),
            clock,
            new Recorder(),
            BackendIntent.ACTIVE,
            new Message.Health(200, ""),
            Requests.Reply.NOBODY);
    hear(REGISTERED_2019);
    assertThat(session.untilDue()).isEqualTo(Duration.ofSeconds(10).toNanos());
  }

  // --- Bytes that are no lines ---

  @Test
  void whatIsNotALineEndsTheSession() {
    bring(Phase.REGISTERED);
    connection.breakWith(new FramingException("the line is longer than 512 bytes"));
    session.read();
    assertThat(takeEvents()).containsExactly("ended: the line is longer than 512 bytes");
  }

  @Test
  void aFailureWithoutAMessageIsNamed() {
    bring(Phase.REGISTERED);
    connection.breakWith(new IOException());
    session.read();
    assertThat(takeEvents()).containsExactly("ended: java.io.IOException");
  }

  @Test
  void aLongStrayLineIsQuotedInPart() {
    bring(Phase.REGISTERED);
    hear("x".repeat(512));
    assertThat(takeEvents())
        .containsExactly("troubled: " + String.format(UNEXPECTED, "x".repeat(80) + "..."));
  }
}
