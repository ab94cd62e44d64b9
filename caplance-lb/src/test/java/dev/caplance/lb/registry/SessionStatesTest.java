package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.InvalidLineException;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every line in every state: one table gives the reply and the next state. A message or a state
 * that is missing from it fails the test.
 */
class SessionStatesTest {

  private static final String NAME = "web-1";
  private static final String ADDRESS = "10.0.0.11";

  /**
   * The state of a session and the intent of its backend. The backend is healthy wherever there is
   * one.
   */
  private enum Situation {
    NEW(BackendSession.State.NEW, null),
    PROVING(BackendSession.State.PROVING, null),
    ACTIVE(BackendSession.State.REGISTERED, Intent.ACTIVE),
    DRAINING(BackendSession.State.REGISTERED, Intent.DRAINING),
    PAUSED(BackendSession.State.REGISTERED, Intent.PAUSED),
    CLOSED(BackendSession.State.CLOSED, null);

    final BackendSession.State state;
    final Intent intent;

    Situation(BackendSession.State state, Intent intent) {
      this.state = state;
      this.intent = intent;
    }

    boolean registered() {
      return intent != null;
    }
  }

  /**
   * For each line and situation: the start of the reply ({@code -} is none), then the next
   * situation if it is another one. RIGHT stands for the token that was sent.
   */
  private static final String TABLE =
      """
      line                             | NEW                                | PROVING                                | ACTIVE                                    | DRAINING                                  | PAUSED
      REGISTER web-1 10.0.0.11         | - > PROVING                        | INVALID not registered yet > CLOSED    | INVALID already registered as web-1       | INVALID already registered as web-1       | INVALID already registered as web-1
      REGISTER web-2 10.0.0.12         | - > PROVING                        | INVALID not registered yet > CLOSED    | INVALID already registered as web-1       | INVALID already registered as web-1       | INVALID already registered as web-1
      REGISTER neighbour 10.0.0.11     | INVALID name in use > CLOSED       | INVALID not registered yet > CLOSED    | INVALID already registered as web-1       | INVALID already registered as web-1       | INVALID already registered as web-1
      SANE RIGHT                       | INVALID wrong token;               | REGISTERED web-1 10.0.0.11 > ACTIVE    | -                                         | -                                         | -
      SANE wrong                       | INVALID wrong token;               | INVALID wrong token;                   | INVALID wrong token;                      | INVALID wrong token;                      | INVALID wrong token;
      SERVES web-1 vips=10.0.0.50      | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID SERVES is for backends            | INVALID SERVES is for backends            | INVALID SERVES is for backends
      HEALTH 200                       | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | HEALTHACK 200                             | HEALTHACK 200                             | HEALTHACK 200
      HEALTH 200 all is well           | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | HEALTHACK 200                             | HEALTHACK 200                             | HEALTHACK 200
      PAUSE web-1                      | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | PAUSED web-1 > PAUSED                     | PAUSED web-1 > PAUSED                     | INVALID backend already paused
      PAUSE neighbour                  | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID this session belongs to           | INVALID this session belongs to           | INVALID this session belongs to
      RESUME web-1                     | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID backend already active            | RESUMED web-1 > ACTIVE                    | RESUMED web-1 > ACTIVE
      RESUME neighbour                 | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID this session belongs to           | INVALID this session belongs to           | INVALID this session belongs to
      DRAIN web-1                      | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | DRAINING web-1 > DRAINING                 | INVALID backend already draining          | INVALID backend already paused
      DRAIN neighbour                  | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID this session belongs to           | INVALID this session belongs to           | INVALID this session belongs to
      DEREGISTER web-1                 | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | DEREGISTERED web-1 the backend > CLOSED   | DEREGISTERED web-1 the backend > CLOSED   | DEREGISTERED web-1 the backend > CLOSED
      DEREGISTER neighbour             | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID this session belongs to           | INVALID this session belongs to           | INVALID this session belongs to
      REGISTERED web-1 10.0.0.11       | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID only load balancers send that     | INVALID only load balancers send that     | INVALID only load balancers send that
      SERVING web-1 services=1         | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID only load balancers send that     | INVALID only load balancers send that     | INVALID only load balancers send that
      HEALTHACK 200                    | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID only load balancers send that     | INVALID only load balancers send that     | INVALID only load balancers send that
      PAUSED web-1                     | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID only load balancers send that     | INVALID only load balancers send that     | INVALID only load balancers send that
      RESUMED web-1                    | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID only load balancers send that     | INVALID only load balancers send that     | INVALID only load balancers send that
      DRAINING web-1                   | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID only load balancers send that     | INVALID only load balancers send that     | INVALID only load balancers send that
      DEREGISTERED web-1               | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID only load balancers send that     | INVALID only load balancers send that     | INVALID only load balancers send that
      INVALID whatever                 | INVALID not registered; > CLOSED   | INVALID not registered yet > CLOSED    | INVALID only load balancers send that     | INVALID only load balancers send that     | INVALID only load balancers send that
      HELO web-1                       | INVALID 'HELO' is no > CLOSED      | INVALID 'HELO' is no > CLOSED          | INVALID 'HELO' is no command              | INVALID 'HELO' is no command              | INVALID 'HELO' is no command
      PAUSE                            | INVALID PAUSE takes one > CLOSED   | INVALID PAUSE takes one > CLOSED       | INVALID PAUSE takes one name              | INVALID PAUSE takes one name              | INVALID PAUSE takes one name
      SANE a+b                         | INVALID 'a+b' is not > CLOSED      | INVALID 'a+b' is not > CLOSED          | INVALID 'a+b' is not a token              | INVALID 'a+b' is not a token              | INVALID 'a+b' is not a token
      REGISTER web-1 ::ffff:10.0.0.11  | INVALID '::ffff:10.0 > CLOSED      | INVALID '::ffff:10.0 > CLOSED          | INVALID '::ffff:10.0.0.11' is not an      | INVALID '::ffff:10.0.0.11' is not an      | INVALID '::ffff:10.0.0.11' is not an
      """;

