package dev.caplance.backend.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import dev.caplance.backend.drain.DrainStatus;
import dev.caplance.backend.drain.OngoingFlows;
import dev.caplance.backend.health.CheckTarget;
import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.health.StatusCodes;
import dev.caplance.backend.session.BackendIntent;
import dev.caplance.backend.session.CommandRefusedException;
import dev.caplance.backend.session.LoadBalancerAddress;
import dev.caplance.backend.session.LoadBalancerSessions;
import dev.caplance.backend.session.SessionSettings;
import dev.caplance.backend.session.SessionStatus;
import dev.caplance.backend.session.SessionStatus.State;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The exact JSON that operators' programs read. */
class StatusMethodTest {

  private static final Caller PEER = new Caller(0, 0, 4711);
  private static final Instant STARTED = Instant.parse("2026-01-02T03:04:05Z");
  private static final BackendMethods.Identity IDENTITY =
      new BackendMethods.Identity(
          "0.1.0",
          List.of(IpAddresses.parse("10.0.0.50"), IpAddresses.parse("2001:db8::50")),
          new SessionSettings(
              "web-1",
              IpAddresses.parse("10.0.0.11"),
              List.of("web"),
              3,
              OptionalInt.of(1500),
              Duration.ofSeconds(5),
              Duration.ofSeconds(1),
              Duration.ofSeconds(30),
              List.of(),
              false));

  private final List<HealthChecks.Status> checks = new ArrayList<>();
  private Optional<DrainStatus> drain = Optional.empty();

  private final TrafficCounters traffic = new TrafficCounters();

  private StatusMethod method(CompletableFuture<LoadBalancerSessions.Status> status) {
    return new StatusMethod(
        IDENTITY,
        STARTED,
        () -> status,
        () -> checks,
        () -> drain,
        traffic::snapshot,
        () -> 17,
        () -> 4);
  }

  private String json(BackendIntent intent, Message.Health health, SessionStatus... sessions)
      throws ControlException, InterruptedException {
    LoadBalancerSessions.Status status =
        new LoadBalancerSessions.Status(intent, health, List.of(sessions));
    return method(CompletableFuture.completedFuture(status))
        .call(new JsonObject(), PEER)
        .toString();
  }

  private static String oneLine(String json) {
    return json.replaceAll("\\n *", "");
  }

