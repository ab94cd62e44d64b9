package dev.caplance.lb.admin;

import static dev.caplance.lb.admin.ForwardingFixture.HEALTHY;
import static dev.caplance.lb.admin.ForwardingFixture.UNHEALTHY;
import static dev.caplance.lb.admin.ForwardingFixture.backend;
import static dev.caplance.lb.admin.ForwardingFixture.service;
import static dev.caplance.lb.admin.ForwardingFixture.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.dataplane.FakeDataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.lb.registry.BackendRegistry;
import dev.caplance.lb.registry.BackendView;
import dev.caplance.lb.registry.ServedServices;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import dev.caplance.status.StatusJson;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The exact JSON that operators' programs read, and what is answered when a part is broken. */
class StatusMethodTest {

  private static final Caller PEER = new Caller(0, 0, 4711);

  private List<Dataplane.WorkerStatus> workers = List.of();
  private Supplier<CompletableFuture<List<BackendRegistry.Entry>>> registry =
      () -> CompletableFuture.completedFuture(List.of());
  private final Map<InetAddress, Long> otherTraffic = new LinkedHashMap<>();

  private ForwardingTable table = table(service("web", "tcp/80", Service.State.NO_BACKEND));

  /** A data plane that is asked, and nothing more. */
  private final class Counting extends FakeDataplane {
    @Override
    public List<Dataplane.WorkerStatus> status() {
      return workers;
    }

    @Override
    public Dataplane.TargetTraffic traffic(Target target) {
      return new Dataplane.TargetTraffic(12345, 9_876_543_210L);
    }

    @Override
    public Map<InetAddress, Long> droppedOtherTraffic() {
      return otherTraffic;
    }
  }

  private JsonObject answer() throws ControlException, InterruptedException {
    StatusMethod method =
        new StatusMethod(
            "0.1.0", () -> table, new RegisteredBackends(registry), new Counting(), List::of);
    return StatusJson.write(method.call(new JsonObject(), PEER)).getAsJsonObject();
  }

  /** All of an answer but when the daemon was started, which is another time in each run. */
  private String json() throws ControlException, InterruptedException {
    JsonObject answer = answer();
    assertThat(Instant.parse(answer.get("startedAt").getAsString()))
        .isBeforeOrEqualTo(Instant.now());
    answer.addProperty("startedAt", "T");
    return answer.toString();
  }

  private static String oneLine(String json) {
    return json.replaceAll("\\n *", "");
  }

  private static BackendRegistry.Entry registered(
      String name, int version, Intent intent, BackendView.Health health, Set<String> services) {
    InetAddress address = IpAddresses.parse("2001:db8::11");
    return new BackendRegistry.Entry(
        new BackendView(
            new Target(1, 1, name, 7, address, 1500, address),
            version,
            intent,
            health,
            version == Message.VERSION_2019 ? BackendView.Path.UNPROBED : BackendView.Path.PROVEN,
            false,
            true,
            new ServedServices(services.isEmpty(), services),
            new InetSocketAddress(address, 41234),
            Instant.parse("2026-01-02T13:03:11.5Z")),
        Duration.ofMillis(1234),
        version == Message.VERSION_2019 ? Optional.empty() : Optional.of(Duration.ofMillis(400)));
  }

  private static Dataplane.WorkerStatus worker(int queue, TrafficCounters traffic) {
    return new Dataplane.WorkerStatus(queue, traffic.snapshot(), 3, 17, 1, 4096, 6800, queue);
  }

