package dev.caplance.backend.session;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.caplance.backend.session.SessionStatus.State;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Sessions that follow each other; the test makes the connections and the time. */
class MembershipTest {

  private static final InetAddress PEER = IpAddresses.parse("10.0.0.2");
  private static final InetAddress SENDER = IpAddresses.parse("10.0.0.3");
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

  private final FakeClock clock = new FakeClock();
  private final List<FakeConnection> connections = new ArrayList<>();
  private final List<String> replies = new ArrayList<>();
  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
  private final Membership membership =
      new Membership(
          new LoadBalancerAddress(PEER, 1338, false),
          SETTINGS,
          (address, onReadable) -> connect(onReadable),
          this::fromChanged,
          () -> 0,
          clock,
          clock);
  private final List<String> lastSaidAtChange = new ArrayList<>();
  private IOException noSocket;
  private Runnable listener;

  @BeforeEach
  void catchLog() {
    logged.start();
    log().addAppender(logged);
  }

  @AfterEach
  void releaseLog() {
    log().detachAppender(logged);
  }

  private static Logger log() {
    return (Logger) LoggerFactory.getLogger(SessionRecord.class);
  }

  private Membership.Connector.PendingConnection connect(Runnable onReadable) throws IOException {
    if (noSocket != null) {
      throw noSocket;
    }
    listener = onReadable;
    connections.add(new FakeConnection());
    return connection().asConnection();
  }

  private FakeConnection connection() {
    return connections.get(connections.size() - 1);
  }

  private void fromChanged() {
    List<String> said = connection().takeSent();
    lastSaidAtChange.add(said.get(said.size() - 1));
  }

  private void intend(BackendIntent intent) {
    membership.intend(
        intent, (confirmed, text) -> replies.add((confirmed ? "confirmed: " : "failed: ") + text));
  }

  private void hear(String... lines) {
    for (String line : lines) {
      connection().give(line);
    }
    listener.run();
  }

  private void register() {
    connection().establish();
    membership.pathProbe("t", PEER);
    hear("REGISTERED web-1 10.0.0.11 version=2 from=10.0.0.3");
  }

  private void breakConnection(IOException cause) {
    connection().breakWith(cause);
    listener.run();
  }

  /** Lets time pass up to what is due next, and does it. */
  private Duration waitForDue() {
    Duration due = Duration.ofNanos(membership.untilDue());
    clock.advance(due);
    membership.tick();
    return due;
  }

  private State state() {
    return membership.status().state();
  }

  @Test
  void isNotAMemberAtFirstAndDoesNothing() {
    assertThat(membership.left()).isTrue();
    assertThat(membership.untilDue()).isEqualTo(Long.MAX_VALUE);
    membership.tick();
    assertThat(connections).isEmpty();
  }

  @Test
  void showsHowFarItIs() {
    SessionStatus.State[] seen = new SessionStatus.State[4];
    seen[0] = state();
    intend(BackendIntent.ACTIVE);
    seen[1] = state();
    connection().establish();
    seen[2] = state();
    clock.advance(Duration.ofSeconds(2));
    register();
    seen[3] = state();

    assertThat(seen)
        .containsExactly(State.DEREGISTERED, State.CONNECTING, State.REGISTERING, State.REGISTERED);
    SessionStatus status = membership.status();
    assertThat(status.since()).isEqualTo(FakeClock.START.plusSeconds(2));
    assertThat(status.from()).contains(SENDER);
    assertThat(status.sinceLastAck()).isEmpty();
    assertThat(status.lastError()).isEmpty();
    assertThat(status.operatorIntent()).isEmpty();
    assertThat(status.untilNextAttempt()).isEmpty();
    assertThat(status.legacy()).isFalse();
    assertThat(replies).containsExactly("confirmed: REGISTERED");
  }