  @Test
  void tellsEverythingOfARegisteredSession() throws Exception {
    traffic.received(9);
    traffic.refused(Disposition.PATH_PROBE);
    traffic.refused(Disposition.STRANGER);
    traffic.refused(Disposition.STRANGER);
    traffic.refused(Disposition.SEND_FAILED);
    traffic.forwarded(1, 100);
    traffic.forwarded(1, 1400);
    SessionStatus registered =
        new SessionStatus(
            new LoadBalancerAddress(IpAddresses.parse("2001:db8::2"), 1338, false),
            false,
            State.REGISTERED,
            STARTED.plusMillis(1500),
            Optional.of(Duration.ofMillis(1234)),
            Optional.of(IpAddresses.parse("2001:db8::3")),
            Optional.of(Intent.DRAINING),
            Optional.of("it refused HEALTH 200: no"),
            Optional.empty(),
            OptionalInt.of(2),
            List.of("wbe"),
            Optional.of(
                new SessionStatus.Path(Duration.ofSeconds(2), Duration.ofMillis(6500), true)));

    checks.add(
        new HealthChecks.Status(
            new CheckTarget.Http(
                new InetSocketAddress(IpAddresses.parse("10.0.0.50"), 80),
                "/health",
                StatusCodes.of(200),
                Optional.empty(),
                Optional.empty(),
                Optional.empty()),
            HealthChecks.Status.State.UNHEALTHY,
            STARTED,
            Optional.of("http 10.0.0.50:80/health answered 500, expected 200")));
    checks.add(
        new HealthChecks.Status(
            new CheckTarget.Tcp(new InetSocketAddress(IpAddresses.parse("2001:db8::50"), 81)),
            HealthChecks.Status.State.UNKNOWN,
            STARTED,
            Optional.empty()));
    drain =
        Optional.of(
            new DrainStatus(
                DrainStatus.State.DRAINING,
                Optional.of(new OngoingFlows(17, 2)),
                Optional.of(Duration.ofMillis(219_500))));

    assertThat(json(BackendIntent.PAUSED, new Message.Health(503, "disk full"), registered))
        .isEqualTo(
            oneLine(
                """
                {"name":"web-1",
                "address":"10.0.0.11",
                "intent":"paused",
                "health":{"code":503,"reason":"disk full"},
                "checks":[
                {"type":"http",
                "target":"10.0.0.50:80/health",
                "state":"unfit",
                "since":"2026-01-02T03:04:05Z",
                "lastError":"http 10.0.0.50:80/health answered 500, expected 200"},
                {"type":"tcp",
                "target":"[2001:db8::50]:81",
                "state":"unknown",
                "since":"2026-01-02T03:04:05Z",
                "lastError":null}],
                "drain":{"state":"draining",
                "connections":17,
                "remainingMillis":219500,
                "text":"17 connections and 2 UDP flows left, 3m40s to the deadline",
                "udpFlows":2},
                "vips":["10.0.0.50","2001:db8::50"],
                "services":["web"],
                "weight":3,
                "mtu":1500,
                "version":"0.1.0",
                "startedAt":"2026-01-02T03:04:05Z",
                "loadBalancers":[
                {"address":"2001:db8::2",
                "port":1338,
                "protocol":"2",
                "state":"registered",
                "since":"2026-01-02T03:04:06.500Z",
                "lastAckAgeMillis":1234,
                "from":"2001:db8::3",
                "operatorIntent":"draining",
                "lastError":"it refused HEALTH 200: no",
                "nextAttemptInMillis":null,
                "services":2,
                "unknownServices":["wbe"],
                "path":{"arrives":false,"intervalMillis":2000,"lastProbeAgeMillis":6500}}],
                "packets":{"received":8,
                "delivered":2,
                "refused":{"not from a load balancer":2,"send failed":1},
                "bytes":1500,
                "allocatedBytes":17,
                "probes":4}}\
                """));
  }

  @Test
  void whatIsNotKnownIsNull() throws Exception {
    SessionStatus waiting =
        new SessionStatus(
            new LoadBalancerAddress(IpAddresses.parse("10.0.0.2"), 1339, true),
            true,
            State.WAITING,
            STARTED,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.of(Duration.ofMillis(2500)),
            OptionalInt.empty(),
            List.of(),
            Optional.empty());

    assertThat(json(BackendIntent.ACTIVE, new Message.Health(200, ""), waiting))
        .contains(
            oneLine(
                """
                "health":{"code":200,"reason":""},
                "checks":[],
                "drain":null,
                "vips":["10.0.0.50","2001:db8::50"],
                "services":["web"],
                "weight":3,
                "mtu":1500,
                "version":"0.1.0",
                "startedAt":"2026-01-02T03:04:05Z",
                "loadBalancers":[
                {"address":"10.0.0.2",
                "port":1339,
                "protocol":"2019",
                "state":"waiting",
                "since":"2026-01-02T03:04:05Z",
                "lastAckAgeMillis":null,
                "from":null,
                "operatorIntent":null,
                "lastError":null,
                "nextAttemptInMillis":2500,
                "services":null,
                "unknownServices":[],
                "path":null}],
                "packets":{"received":0,"delivered":0,"refused":{},"bytes":0,\
                """));
  }

  @Test
  void aDaemonThatIsStoppingSaysSo() {
    assertThatThrownBy(
            () ->
                method(
                        CompletableFuture.failedFuture(
                            new CommandRefusedException("web-1 is stopping")))
                    .call(new JsonObject(), PEER))
        .isInstanceOfSatisfying(
            ControlException.class, e -> assertThat(e.code()).isEqualTo(ControlException.REFUSED))
        .hasMessage("web-1 is stopping");
  }
}
