package dev.caplance.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.caplance.status.BackendDaemonStatus;
import dev.caplance.status.FlowExplanation;
import dev.caplance.status.LoadBalancerStatus;
import dev.caplance.status.StatusJson;
import dev.caplance.status.WhatIfResult;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ReportTest {

  private static BackendReport backend(JsonElement answer) {
    return new BackendReport(StatusJson.read(answer, BackendDaemonStatus.class), Samples.CLOCK);
  }

  private static LoadBalancerReport loadBalancer(JsonElement answer) {
    return new LoadBalancerReport(StatusJson.read(answer, LoadBalancerStatus.class), Samples.CLOCK);
  }

  private static String flow(JsonElement answer) {
    return RoutingReport.of(StatusJson.read(answer, FlowExplanation.class));
  }

  private static String whatIf(JsonElement answer) {
    return RoutingReport.of(StatusJson.read(answer, WhatIfResult.class));
  }

  @Test
  void statusOfABackendIsConcise() {
    assertThat(backend(Samples.json(Samples.BACKEND)).concise())
        .isEqualTo(
            """
            web-1               active, healthy
            10.0.0.2            registered, acknowledged 1.2 s ago
            10.0.0.3:1400       registered, paused by its operator, acknowledged 0.4 s ago
            [2001:db8::4]:1339  waiting since 16:23:55: Connection refused; next attempt in 4.0 s
            """);
  }

  @Test
  void healthOfABackendIsComplete() {
    assertThat(backend(Samples.json(Samples.BACKEND)).full())
        .isEqualTo(
            """
            web-1    active, healthy
            address  10.0.0.11
            VIPs     10.0.0.50, 2001:db8::50
            daemon   0.1.0, up 3 h 12 min

            load balancer       session                             acknowledged  since                packets from
            10.0.0.2            registered                          1.2 s ago     14:03:11             10.0.0.2
            10.0.0.3:1400       registered, paused by its operator  0.4 s ago     2026-01-01 14:03:00  10.0.0.3
            [2001:db8::4]:1339  waiting                             -             16:23:55             -
              Connection refused; next attempt in 4.0 s

            check  target               state    since
            http   10.0.0.50:80/health  healthy  14:03:11
              http 10.0.0.50:80/health answered 500, expected 200
            tcp    [2001:db8::50]:80    healthy  14:03:12

            packets  received 12,345   delivered 12,340 (9.8 MB)   refused 5
              not from a load balancer  3
              no VIP of ours            2
            """);
  }

  @Test
  void statusOfALoadBalancerIsComplete() {
    assertThat(loadBalancer(Samples.json(Samples.LOAD_BALANCER)).full())
        .isEqualTo(
            """
            load balancer 0.1.0, up 3 h 12 min

            service  VIP        ports            state       backends  existing only  2019 backends
            web      10.0.0.50  tcp/80, udp/443  balancing          2              1  no
            old      10.0.0.51  tcp, udp         no backend         0              0  yes

            backend  address    state                               new flows  weight  services  path proven  last heard  registered           packets   bytes  session          protocol
            web-1    10.0.0.11  active, healthy                     yes             1  all       -             1.2 s ago  14:03:11              12,345  9.8 MB  10.0.0.11:41234  2
            web-22   10.0.0.12  paused, unhealthy (503 no workers)  no             10  web,old   -            12.3 s ago  2026-01-01 13:00:01        5    98 B  10.0.0.12:41235  2
            web-3    10.0.0.13  active, health unknown              no              1  all       -             0.0 s ago  16:24:00                   0     0 B  10.0.0.13:41236  2019

            packets  received 12,350   forwarded 12,345 (9.8 MB)   dropped 5
              no backend  5
            1,234 packets to 10.0.0.50 dropped: they match no service

            queue  packets  batches  per batch  verdicts  flows  no room  allocated
                0   12,350      321       38.4       321  1,234        0        0 B
            """);
  }

  @Test
  void aFlowIsExplained() {
    assertThat(flow(Samples.json(Samples.FLOW)))
        .isEqualTo(
            """
            flow     tcp 198.51.100.7:40000 -> 10.0.0.50:80
            service  web
            slot     12,345 of 65,537
            backend  web-1 (10.0.0.11)
            why      flow table: the flow is known and stays; a new one would go to web-2
            """);
    assertThat(
            flow(
                json(
                    "{'flow':'f','service':null,'slot':null,'slots':7,'backend':null,"
                        + "'address':null,'why':'no service','detail':'no such port'}")))
        .isEqualTo(
            """
            flow     f
            service  -
            slot     -
            backend  -
            why      no service: no such port
            """);
  }

  @Test
  void aChangeIsShownInShares() {
    assertThat(whatIf(Samples.json(Samples.CHANGE)))
        .isEqualTo(
            """
            web: 33.5 % of new connections would go to another backend; 0.2 % would move between the other backends
            (21,976 and 131 of 65,537 slots). Existing connections stay where they are unless their backend goes away.

            backend  share now  share after
            web-1       33.3 %       50.0 %
            web-2       33.3 %       50.0 %
            web-3       33.3 %        0.0 %
            """);
  }

  @Test
  void anUnhealthyBackendSaysWhy() {
    assertThat(
            backend(json("{'intent':'active','health':{'code':503,'reason':'no app'}}")).concise())
        .isEqualTo("-  active, unhealthy (503 no app)\n");
    String silent = "{'backends':[{'intent':'draining','health':{'state':'unfit'}}]}";
    assertThat(loadBalancer(json(silent)).full()).contains("-        draining, unhealthy  no");
    String unheard = "{'backends':[{'health':{'state':'unknown','code':0}}]}";
    assertThat(loadBalancer(json(unheard)).full()).contains("unknown, health unknown  no");
  }

  @Test
  void aServiceWithoutAHealthyBackendSaysSo() {
    assertThat(loadBalancer(json("{'services':[{'name':'web','state':'all unfit'}]}")).full())
        .contains("web      -    -      all unhealthy  ");
    assertThat(flow(json("{'why':'all unfit','detail':'no luck'}")))
        .endsWith("why      all unhealthy: no luck\n");
  }

  @Test
  void aDrainThatIsUnderWayIsShown() {
    String draining =
        """
        {"name": "web-1", "intent": "draining", "health": {"code": 200},
         "drain": {"state": "draining", "text": "17 connections left, 3m40s to the deadline"}}
        """;
    assertThat(backend(Samples.json(draining)).concise())
        .isEqualTo("web-1  draining, healthy; 17 connections left, 3m40s to the deadline\n");
    assertThat(backend(Samples.json(draining)).full())
        .startsWith("web-1    draining, healthy; 17 connections left, 3m40s to the deadline\n");
    String over = draining.replace("\"state\": \"draining\"", "\"state\": \"cancelled\"");
    assertThat(backend(Samples.json(over)).concise()).isEqualTo("web-1  draining, healthy\n");
  }

  private static JsonElement json(String text) {
    return Samples.json(text.replace('\'', '"'));
  }

  @Test
  void aDaemonThatSaysNothingIsReportedAsUnknown() {
    assertThat(backend(new JsonObject()).concise()).isEqualTo("-  unknown, health unknown\n");
    assertThat(backend(JsonNull.INSTANCE).full()).contains("packets  received unknown");
    assertThat(loadBalancer(new JsonArray()).full()).contains("no backend is registered");
  }

  @Test
  void membersOfAnotherKindThanExpectedDoNoHarm() {
    forEachMutation(Samples.BACKEND, answer -> backend(answer).concise());
    forEachMutation(Samples.BACKEND, answer -> backend(answer).full());
    forEachMutation(Samples.LOAD_BALANCER, answer -> loadBalancer(answer).full());
    forEachMutation(Samples.FLOW, ReportTest::flow);
    forEachMutation(Samples.CHANGE, ReportTest::whatIf);
  }

  /** Puts something else in the place of each value of a sample in turn, and takes it away. */
  private static void forEachMutation(String sample, Consumer<JsonElement> report) {
    List<JsonElement> others =
        List.of(
            JsonNull.INSTANCE,
            new JsonPrimitive(-1.5),
            new JsonPrimitive("1e999"),
            new JsonPrimitive(true),
            new JsonArray(),
            new JsonObject());
    JsonElement whole = Samples.json(sample);
    mutate(whole, () -> report.accept(whole), others);
  }

  private static void mutate(JsonElement element, Runnable report, List<JsonElement> others) {
    if (element.isJsonObject()) {
      JsonObject object = element.getAsJsonObject();
      for (String name : List.copyOf(object.keySet())) {
        JsonElement original = object.remove(name);
        report.run();
        for (JsonElement other : others) {
          object.add(name, other);
          report.run();
        }
        object.add(name, original);
        mutate(original, report, others);
      }
    } else if (element.isJsonArray()) {
      JsonArray array = element.getAsJsonArray();
      for (int i = 0; i < array.size(); i++) {
        JsonElement original = array.get(i);
        for (JsonElement other : others) {
          array.set(i, other);
          report.run();
        }
        array.set(i, original);
        mutate(original, report, others);
      }
    }
  }

  @Test
  void textsCannotPlayWithTheTerminal() {
    assertThat(backend(json("{'name':'x\\u001b[2Jy\\nz\\u009b'}")).concise())
        .startsWith("x?[2Jy?z?  ");
  }

  /** Never healthy over a black hole: what is not so is said where one looks. */
  @Test
  void aBackendThatGetsNothingOrIsTheLastResortIsShownAsThat() {
    String backends =
        loadBalancer(
                json(
                    """
                    {'backends':[
                      {'name':'a','intent':'active','takesNewFlows':true,
                       'health':{'state':'fit','code':200,'reason':'no checks'},
                       'path':{'state':'proven','provenAgeMillis':1200}},
                      {'name':'b','intent':'active','takesNewFlows':false,'lastResort':true,
                       'health':{'state':'unfit','code':503,'reason':'data path'},
                       'path':{'state':'lost','provenAgeMillis':61000}},
                      {'name':'c','intent':'active','takesNewFlows':false,'returning':true,
                       'health':{'state':'fit','code':200,'reason':''},
                       'path':{'state':'unproven'}},
                      {'name':'d','intent':'active','takesNewFlows':true,'servesNothing':true,
                       'health':{'state':'fit','code':200,'reason':''},
                       'path':{'state':'not probed'}}]}
                    """))
            .full();
    assertThat(backends.lines().map(line -> line.replaceAll("  +", "  ")))
        .contains(
            "a  -  active, healthy (no checks)  yes  -  all  1.2 s ago  -  -  -  -  -  -",
            "b  -  active, unhealthy (503 data path)  last resort  -  all  lost, 1 min 1 s ago"
                + "  -  -  -  -  -  -",
            "c  -  active, healthy, returning  no  -  all  not yet  -  -  -  -  -  -",
            "d  -  active, healthy  yes  -  none  once  -  -  -  -  -  -");
  }

  @Test
  void aSessionThatBringsNothingIsShownAsThat() {
    assertThat(
            backend(
                    json(
                        """
                        {'name':'web-1','intent':'active',
                         'health':{'state':'fit','code':200,'reason':'no checks'},
                         'loadBalancers':[
                           {'address':'10.0.0.2','state':'registered','services':0,
                            'unknownServices':['wbe']},
                           {'address':'10.0.0.3','state':'registered','services':1,
                            'path':{'arrives':false,'lastProbeAgeMillis':9000}},
                           {'address':'10.0.0.4','state':'registered','services':1,
                            'path':{'arrives':true,'lastProbeAgeMillis':900}}]}
                        """))
                .concise())
        .isEqualTo(
            """
            web-1     active, healthy (no checks)
            10.0.0.2  registered: it has no service that this backend serves, so it sends nothing; it has no service wbe
            10.0.0.3  registered: its packets do not arrive, the last one 9.0 s ago
            10.0.0.4  registered
            """);
  }
}