  @Test
  void packetsAreTakenBeforeHealthAsksForThem() {
    intend(BackendIntent.ACTIVE);
    register();
    assertThat(lastSaidAtChange).containsExactly("SANE t");
    assertThat(connection().takeSent()).containsExactly("HEALTH 200");
    breakConnection(new EOFException("the peer closed the session"));
    waitForDue();
    register();
    assertThat(lastSaidAtChange).as("nothing has changed").hasSize(1);

    intend(BackendIntent.DEREGISTERED);
    hear("HEALTHACK 200", "DEREGISTERED web-1 bye");
    assertThat(lastSaidAtChange).containsExactly("SANE t", "DEREGISTER web-1");
  }

  @Test
  void keepsTheAgeOfTheLastAcknowledgement() {
    intend(BackendIntent.ACTIVE);
    register();
    hear("HEALTHACK 200");
    clock.advance(Duration.ofMillis(1234));
    assertThat(membership.status().sinceLastAck()).contains(Duration.ofMillis(1234));

    breakConnection(new EOFException("the peer closed the session"));
    clock.advance(Duration.ofMillis(1));
    assertThat(membership.status().sinceLastAck()).contains(Duration.ofMillis(1235));
  }

  @Test
  void aLostSessionIsRestoredWithWhatTheBackendWantsByThen() {
    intend(BackendIntent.ACTIVE);
    register();
    hear("PAUSED web-1");
    assertThat(membership.status().operatorIntent()).contains(Intent.PAUSED);
    clock.advance(Duration.ofMinutes(1));
    breakConnection(new EOFException("the peer closed the session"));

    SessionStatus waiting = membership.status();
    assertThat(waiting.state()).isEqualTo(State.WAITING);
    assertThat(waiting.since()).isEqualTo(FakeClock.START.plusSeconds(60));
    assertThat(waiting.untilNextAttempt()).contains(Duration.ZERO);
    assertThat(waiting.lastError()).contains("the peer closed the session");
    assertThat(waiting.operatorIntent()).as("of the session that is gone").isEmpty();
    assertThat(waiting.from()).as("packets may still be under way").contains(SENDER);

    replies.clear();
    intend(BackendIntent.DRAINING);
    membership.health(new Message.Health(503, "disk full"));
    assertThat(replies).containsExactly("failed: not connected; will be told when it is");
    assertThat(waitForDue()).isZero();

    assertThat(connections).hasSize(2);
    register();
    assertThat(connection().takeSent())
        .containsExactly(
            "REGISTER web-1 10.0.0.11 version=2 health=5s intent=draining",
            "SANE t",
            "HEALTH 503 disk full");
    assertThat(membership.status().lastError()).isEmpty();
  }