  @Test
  void reportsEverything() throws Exception {
    table =
        table(
            service(
                "web",
                "tcp/8000-8999",
                Service.State.BALANCING,
                backend("b1", 1, HEALTHY),
                backend("b2", 1, HEALTHY),
                backend("b3", 1, UNHEALTHY)),
            service("mail", "tcp/25", Service.State.ALL_UNHEALTHY, backend("b3", 1, UNHEALTHY)),
            service("dns", "udp/53", Service.State.NO_BACKEND));
    registry =
        () ->
            CompletableFuture.completedFuture(
                List.of(
                    registered(
                        "b1",
                        2,
                        Intent.ACTIVE,
                        new BackendView.Health(BackendView.Health.Condition.HEALTHY, 200, ""),
                        Set.of("web")),
                    registered(
                        "b2",
                        2019,
                        Intent.DRAINING,
                        new BackendView.Health(
                            BackendView.Health.Condition.UNHEALTHY, 503, "no \"<app>\""),
                        Set.of()),
                    registered("b3", 2, Intent.PAUSED, BackendView.Health.UNKNOWN, Set.of())));
    TrafficCounters first = new TrafficCounters();
    first.received(8);
    first.forwarded(5, 5000);
    first.refused(Disposition.NO_BACKEND, 2);
    first.refused(Disposition.FRAGMENT);
    TrafficCounters second = new TrafficCounters();
    second.received(3);
    second.forwarded(1, 60);
    second.refused(Disposition.NO_BACKEND);
    second.refused(Disposition.LEFT_TO_HOST);
    workers = List.of(worker(0, first), worker(4, second));
    otherTraffic.put(IpAddresses.parse("10.0.0.50"), 12L);
    otherTraffic.put(IpAddresses.parse("2001:db8::50"), 0L);

    assertThat(json())
        .isEqualTo(
            oneLine(
                """
                {"version":"0.1.0",
                "startedAt":"T",
                "services":[
                {"name":"web",
                "vip":"10.0.0.50",
                "ports":"tcp/8000-8999",
                "legacy":false,
                "state":"balancing",
                "backends":2,
                "keeping":1},
                {"name":"mail",
                "vip":"10.0.0.50",
                "ports":"tcp/25",
                "legacy":false,
                "state":"all unfit",
                "backends":1,
                "keeping":0},
                {"name":"dns",
                "vip":"10.0.0.50",
                "ports":"udp/53",
                "legacy":false,
                "state":"no backend",
                "backends":0,
                "keeping":0}],
                "backends":[
                {"name":"b1",
                "address":"2001:db8::11",
                "version":2,
                "intent":"active",
                "health":{"state":"fit","code":200,"reason":""},
                "takesNewFlows":true,
                "lastResort":false,
                "returning":false,
                "checked":true,
                "weight":7,
                "services":["web"],
                "servesNothing":false,
                "path":{"state":"proven","provenAgeMillis":400},
                "mtu":1500,
                "session":"[2001:db8::11]:41234",
                "lastWordAgeMillis":1234,
                "registeredAt":"2026-01-02T13:03:11.500Z",
                "packets":12345,
                "bytes":9876543210},
                {"name":"b2",
                "address":"2001:db8::11",
                "version":2019,
                "intent":"draining",
                "health":{"state":"unfit","code":503,"reason":"no \\"<app>\\""},
                "takesNewFlows":false,
                "lastResort":false,
                "returning":false,
                "checked":true,
                "weight":7,
                "services":[],
                "servesNothing":false,
                "path":{"state":"not probed","provenAgeMillis":null},
                "mtu":1500,
                "session":"[2001:db8::11]:41234",
                "lastWordAgeMillis":1234,
                "registeredAt":"2026-01-02T13:03:11.500Z",
                "packets":12345,
                "bytes":9876543210},
                {"name":"b3",
                "address":"2001:db8::11",
                "version":2,
                "intent":"paused",
                "health":{"state":"unknown","code":0,"reason":""},
                "takesNewFlows":false,
                "lastResort":false,
                "returning":false,
                "checked":true,
                "weight":7,
                "services":[],
                "servesNothing":false,
                "path":{"state":"proven","provenAgeMillis":400},
                "mtu":1500,
                "session":"[2001:db8::11]:41234",
                "lastWordAgeMillis":1234,
                "registeredAt":"2026-01-02T13:03:11.500Z",
                "packets":12345,
                "bytes":9876543210}],
                "packets":{"received":11,
                "forwarded":6,
                "bytes":5060,
                "dropped":{"fragment":1,"no backend":3,"queue full":13600,"queue not read in time":4},
                "leftToHost":1},
                "otherTraffic":[
                {"vip":"10.0.0.50","dropped":12},
                {"vip":"2001:db8::50","dropped":0}],
                "workers":[
                {"queue":0,
                "packets":8,
                "batches":1,
                "verdicts":3,
                "flows":17,
                "flowsNotKept":1,
                "allocatedBytes":4096,
                "queueDropped":6800,
                "unreadDropped":0,
                "receiveErrors":0,
                "verdictErrors":0},
                {"queue":4,
                "packets":3,
                "batches":1,
                "verdicts":3,
                "flows":17,
                "flowsNotKept":1,
                "allocatedBytes":4096,
                "queueDropped":6800,
                "unreadDropped":4,
                "receiveErrors":0,
                "verdictErrors":0}],
                "troubles":[]}\
                """));
  }

  /**
   * If drops cannot be counted, because no rule drops or the rules cannot be read, none are
   * reported.
   */
  @Test
  void withoutCountsOfOtherTrafficTheRestIsReported() throws Exception {
    assertThat(json())
        .isEqualTo(
            oneLine(
                """
                {"version":"0.1.0",
                "startedAt":"T",
                "services":[
                {"name":"web",
                "vip":"10.0.0.50",
                "ports":"tcp/80",
                "legacy":false,
                "state":"no backend",
                "backends":0,
                "keeping":0}],
                "backends":[],
                "packets":{"received":0,"forwarded":0,"bytes":0,"dropped":{},"leftToHost":0},
                "otherTraffic":[],
                "workers":[],
                "troubles":[]}\
                """));
  }

  /** How a registry does not answer. */
  private enum Fault {
    TOO_LATE,
    FAILED,
    STOPPED;

    CompletableFuture<List<BackendRegistry.Entry>> inject() {
      return switch (this) {
        case TOO_LATE ->
            new CompletableFuture<>() {
              @Override
              public List<BackendRegistry.Entry> get(long timeout, TimeUnit unit)
                  throws TimeoutException {
                throw new TimeoutException();
              }
            };
        case FAILED -> CompletableFuture.failedFuture(new IllegalStateException("a bug"));
        case STOPPED -> throw new RejectedExecutionException();
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRegistryThatDoesNotAnswerIsAnErrorAndNotAnEmptyList(Fault fault) {
    registry = fault::inject;
    assertThatThrownBy(this::answer)
        .isInstanceOfSatisfying(
            ControlException.class, e -> assertThat(e.code()).isEqualTo(ControlException.REFUSED))
        .hasMessage("the registry does not answer");
  }
}
