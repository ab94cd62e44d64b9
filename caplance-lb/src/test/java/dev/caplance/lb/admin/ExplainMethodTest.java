package dev.caplance.lb.admin;

import static dev.caplance.lb.admin.ForwardingFixture.HEALTHY;
import static dev.caplance.lb.admin.ForwardingFixture.UNHEALTHY;
import static dev.caplance.lb.admin.ForwardingFixture.backend;
import static dev.caplance.lb.admin.ForwardingFixture.service;
import static dev.caplance.lb.admin.ForwardingFixture.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.lb.dataplane.FakeDataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec.Affinity;
import dev.caplance.lb.registry.BackendRegistry;
import dev.caplance.lb.registry.BackendView;
import dev.caplance.packet.FlowKey;
import dev.caplance.session.Intent;
import dev.caplance.status.StatusJson;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ExplainMethodTest {

  private static final Caller PEER = new Caller(0, 0, 1);
  private static final String FLOW = "tcp 198.51.100.7:40000 -> 10.0.0.50:80";

  private final BackendView b1 = backend("b1", 1, HEALTHY);
  private final BackendView b2 = backend("b2", 1, HEALTHY);
  private BackendView b3 = backend("b3", 1, UNHEALTHY);

  private ForwardingTable table =
      table(
          service("web", "tcp/80", Service.State.BALANCING, b1, b2),
          service("dns", "udp/53", Service.State.NO_BACKEND));
  private BackendView known;

  /** Knows at most the one flow that the test is about. */
  private final class KnownFlow extends FakeDataplane {
    @Override
    public OptionalInt targetOf(FlowKey flow) {
      return known == null ? OptionalInt.empty() : OptionalInt.of(known.target().id());
    }
  }

  private List<BackendRegistry.Entry> registered() {
    return Stream.of(b1, b2, b3)
        .map(b -> new BackendRegistry.Entry(b, Duration.ZERO, Optional.empty()))
        .toList();
  }

  private JsonObject explain(String flow) throws ControlException, InterruptedException {
    JsonObject params = new JsonObject();
    params.addProperty("flow", flow);
    ExplainMethod method =
        new ExplainMethod(
            () -> table,
            new RegisteredBackends(() -> CompletableFuture.completedFuture(registered())),
            new KnownFlow());
    return StatusJson.write(method.call(params, PEER)).getAsJsonObject();
  }

  /** The backend to which the table sends the flow, and the other one. */
  private BackendView ofTable() {
    FlowKey key = NamedFlow.parse(FLOW).key();
    return table.target(0, key).equals(b1.target()) ? b1 : b2;
  }

  private static String text(JsonObject json, String name) {
    JsonElement value = json.get(name);
    return value.isJsonNull() ? null : value.getAsString();
  }

  @Test
  void aNewFlowGoesToTheBackendOfItsSlot() throws Exception {
    JsonObject found = explain(FLOW);
    int slot = table.slot(0, NamedFlow.parse(FLOW).key());
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
                    + "','why':'table','detail':'a new flow goes to the backend of its slot'}")
                .replace('\'', '"'));
  }

  @Test
  void aKnownFlowStaysWhereItIs() throws Exception {
    BackendView other = ofTable().equals(b1) ? b2 : b1;
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
    b3 = backend("b3", 1, HEALTHY, Intent.DRAINING);
    table = table(service("web", "tcp/80", Service.State.BALANCING, b1, b2, b3));
    known = b3;
    JsonObject found = explain(FLOW);
    assertThat(text(found, "backend")).isEqualTo("b3");
    assertThat(text(found, "why")).isEqualTo("drain");
    assertThat(text(found, "detail"))
        .isEqualTo(
            "b3 is draining and keeps the flows it has; a new one would go to " + ofTable().name());
  }

  @Test
  void aFlowOfAnUnhealthyBackendStaysThere() throws Exception {
    table = table(service("web", "tcp/80", Service.State.BALANCING, b1, b2, b3));
    known = b3;
    JsonObject found = explain(FLOW);
    assertThat(text(found, "why")).isEqualTo("unfit");
    assertThat(text(found, "detail")).startsWith("b3 is unhealthy and keeps the flows it has");
  }

  @Test
  void udpLeavesAnUnhealthyBackend() throws Exception {
    table = table(service("dns", "udp/53", Service.State.BALANCING, b1, b2, b3));
    known = b3;
    JsonObject found = explain("udp 198.51.100.7:40000 -> 10.0.0.50:53");
    assertThat(text(found, "backend")).isIn("b1", "b2");
    assertThat(text(found, "why")).isEqualTo("table");
    assertThat(text(found, "detail")).endsWith("; UDP leaves b3, which is unhealthy");
  }

  @Test
  void withAffinityToTheClientAllItsPortsAreExplainedAlike() throws Exception {
    table = table(service("web", "tcp", Service.State.BALANCING, Affinity.CLIENT, b1, b2, b3));
    String other = "tcp 198.51.100.7:55555 -> 10.0.0.50:443";
    assertThat(explain(other).get("slot")).isEqualTo(explain(FLOW).get("slot"));
    known = ofTable();
    assertThat(text(explain(other), "detail"))
        .isEqualTo("the client is known and stays; a new one would go there as well");
    String forNewOnes = ofTable().name();
    known = b3;
    assertThat(text(explain(other), "detail"))
        .isEqualTo(
            "b3 is unhealthy and keeps the client until it opens another connection or sends UDP,"
                + " which moves it to "
                + forNewOnes);
    b3 = backend("b3", 1, HEALTHY, Intent.DRAINING);
    assertThat(text(explain(other), "detail"))
        .isEqualTo(
            "b3 is draining and keeps the clients it has; a new one would go to " + forNewOnes);
  }

  @Test
  void aFlowWhoseBackendIsGoneGoesWhereTheTableSays() throws Exception {
    known = b3;
    JsonObject found = explain(FLOW);
    assertThat(text(found, "backend")).isEqualTo(ofTable().name());
    assertThat(text(found, "why")).isEqualTo("table");
    assertThat(text(found, "detail")).endsWith("; its previous backend may no longer keep it");
  }

  @Test
  void whenAllAreUnhealthyItSaysSo() throws Exception {
    table = table(service("web", "tcp/80", Service.State.ALL_UNHEALTHY, b3));
    JsonObject found = explain(FLOW);
    assertThat(text(found, "backend")).isEqualTo("b3");
    assertThat(text(found, "why")).isEqualTo("all unfit");
  }

  @Test
  void aServiceWithoutBackendsHasNoTarget() throws Exception {
    JsonObject found = explain("udp 198.51.100.7:40000 -> 10.0.0.50:53");
    assertThat(text(found, "service")).isEqualTo("dns");
    assertThat(text(found, "slot")).isNull();
    assertThat(text(found, "backend")).isNull();
    assertThat(text(found, "why")).isEqualTo("no backend");
  }

  @Test
  void missingPartsAreNull() throws Exception {
    assertThat(explain("udp 198.51.100.7:40000 -> 10.0.0.50:53").toString())
        .isEqualTo(
            """
            {"flow":"udp 198.51.100.7:40000 -> 10.0.0.50:53","service":"dns","slot":null,\
            "slots":1009,"backend":null,"address":null,"why":"no backend",\
            "detail":"no backend may get packets of this service"}\
            """);
    assertThat(explain("tcp 10.0.0.50:1 -> 10.0.0.50:80").toString())
        .isEqualTo(
            """
            {"flow":"tcp 10.0.0.50:1 -> 10.0.0.50:80","service":null,"slot":null,"slots":1009,\
            "backend":null,"address":null,"why":"own source","detail":"packets that claim to come \
            from 10.0.0.50, an address of this machine or a VIP, are dropped"}\
            """);
  }

  @Test
  void aPortOfNoServiceIsReportedWithThoseOfTheServices() throws Exception {
    JsonObject port = explain("tcp 198.51.100.7:40000 -> 10.0.0.50:22");
    assertThat(text(port, "service")).isNull();
    assertThat(text(port, "why")).isEqualTo("no service");
    assertThat(text(port, "detail"))
        .startsWith("no service of 10.0.0.50 has tcp/22 (web has tcp/80; dns has udp/53);");
    assertThat(text(explain("tcp 198.51.100.7:40000 -> 10.0.0.51:80"), "detail"))
        .isEqualTo("10.0.0.51 is not a VIP of this load balancer; its VIPs are 10.0.0.50");
  }

  @Test
  void aRefusedSourceIsReported() throws Exception {
    JsonObject found = explain("tcp 10.0.0.50:40000 -> 10.0.0.50:80");
    assertThat(text(found, "why")).isEqualTo("own source");
    assertThat(text(found, "backend")).isNull();
  }

  @Test
  void anInvalidFlowIsAnErrorOfTheCaller() {
    assertThatThrownBy(() -> explain("web"))
        .isInstanceOfSatisfying(
            ControlException.class,
            e -> assertThat(e.code()).isEqualTo(ControlException.INVALID_PARAMS))
        .hasMessageStartingWith("'web' is not a flow; write it like tcp 198.51.100.7:40000 ->");
  }
}
