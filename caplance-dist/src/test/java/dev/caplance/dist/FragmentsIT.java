package dev.caplance.dist;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.dist.LabConfigs.OuterIp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Datagrams in pieces or behind extension headers, as clients or the network choose. */
class FragmentsIT {

  private static final String[] NAMES = {"b1", "b2", "b3"};
  private static final int FLOWS = 50;
  private static final int DATAGRAMS_OF_A_FLOW = 20;

  private static final List<Process> servers = new ArrayList<>();
  private static Cluster cluster;

  @BeforeAll
  static void start() {
    cluster = new Cluster(LabConfigs.all(OuterIp.IPV4, "queues: {count: 2}\n", ""), NAMES);
    for (String name : NAMES) {
      for (String vip : new String[] {Lab.VIP, Lab.VIP6}) {
        servers.add(cluster.lab().start(name, LabPrograms.Echo.class, name, vip, "7777"));
      }
    }
  }

  @AfterAll
  static void stop() {
    servers.forEach(Process::destroy);
    if (cluster != null) {
      cluster.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "10.77.0.50, in-order",
    "10.77.0.50, reversed",
    "10.77.0.50, shuffled",
    "10.77.0.50, with-df",
    "fd77::50, in-order",
    "fd77::50, reversed",
    "fd77::50, shuffled"
  })
  void everyDatagramArrivesWholeAtTheBackendOfItsFlow(String vip, String order) {
    String[] ask =
        Lab.java(
            RawPrograms.FragmentedAsk.class,
            vip,
            "7777",
            "" + FLOWS,
            "" + DATAGRAMS_OF_A_FLOW,
            "30000",
            order);
    String answers = cluster.lab().exec("client", ask).succeeded().out();
    assertThat(Cluster.count(answers.replaceAll("(?m)^\\d+ ", ""))).containsOnlyKeys(NAMES);
    assertThat(answers.lines()).hasSize(FLOWS * (1 + DATAGRAMS_OF_A_FLOW));
    Map<String, Set<String>> backendsOfFlow =
        answers
            .lines()
            .map(line -> line.split(" "))
            .collect(groupingBy(words -> words[0], mapping(words -> words[1], toSet())));
    assertThat(backendsOfFlow.values()).allSatisfy(backends -> assertThat(backends).hasSize(1));
  }

  /** Hop-by-hop options have the number 0, destination options 60 (RFC 8200). */
  @ParameterizedTest
  @ValueSource(strings = {"0", "60", "0 60"})
  void aDatagramBehindExtensionHeadersArrivesAtTheBackendOfItsFlow(String headers) {
    List<String> arguments = new ArrayList<>(List.of(Lab.VIP6, "7777"));
    arguments.addAll(List.of(headers.split(" ")));
    String[] ask = Lab.java(RawPrograms.OptionsAsk.class, arguments.toArray(String[]::new));
    List<String> answers = cluster.lab().exec("client", ask).succeeded().out().lines().toList();
    assertThat(answers).hasSize(2);
    assertThat(answers.get(1)).isEqualTo(answers.get(0)).doesNotContain("nobody");
  }
}
