package dev.caplance.lb.admin;

import static dev.caplance.lb.admin.RoutingFixture.backend;
import static dev.caplance.lb.admin.RoutingFixture.routing;
import static dev.caplance.lb.admin.RoutingFixture.service;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.dataplane.WorkerStatus;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.registry.BackendHealth;
import dev.caplance.lb.registry.BackendStatus;
import dev.caplance.lb.registry.ForwardingBackend;
import dev.caplance.packet.FlowKey;
import dev.caplance.session.Intent;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ExplainMethodTest {

  private static final Caller PEER = new Caller(0, 0, 1);
  private static final String FLOW = "tcp 198.51.100.7:40000 -> 10.0.0.50:80";

  private final ForwardingBackend b1 = backend("b1", 1, true);
  private final ForwardingBackend b2 = backend("b2", 1, true);
  private final ForwardingBackend gone = backend("b3", 1, false);

  private RoutingStatus routing =
      routing(
          service("web", "tcp/80", ServiceStatus.State.BALANCING, b1, b2),
          service("dns", "udp/53", ServiceStatus.State.NO_BACKEND));
  private ForwardingBackend known;
  private Intent intent = Intent.ACTIVE;

  /** Knows at most the one flow that the test is about. */
  private final class KnownFlow implements Dataplane {
    @Override
    public void start() {}

    @Override
    public void publish(ForwardingTable table) {}

    @Override
    public List<WorkerStatus> status() {
      return List.of();
    }

    @Override
    public OptionalInt endpointOf(FlowKey flow) {
      return known == null ? OptionalInt.empty() : OptionalInt.of(known.endpoint().id());
    }

    @Override
    public void stop() {}
  }

  private List<BackendStatus> registered() {
    return routing.services().stream()
        .flatMap(service -> service.serving().stream())
        .map(
            backend ->
                new BackendStatus(
                    backend.name(),
                    backend.dataAddress(),
                    2,
                    intent,
                    BackendHealth.UNKNOWN,
                    backend.takesNewFlows(),
                    backend.weight(),
                    Set.of(),
                    1500,
                    new InetSocketAddress(backend.dataAddress(), 4711),
                    Instant.EPOCH,
                    Duration.ZERO,
                    Instant.EPOCH,
                    0,
                    0))
        .toList();
  }

  private JsonObject explain(String flow) throws ControlException, InterruptedException {
    JsonObject params = new JsonObject();
    params.addProperty("flow", flow);
    ExplainMethod method =
        new ExplainMethod(
            () -> routing,
            new RegisteredBackends(() -> CompletableFuture.completedFuture(registered())),
            new KnownFlow());
    return method.call(params, PEER).getAsJsonObject();
  }

  /** The backend to which the table sends the flow, and the other one. */
  private ForwardingBackend ofTable() {
    FlowKey key = NamedFlow.parse(FLOW).key();
    return routing.table().endpoint(0, key).equals(b1.endpoint()) ? b1 : b2;
  }

  private static String text(JsonObject json, String name) {
    JsonElement value = json.get(name);
    return value.isJsonNull() ? null : value.getAsString();
  }

  @Test
  void aNewFlowGoesWhereItsSlotSays() throws Exception {
    JsonObject found = explain(FLOW);
    int slot = routing.table().slot(0, NamedFlow.parse(FLOW).key());
    assertThat(found.toString())
        .isEqualTo(
            ("{'flow':'"
                    + FLOW
                    + "','service':'web','slot':"
                    + slot
                    + ",'slots':1009,'backend':'"
                    + ofTable().name()
                    + "','address':'"
                    + ofTable().dataAddress().getHostAddress()
                    + "','why':'table','detail':'a new flow goes where its slot says'}")
                .replace('\'', '"'));
  }

  @Test
  void aKnownFlowStaysWhereItIs() throws Exception {
    ForwardingBackend other = ofTable().equals(b1) ? b2 : b1;
    known = other;
    JsonObject found = explain(FLOW);
    assertThat(text(found, "backend")).isEqualTo(other.name());
    assertThat(text(found, "why")).isEqualTo("flow table");
    assertThat(text(found, "detail"))
        .isEqualTo("the flow is known and stays; a new one would go to " + ofTable().name());
    known = ofTable();
    assertThat(text(explain(FLOW), "detail"))
        .isEqualTo("the flow is known and stays; a new one would go there as well");
  }

  @Test
  void aFlowOfADrainingBackendStaysThere() throws Exception {
    routing = routing(service("web", "tcp/80", ServiceStatus.State.BALANCING, b1, b2, gone));
    known = gone;
    intent = Intent.DRAINING;
    JsonObject found = explain(FLOW);
    assertThat(text(found, "backend")).isEqualTo("b3");
    assertThat(text(found, "why")).isEqualTo("drain");
    assertThat(text(found, "detail"))
        .isEqualTo(
            "b3 is draining and keeps the flows it has; a new one would go to " + ofTable().name());
  }

  @Test
  void aFlowOfAnUnhealthyBackendStaysThere() throws Exception {
    routing = routing(service("web", "tcp/80", ServiceStatus.State.BALANCING, b1, b2, gone));
    known = gone;
    JsonObject found = explain(FLOW);
    assertThat(text(found, "why")).isEqualTo("unfit");
    assertThat(text(found, "detail")).startsWith("b3 is unhealthy and keeps the flows it has");
  }

  @Test
  void aFlowWhoseBackendIsGoneGoesWhereTheTableSays() throws Exception {
    known = gone;
    JsonObject found = explain(FLOW);
    assertThat(text(found, "backend")).isEqualTo(ofTable().name());
    assertThat(text(found, "why")).isEqualTo("table");
    assertThat(text(found, "detail")).endsWith("; its former backend may no longer keep it");
  }

  @Test
  void whenAllAreUnhealthyItSaysSo() throws Exception {
    routing = routing(service("web", "tcp/80", ServiceStatus.State.ALL_UNFIT, gone));
    JsonObject found = explain(FLOW);
    assertThat(text(found, "backend")).isEqualTo("b3");
    assertThat(text(found, "why")).isEqualTo("all unfit");
  }

  @Test
  void aServiceWithoutBackendsHasNobody() throws Exception {
    JsonObject found = explain("udp 198.51.100.7:40000 -> 10.0.0.50:53");
    assertThat(text(found, "service")).isEqualTo("dns");
    assertThat(text(found, "slot")).isNull();
    assertThat(text(found, "backend")).isNull();
    assertThat(text(found, "why")).isEqualTo("no backend");
  }

  @Test
  void whatAFlowDoesNotHaveIsNull() throws Exception {
    assertThat(explain("udp 198.51.100.7:40000 -> 10.0.0.50:53").toString())
        .isEqualTo(
            """
            {"flow":"udp 198.51.100.7:40000 -> 10.0.0.50:53","service":"dns","slot":null,\
            "slots":1009,"backend":null,"address":null,"why":"no backend",\
            "detail":"no backend may get packets of this service"}""");
    assertThat(explain("tcp 10.0.0.50:1 -> 10.0.0.50:80").toString())
        .isEqualTo(
            """
            {"flow":"tcp 10.0.0.50:1 -> 10.0.0.50:80","service":null,"slot":null,"slots":1009,\
            "backend":null,"address":null,"why":"own source","detail":"packets that claim to come \
            from 10.0.0.50, an address of this machine or a VIP, are dropped"}""");
  }

  @Test
  void whatNoServiceHasIsToldWithWhatTheyHave() throws Exception {
    JsonObject port = explain("tcp 198.51.100.7:40000 -> 10.0.0.50:22");
    assertThat(text(port, "service")).isNull();
    assertThat(text(port, "why")).isEqualTo("no service");
    assertThat(text(port, "detail"))
        .startsWith("no service of 10.0.0.50 has tcp/22 (web has tcp/80; dns has udp/53);");
    assertThat(text(explain("tcp 198.51.100.7:40000 -> 10.0.0.51:80"), "detail"))
        .isEqualTo("10.0.0.51 is not a VIP of this load balancer; its VIPs are 10.0.0.50");
  }

  @Test
  void aSourceThatIsRefusedIsTold() throws Exception {
    JsonObject found = explain("tcp 10.0.0.50:40000 -> 10.0.0.50:80");
    assertThat(text(found, "why")).isEqualTo("own source");
    assertThat(text(found, "backend")).isNull();
  }

  @Test
  void whatIsNoFlowIsAMistakeOfTheCaller() {
    assertThatThrownBy(() -> explain("web"))
        .isInstanceOfSatisfying(
            ControlException.class,
            e -> assertThat(e.code()).isEqualTo(ControlException.INVALID_PARAMS))
        .hasMessageStartingWith("'web' is not a flow; write it like tcp 198.51.100.7:40000 ->");
  }
}
