package dev.caplance.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import dev.caplance.status.BackendDaemonStatus.DrainState;
import dev.caplance.status.BackendDaemonStatus.SessionState;
import dev.caplance.status.FlowExplanation.Reason;
import dev.caplance.status.LoadBalancerStatus.OtherTraffic;
import dev.caplance.status.LoadBalancerStatus.ServiceState;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StatusJsonTest {

  private static JsonElement json(String text) {
    return JsonParser.parseString(text.replace('\'', '"'));
  }

  private static LoadBalancerStatus status(String text) {
    return StatusJson.read(json(text), LoadBalancerStatus.class);
  }

  /** Each record holds one of the words; the others are of no account. */
  private static String words(List<? extends Record> records, String member) {
    return String.join(
        ", ",
        records.stream()
            .map(StatusJson::write)
            .map(json -> json.getAsJsonObject().get(member).getAsString())
            .toList());
  }

  @Test
  void wordsStayWhateverTheConstantsAreNamed() {
    assertThat(
            words(
                Arrays.stream(HealthState.values())
                    .map(state -> new LoadBalancerStatus.Health(state, 0, ""))
                    .toList(),
                "state"))
        .isEqualTo("unknown, fit, unfit");
    assertThat(
            words(
                Arrays.stream(ServiceState.values())
                    .map(it -> new LoadBalancerStatus.Service("", "", "", false, it, 0, 0))
                    .toList(),
                "state"))
        .isEqualTo("balancing, returning, all unfit, no backend");
    assertThat(
            words(
                Arrays.stream(ReportedIntent.values())
                    .map(intent -> new CommandOutcome("", intent, List.of(), null))
                    .toList(),
                "intent"))
        .isEqualTo("active, draining, paused, deregistered");
    assertThat(
            words(
                Arrays.stream(DrainState.values())
                    .map(state -> new BackendDaemonStatus.Drain(state, 0, 0L, "", 0))
                    .toList(),
                "state"))
        .isEqualTo("draining, drained, deadline, cancelled");
    assertThat(
            words(
                Arrays.stream(SessionState.values())
                    .map(
                        state ->
                            new BackendDaemonStatus.Session(
                                "", 0, "", state, null, 0L, "", null, "", 0L, 0, null, null))
                    .toList(),
                "state"))
        .isEqualTo("connecting, registering, registered, waiting, deregistered");
    assertThat(
            words(
                Arrays.stream(Reason.values())
                    .map(why -> new FlowExplanation("", "", 0, 0, "", "", why, ""))
                    .toList(),
                "why"))
        .isEqualTo(
            "flow table, drain, unfit, table, all unfit, no backend, no service, own source");
  }

  @Test
  void whatHasNoValueIsWrittenAsNullUnlessItIsToBeAbsent() {
    CommandOutcome.Reply reply = new CommandOutcome.Reply("10.0.0.2", 1338, true, null);
    assertThat(
            StatusJson.write(new CommandOutcome("b1", ReportedIntent.PAUSED, List.of(reply), null))
                .toString())
        .isEqualTo(
            """
            {"name":"b1","intent":"paused","loadBalancers":[\
            {"address":"10.0.0.2","port":1338,"confirmed":true,"answer":null}]}\
            """);
    BackendDaemonStatus.Drain drain =
        new BackendDaemonStatus.Drain(DrainState.DRAINED, null, null, "gone", null);
    assertThat(StatusJson.write(new CommandOutcome(null, null, List.of(), drain)).toString())
        .isEqualTo(
            """
            {"name":null,"intent":null,"loadBalancers":[],"drain":{"state":"drained",\
            "connections":null,"remainingMillis":null,"text":"gone","udpFlows":null}}\
            """);
  }

  @Test
  void whatIsWrittenIsReadAgain() {
    Map<String, Long> dropped = new LinkedHashMap<>();
    dropped.put("no backend", 5L);
    dropped.put("fragment", 1L);
    LoadBalancerStatus status =
        new LoadBalancerStatus(
            "0.1.0",
            Instant.parse("2026-01-02T03:04:05.006Z"),
            List.of(
                new LoadBalancerStatus.Service(
                    "web", "10.0.0.50", "tcp/80", true, ServiceState.ALL_UNHEALTHY, 1, 2)),
            List.of(),
            new LoadBalancerStatus.Packets(6L, 0L, 9_876_543_210L, dropped, 2L),
            List.of(new OtherTraffic("10.0.0.50", 1L)),
            List.of(new LoadBalancerStatus.Worker(0, 1L, 2L, 3L, 4, 5L, 6L, 7L, 8L, 9L, 10L)),
            List.of("cannot listen"));
    String json = StatusJson.write(status).toString();
    assertThat(json).contains("'dropped':{'no backend':5,'fragment':1}".replace('\'', '"'));
    assertThat(StatusJson.read(JsonParser.parseString(json), LoadBalancerStatus.class))
        .isEqualTo(status);
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "null", "[]", "17", "'x'", "{'version':null,'services':{}}"})
  void whatIsMissingOrOfAnotherTypeIsUnknown(String text) {
    assertThat(status(text))
        .isEqualTo(
            new LoadBalancerStatus(
                null,
                null,
                List.of(),
                List.of(),
                new LoadBalancerStatus.Packets(null, null, null, Map.of(), null),
                List.of(),
                List.of(),
                List.of()));
  }

  @Test
  void oneMemberOfAnotherTypeLeavesTheOthers() {
    LoadBalancerStatus status =
        status(
            """
            {'version': {}, 'startedAt': 'yesterday', 'new': [{}], 'services': [
              17, null,
              {'name': 'web', 'vip': [], 'legacy': 'x', 'state': 'melting', 'backends': '1e999'}],
             'packets': {'received': 3, 'dropped': {'fragment': 1, 'odd': 'x', 'none': null}}}
            """);
    assertThat(status.version()).isNull();
    assertThat(status.startedAt()).isNull();
    assertThat(status.services())
        .containsExactly(
            new LoadBalancerStatus.Service("web", null, null, false, null, null, null));
    assertThat(status.packets())
        .isEqualTo(new LoadBalancerStatus.Packets(3L, null, null, Map.of("fragment", 1L), null));
  }

  @Test
  void controlCharactersAreMaskedInValuesAndNames() {
    LoadBalancerStatus status =
        status("{'version':'x\\u001b[2Jy\\nz\\u009b','packets':{'dropped':{'a\\u0007b':1}}}");
    assertThat(status.version()).isEqualTo("x?[2Jy?z?");
    assertThat(status.packets().dropped()).containsOnlyKeys("a?b");
  }
}
