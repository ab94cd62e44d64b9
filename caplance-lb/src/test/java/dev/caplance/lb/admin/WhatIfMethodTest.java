package dev.caplance.lb.admin;

import static dev.caplance.lb.admin.ForwardingFixture.HEALTHY;
import static dev.caplance.lb.admin.ForwardingFixture.SLOTS;
import static dev.caplance.lb.admin.ForwardingFixture.UNHEALTHY;
import static dev.caplance.lb.admin.ForwardingFixture.backend;
import static dev.caplance.lb.admin.ForwardingFixture.service;
import static dev.caplance.lb.admin.ForwardingFixture.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Maglev;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.status.StatusJson;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WhatIfMethodTest {

  private static final Caller PEER = new Caller(0, 0, 1);

  private final ForwardingTable table =
      table(
          service(
              "web",
              "tcp/80",
              Service.State.BALANCING,
              backend("b1", 1, HEALTHY),
              backend("b2", 1, HEALTHY),
              backend("b3", 1, HEALTHY),
              backend("b4", 7, UNHEALTHY)));

  private static JsonObject whatIf(ForwardingTable table, String params) throws ControlException {
    JsonObject json = new JsonObject();
    for (String param : params.split(" ")) {
      String[] pair = param.split("=");
      if (pair[0].equals("weight") && pair[1].matches("-?\\d+")) {
        json.addProperty("weight", Integer.parseInt(pair[1]));
      } else {
        json.addProperty(pair[0], pair[1]);
      }
    }
    return StatusJson.write(new WhatIfMethod(() -> table).call(json, PEER)).getAsJsonObject();
  }

  /** Counted from the tables themselves. */
  private static void assertMoves(
      JsonObject result, List<String> before, int[] weights, List<String> after, int[] then) {
    char[] old = Maglev.table(before, weights, SLOTS);
    char[] changed = Maglev.table(after, then, SLOTS);
    int moved = 0;
    int survivors = 0;
    for (int slot = 0; slot < SLOTS; slot++) {
      String from = before.get(old[slot]);
      String to = after.get(changed[slot]);
      moved += from.equals(to) ? 0 : 1;
      survivors += from.equals(to) || !after.contains(from) || !before.contains(to) ? 0 : 1;
    }
    assertThat(result.get("moved").getAsInt()).isEqualTo(moved);
    assertThat(result.get("movedBetweenOthers").getAsInt()).isEqualTo(survivors);
  }

  @Test
  void withoutABackendItsSlotsMoveAndFewOthers() throws ControlException {
    JsonObject result = whatIf(table, "change=remove name=b3");
    assertMoves(
        result,
        List.of("b1", "b2", "b3"),
        new int[] {1, 1, 1},
        List.of("b1", "b2"),
        new int[] {1, 1});
    assertThat(result.get("service").getAsString()).isEqualTo("web");
    assertThat(result.get("slots").getAsInt()).isEqualTo(SLOTS);
    assertThat(result.get("moved").getAsInt()).isBetween(SLOTS / 3, SLOTS / 2);
    assertThat(result.getAsJsonArray("backends").toString())
        .contains("{\"name\":\"b3\",\"before\":336,\"after\":0}");
  }

  @Test
  void aNewBackendTakesItsShare() throws ControlException {
    assertMoves(
        whatIf(table, "change=add name=b9"),
        List.of("b1", "b2", "b3"),
        new int[] {1, 1, 1},
        List.of("b1", "b2", "b3", "b9"),
        new int[] {1, 1, 1, 1});
  }

  @Test
  void aBackendThatIsDrainingWouldComeBackWithItsOwnWeight() throws ControlException {
    assertMoves(
        whatIf(table, "change=add name=b4"),
        List.of("b1", "b2", "b3"),
        new int[] {1, 1, 1},
        List.of("b1", "b2", "b3", "b4"),
        new int[] {1, 1, 1, 7});
  }

  @Test
  void anotherWeightMovesSlotsToItAndFewBetweenTheOthers() throws ControlException {
    JsonObject result = whatIf(table, "change=weight name=b2 weight=2");
    int gained = 0;
    int lost = 0;
    for (var backend : result.getAsJsonArray("backends")) {
      JsonObject share = backend.getAsJsonObject();
      int change = share.get("after").getAsInt() - share.get("before").getAsInt();
      if (share.get("name").getAsString().equals("b2")) {
        assertThat(change).isPositive();
      }
      gained += Math.max(0, change);
      lost += Math.max(0, -change);
    }
    assertThat(gained).isEqualTo(lost).isPositive();
    assertThat(result.get("moved").getAsInt()).isGreaterThanOrEqualTo(gained);
    assertThat(result.get("movedBetweenOthers").getAsInt())
        .isLessThan(result.get("moved").getAsInt());
  }

  @Test
  void theSameWeightMovesNothing() throws ControlException {
    assertThat(whatIf(table, "change=weight name=b2 weight=1").get("moved").getAsInt()).isZero();
  }

  @Test
  void withoutTheLastOneAllMove() throws ControlException {
    ForwardingTable one =
        table(service("web", "tcp/80", Service.State.BALANCING, backend("b1", 1, HEALTHY)));
    JsonObject result = whatIf(one, "change=remove name=b1");
    assertThat(result.get("moved").getAsInt()).isEqualTo(SLOTS);
    assertThat(result.get("movedBetweenOthers").getAsInt()).isZero();
    assertThat(result.toString())
        .isEqualTo(
            """
            {"service":"web","slots":1009,"moved":1009,"movedBetweenOthers":0,\
            "backends":[{"name":"b1","before":1009,"after":0}]}\
            """);
  }

  @Test
  void ofSeveralServicesOneMustBeNamed() throws ControlException {
    ForwardingTable two =
        table(
            service("web", "tcp/80", Service.State.BALANCING, backend("b1", 1, HEALTHY)),
            service("dns", "udp/53", Service.State.BALANCING, backend("b2", 1, HEALTHY)));
    assertThat(whatIf(two, "change=remove name=b2 service=dns").get("service").getAsString())
        .isEqualTo("dns");
    assertThatThrownBy(() -> whatIf(two, "change=remove name=b2"))
        .hasMessage("there is more than one service; name one of web, dns");
    assertThatThrownBy(() -> whatIf(two, "change=remove name=b2 service=mail"))
        .hasMessage("there is no service 'mail'; the services are web, dns");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "change=remove name=b9           | 1      | b9 gets no new flows of web, so nothing",
        "change=remove name=b4           | 1      | those that do: b1, b2, b3",
        "change=add name=b1              | 1      | b1 already gets new flows of web",
        "change=weight name=b1           | -32602 | the parameter 'weight' is missing",
        "change=weight name=b1 weight=0  | -32602 | 'weight' is not a whole number from 1 to 256",
        "change=weight name=b1 weight=x  | -32602 | 'weight' is not a whole number from 1 to 256",
        "change=add name=b9 weight=257   | -32602 | 'weight' is not a whole number from 1 to 256",
        "change=remove                   | -32602 | the parameter 'name' is missing; an example is"
            + " web-1",
        "name=b1                         | -32602 | the parameter 'change' is missing; an example"
            + " is remove",
        "change=swap name=b1             | -32602 | 'swap' is not a change; write remove, add or",
      })
  void reportsInvalidParameters(String params, int code, String message) {
    assertThatThrownBy(() -> whatIf(table, params))
        .isInstanceOfSatisfying(ControlException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContaining(message);
  }
}
