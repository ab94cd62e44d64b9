package dev.caplance.lb.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.EOFException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Each change of state is one line with its reason; lines that unregistered peers can cause at will
 * are limited.
 */
class RegistryLogTest {

  private final RegistryHarness harness = new RegistryHarness();
  private final CapturedLog log = new CapturedLog();

  @AfterEach
  void close() {
    log.close();
    harness.close();
  }

  @Test
  void eachChangeOfABackendIsOneLine() {
    RegistryHarness.Peer peer =
        harness.register("web-1", "10.0.0.11", "version=2", "health=5s", "colour=9", "zone");
    peer.say("HEALTH 200");
    peer.say("HEALTH 200");
    peer.say("HEALTH 503 connection refused");
    peer.say("HEALTH 503 still refused");
    peer.say("HEALTH 200");
    peer.say("PAUSE web-1");
    peer.say("PAUSE web-1");
    peer.say("RESUME web-1");
    peer.say("DRAIN web-1");
    harness.register("web-1", "10.0.0.11", "version=2", "health=5s");
    harness.advance(Duration.ofSeconds(15));
    harness.register("web-1", "10.0.0.11").breakWith(new EOFException("the peer closed"));
    harness.register("web-1", "10.0.0.11").say("DEREGISTER web-1");

    assertThat(log.lines())
        .containsExactly(
            "INFO web-1 (10.0.0.11): registered, session from 10.0.0.11:1024, protocol 2,"
                + " intent active",
            "INFO web-1 (10.0.0.11): ignored unknown options: [colour=9, zone]",
            "INFO web-1 (10.0.0.11): healthy",
            "WARN web-1 (10.0.0.11): unhealthy: 503 connection refused",
            "INFO web-1 (10.0.0.11): healthy",
            "INFO web-1 (10.0.0.11): paused at the backend's request",
            "INFO web-1 (10.0.0.11): line rejected: backend already paused",
            "INFO web-1 (10.0.0.11): active at the backend's request",
            "INFO web-1 (10.0.0.11): draining at the backend's request",
            "INFO web-1 (10.0.0.11): the session from 10.0.0.11:1024 was replaced by a new one",
            "INFO web-1 (10.0.0.11): registered, session from 10.0.0.11:1025, protocol 2,"
                + " intent active",
            "WARN web-1 (10.0.0.11): session ended: health check timeout ran out; it keeps its"
                + " flows for 10 s",
            "INFO web-1 (10.0.0.11): registered, session from 10.0.0.11:1026, protocol"
                + " 2019, intent active",
            "WARN web-1 (10.0.0.11): session ended: connection lost: the peer closed; it keeps its"
                + " flows for 10 s",
            "INFO web-1 (10.0.0.11): registered, session from 10.0.0.11:1027, protocol"
                + " 2019, intent active",
            "INFO web-1 (10.0.0.11): deregistered: the backend asked for it");
  }

  @Test
  void aServiceThatDoesNotExistIsToldWithThoseThatDo() {
    harness.register("web-1", "10.0.0.11", "version=2", "services=web,wbe,mial");
    assertThat(log.lines())
        .last()
        .isEqualTo(
            "WARN web-1 (10.0.0.11): names unknown services: wbe, mial; the services here"
                + " are: web (10.0.0.50), mail (10.0.0.50), dns (2001:db8::50)");
    assertThat(harness.registered()).containsExactly("web-1");
  }

  @Test
  void unregisteredSessionsCannotFloodIt() {
    for (int i = 0; i < 2000; i++) {
      harness.connect("10.0.0.66").say("GET / HTTP/1.1");
    }
    assertThat(log.lines()).hasSize(20);
    assertThat(log.lines().get(0))
        .isEqualTo(
            "INFO session from 10.0.0.66:1024: refused: 'GET' is no command; known are"
                + " REGISTER, SANE, SERVES, HEALTH, PAUSE, RESUME, DRAIN and DEREGISTER");
    log.clear();
    harness.register("web-1", "10.0.0.11");
    assertThat(log.lines()).as("what backends do is still told").hasSize(1);
    harness.advance(Duration.ofSeconds(1));
    harness.connect("10.0.0.66").say("REGISTER web-1 10.0.0.66");
    assertThat(log.lines().get(1))
        .startsWith("WARN session from 10.0.0.66:")
        .contains(" for web-1: refused: name in use");
    harness.connect("10.0.0.66").say("GET / HTTP/1.1");
    assertThat(log.lines()).last().asString().endsWith("(1980 similar lines suppressed)");
  }

  @Test
  void aBackendThatFlapsCannotFloodItEither() {
    RegistryHarness.Peer flapping = harness.registerHealthy("web-1", "10.0.0.11");
    for (int i = 0; i < 1000; i++) {
      flapping.say("PAUSE web-1", "nonsense", "HEALTH 503", "HEALTH 200", "RESUME web-1");
    }
    assertThat(log.lines()).hasSizeLessThan(100);
    log.clear();
    harness.registerHealthy("web-2", "10.0.0.12");
    flapping.say("DEREGISTER web-1");
    assertThat(log.lines())
        .hasSize(3)
        .last()
        .isEqualTo("INFO web-1 (10.0.0.11): deregistered: the backend asked for it");
  }

  @Test
  void aConnectionThatSaysNothingIsNotLogged() {
    harness.connect("10.0.0.66").breakWith(new EOFException("the peer closed"));
    assertThat(log.lines()).isEmpty();
  }
}