  @Test
  void triesForEverWithGrowingPauses() {
    intend(BackendIntent.ACTIVE);
    List<Long> pauses = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      breakConnection(new ConnectException("Connection refused"));
      pauses.add(waitForDue().toSeconds());
    }
    assertThat(pauses).containsExactly(1L, 2L, 4L, 8L, 16L, 30L, 30L, 30L);
    assertThat(state()).isEqualTo(State.CONNECTING);
  }

  /** A load balancer that was away has its backends back soon, however long it was away. */
  @Test
  void aRegistrationResetsThePauses() {
    intend(BackendIntent.ACTIVE);
    for (int i = 0; i < 5; i++) {
      breakConnection(new ConnectException("Connection refused"));
      waitForDue();
    }

    register();
    breakConnection(new EOFException("gone too soon"));
    assertThat(waitForDue()).isEqualTo(Duration.ofSeconds(1));
    register();
    breakConnection(new EOFException("gone too soon again"));
    assertThat(waitForDue()).isEqualTo(Duration.ofSeconds(1));
  }

  /** Its flows move to other backends unless it is back at once. */
  @Test
  void aSessionThatBreaksIsTriedAgainAtOnceButAFlappingOneIsNot() {
    intend(BackendIntent.ACTIVE);
    register();
    clock.advance(Duration.ofSeconds(1));
    breakConnection(new EOFException("the peer closed the session"));
    assertThat(waitForDue()).isZero();
    assertThat(connections).hasSize(2);
    breakConnection(new ConnectException("Connection refused"));
    assertThat(waitForDue()).isEqualTo(Duration.ofSeconds(1));

    register();
    clock.advance(Duration.ofMillis(999));
    breakConnection(new EOFException("the peer closed the session"));
    assertThat(waitForDue()).isEqualTo(Duration.ofSeconds(1));
  }

  @Test
  void waitsWhenThereIsNoSocket() {
    noSocket = new IOException("Too many open files");
    intend(BackendIntent.ACTIVE);
    assertThat(state()).isEqualTo(State.WAITING);
    assertThat(membership.status().lastError()).contains("no socket: Too many open files");
    assertThat(replies).containsExactly("failed: not connected; will be told when it is");

    noSocket = null;
    waitForDue();
    assertThat(state()).isEqualTo(State.CONNECTING);
  }

  @Test
  void deregisteringForgetsWherePacketsComeFromOnlyOnceItIsConfirmed() {
    intend(BackendIntent.ACTIVE);
    register();
    replies.clear();

    intend(BackendIntent.DEREGISTERED);
    assertThat(membership.from()).contains(SENDER);
    assertThat(membership.left()).isFalse();
    hear("HEALTHACK 200", "DEREGISTERED web-1 the backend asked for it");

    assertThat(replies).containsExactly("confirmed: DEREGISTERED");
    assertThat(membership.from()).isEmpty();
    assertThat(membership.left()).isTrue();
    assertThat(membership.untilDue()).isEqualTo(Long.MAX_VALUE);
    assertThat(state()).isEqualTo(State.DEREGISTERED);
    assertThat(membership.status().lastError()).isEmpty();
  }

  @Test
  void deregisteringWhileWaitingIsDoneAtOnce() {
    intend(BackendIntent.ACTIVE);
    register();
    breakConnection(new EOFException("the peer closed the session"));
    replies.clear();
    clock.advance(Duration.ofMillis(500));

    intend(BackendIntent.DEREGISTERED);

    assertThat(replies).containsExactly("failed: was not registered there");
    assertThat(membership.from()).isEmpty();
    SessionStatus status = membership.status();
    assertThat(status.state()).isEqualTo(State.DEREGISTERED);
    assertThat(status.since()).isEqualTo(Instant.parse("2026-01-02T03:04:05.500Z"));
    assertThat(status.untilNextAttempt()).isEmpty();
    clock.advance(Duration.ofHours(1));
    membership.tick();
    assertThat(connections).hasSize(1);
  }

  @Test
  void joinsAgainAtOnceHoweverLongThePausesWere() {
    intend(BackendIntent.ACTIVE);
    for (int i = 0; i < 6; i++) {
      breakConnection(new ConnectException("Connection refused"));
      waitForDue();
    }
    intend(BackendIntent.DEREGISTERED);
    replies.clear();

    intend(BackendIntent.ACTIVE);

    assertThat(connections).hasSize(8);
    register();
    assertThat(replies).containsExactly("confirmed: REGISTERED");
    breakConnection(new EOFException("the peer closed the session"));
    assertThat(membership.status().untilNextAttempt()).contains(Duration.ofSeconds(1));
  }

  @Test
  void tellsWhyJoiningAgainFails() {
    intend(BackendIntent.ACTIVE);
    breakConnection(new ConnectException("Connection refused"));
    assertThat(replies).containsExactly("failed: Connection refused");
  }

  @Test
  void whatTheOldConnectionStillSaysIsNotTheNewOnes() {
    intend(BackendIntent.ACTIVE);
    register();
    Runnable oldListener = listener;
    FakeConnection old = connection();
    breakConnection(new EOFException("the peer closed the session"));
    waitForDue();

    old.give("DEREGISTERED web-1 late");
    oldListener.run();

    assertThat(state()).isEqualTo(State.CONNECTING);
  }

  @Test
  void takesAPathProbeForItsOwnFromWhereItsPacketsCome() {
    assertThat(membership.expectsPathProbeFrom(PEER)).isFalse();
    intend(BackendIntent.ACTIVE);
    assertThat(membership.expectsPathProbeFrom(PEER)).as("not connected").isFalse();
    connection().establish();
    assertThat(membership.expectsPathProbeFrom(PEER)).isTrue();
    assertThat(membership.expectsPathProbeFrom(SENDER)).as("not known yet").isFalse();

    register();
    assertThat(membership.expectsPathProbeFrom(PEER)).as("needs none").isFalse();
    breakConnection(new EOFException("the peer closed the session"));
    waitForDue();
    connection().establish();
    assertThat(membership.expectsPathProbeFrom(SENDER)).isTrue();
  }

  @Test
  void aLoadBalancerIsShownAsWhatItProvesToBe() {
    intend(BackendIntent.ACTIVE);
    connection().establish();
    hear("REGISTERED web-1 10.0.0.11");
    assertThat(membership.status().legacy()).isTrue();
    assertThat(membership.from()).contains(PEER);

    breakConnection(new EOFException("replaced by a newer program"));
    waitForDue();
    register();
    assertThat(membership.status().legacy()).isFalse();
  }

  @Test
  void otherPausesDoNotDisturbASession() {
    intend(BackendIntent.ACTIVE);
    register();
    membership.apply(
        new SessionSettings(
            SETTINGS.name(),
            SETTINGS.dataAddress(),
            SETTINGS.services(),
            SETTINGS.weight(),
            SETTINGS.mtu(),
            SETTINGS.healthInterval(),
            Duration.ofSeconds(7),
            Duration.ofSeconds(30),
            List.of(),
            false));
    assertThat(state()).isEqualTo(State.REGISTERED);

    breakConnection(new EOFException("the peer closed the session"));
    assertThat(membership.status().untilNextAttempt()).contains(Duration.ofSeconds(7));
  }

  @Test
  void aLoadBalancerThatHasNoServiceForThisBackendIsReported() {
    intend(BackendIntent.ACTIVE);
    register();
    membership.news().serving(1, List.of("wbe"));
    assertThat(membership.status().services()).hasValue(1);
    assertThat(membership.status().unknownServices()).containsExactly("wbe");
    membership.news().serving(0, List.of());
    assertThat(membership.status().services()).hasValue(0);
    assertThat(warnings())
        .containsExactly(
            "10.0.0.2:1338: it has no service named wbe",
            "10.0.0.2:1338: none of its services is for this backend, so no packets will come from"
                + " there: compare vips and services here with the services there");
    assertThat(membership.status().lastError())
        .hasValueSatisfying(e -> assertThat(e).contains("none of its services"));
    breakConnection(new EOFException("the peer closed the session"));
    assertThat(membership.status().services()).isEmpty();
  }

  @Test
  void theSameTroubleIsLoggedOnce() {
    intend(BackendIntent.ACTIVE);
    for (int i = 0; i < 10; i++) {
      breakConnection(new ConnectException("Connection refused"));
      waitForDue();
      connection().establish();
      hear("INVALID name in use");
      waitForDue();
    }
    assertThat(warnings())
        .containsExactly(
            "10.0.0.2:1338: cannot register: Connection refused; trying again until it works",
            "10.0.0.2:1338: cannot register: refused: name in use; trying again until it works");

    register();
    for (int i = 0; i < 10; i++) {
      hear("NONSENSE");
    }
    assertThat(warnings()).hasSize(3).endsWith("10.0.0.2:1338: unexpected line 'NONSENSE'");
    clock.advance(Duration.ofMinutes(1));
    breakConnection(new EOFException("the peer closed the session"));
    assertThat(warnings())
        .endsWith("10.0.0.2:1338: lost: the peer closed the session; next attempt in 0 ms");
  }

  @Test
  void aPeerThatNeverRepeatsItselfDoesNotFillTheLog() {
    intend(BackendIntent.ACTIVE);
    for (int i = 0; i < 1000; i++) {
      hear("INVALID reason " + i);
      waitForDue();
    }
    assertThat(warnings()).hasSizeLessThan(20);
  }

  private List<String> warnings() {
    return logged.list.stream()
        .filter(event -> event.getLevel() == Level.WARN)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }
}