  private record Case(String line, Situation before, String answer, Situation after) {
    @Override
    public String toString() {
      return line + " when " + before;
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    List<String> rows = TABLE.lines().toList();
    String[] situations = rows.get(0).split("\\|");
    for (String row : rows.subList(1, rows.size())) {
      String[] cells = row.split("\\|");
      String line = cells[0].strip();
      for (int i = 1; i < cells.length; i++) {
        String[] cell = cells[i].split(">");
        Situation before = Situation.valueOf(situations[i].strip());
        Situation after = cell.length < 2 ? before : Situation.valueOf(cell[1].strip());
        cases.add(new Case(line, before, cell[0].strip(), after));
      }
      cases.add(new Case(line, Situation.CLOSED, "-", Situation.CLOSED));
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyLineInEverySituation(Case given) {
    try (RegistryHarness harness = new RegistryHarness()) {
      RegistryHarness.Peer neighbour = harness.registerHealthy("neighbour", "10.0.0.99");
      RegistryHarness.Peer peer = peerIn(given.before, harness);
      String token = harness.dataPath.tokens.getOrDefault(address(), "nothing-was-sent");

      peer.say(given.line.replace("RIGHT", token));

      List<String> answer = peer.hear();
      if (given.answer.equals("-")) {
        assertThat(answer).isEmpty();
      } else {
        assertThat(answer).singleElement().asString().startsWith(given.answer);
      }
      assertThat(peer.state()).isEqualTo(given.after.state);
      assertThat(peer.closed).isEqualTo(given.after == Situation.CLOSED);
      if (given.after.registered()) {
        assertThat(harness.registered()).containsExactly("neighbour", NAME);
        assertThat(harness.entry(NAME).backend().intent()).isEqualTo(given.after.intent);
      } else {
        assertThat(harness.registered()).containsExactly("neighbour");
      }
      boolean wasHealthy = given.before.registered();
      assertThat(harness.forwarding())
          .isEqualTo(
              given.after == Situation.ACTIVE && wasHealthy
                  ? List.of("neighbour", NAME)
                  : List.of("neighbour"));
      boolean retains =
          wasHealthy && (given.after == Situation.ACTIVE || given.after == Situation.DRAINING);
      assertThat(harness.retaining())
          .isEqualTo(retains ? List.of("neighbour", NAME) : List.of("neighbour"));
      assertThat(neighbour.hear()).isEmpty();
      assertThat(neighbour.state()).isEqualTo(BackendSession.State.REGISTERED);
    }
  }

  @Test
  void theTableKnowsEveryMessage() throws InvalidLineException {
    Set<Class<?>> messages = new HashSet<>();
    for (Case given : cases().toList()) {
      try {
        messages.add(MessageCodec.parse(given.line).getClass());
      } catch (InvalidLineException e) {
        assertThat(given.line).matches("HELO.*|PAUSE|SANE a\\+b|REGISTER web-1 ::ffff.*");
      }
    }
    assertThat(messages).containsExactlyInAnyOrder(Message.class.getPermittedSubclasses());
  }

  @Test
  void theTableKnowsEveryStateAndIntent() {
    Set<BackendSession.State> states = EnumSet.noneOf(BackendSession.State.class);
    Set<Intent> intents = EnumSet.noneOf(Intent.class);
    for (Case given : cases().toList()) {
      states.add(given.before.state);
      if (given.before.registered()) {
        intents.add(given.before.intent);
      }
    }
    assertThat(states).containsExactlyInAnyOrder(BackendSession.State.values());
    assertThat(intents).containsExactlyInAnyOrder(Intent.values());
    long lines = TABLE.lines().count() - 1;
    assertThat(cases().count()).isEqualTo(lines * Situation.values().length);
  }

  private static RegistryHarness.Peer peerIn(Situation situation, RegistryHarness harness) {
    if (situation == Situation.NEW) {
      return harness.connect(ADDRESS);
    }
    if (situation == Situation.PROVING) {
      RegistryHarness.Peer peer = harness.connect(ADDRESS);
      peer.say("REGISTER " + NAME + " " + ADDRESS);
      return peer;
    }
    RegistryHarness.Peer peer = harness.registerHealthy(NAME, ADDRESS);
    switch (situation) {
      case DRAINING -> peer.say("DRAIN " + NAME);
      case PAUSED -> peer.say("PAUSE " + NAME);
      case CLOSED -> peer.say("DEREGISTER " + NAME);
      default -> assertThat(situation).isEqualTo(Situation.ACTIVE);
    }
    peer.hear();
    assertThat(peer.state()).isEqualTo(situation.state);
    return peer;
  }

  private static InetAddress address() {
    return IpAddresses.parse(ADDRESS);
  }
}
