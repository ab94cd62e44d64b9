package dev.caplance.lb.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.host.OwnNetworks;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpPrefix;
import dev.caplance.preflight.Finding;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class VacancyTest {

  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");

  private static List<Finding> findings(String own, Map<InetAddress, String> holders) {
    OwnNetworks networks =
        new OwnNetworks(List.of(new OwnNetworks.Network("eth0", IpPrefix.parse(own))));
    return new Vacancy(List.of(VIP, VIP), true, Optional.empty()).findings(networks, holders);
  }

  @Test
  void aFreeAddressOfTheNetworkWillDo() {
    assertThat(findings("10.0.0.2/24", Map.of())).isEmpty();
  }

  @Test
  void theMachinesOwnAddressWillNot() {
    assertThat(findings("10.0.0.50/24", Map.of()))
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.severity()).isEqualTo(Finding.Severity.STOPS);
              assertThat(finding.toString())
                  .startsWith(
                      "10.0.0.50 cannot be a VIP (it is this machine's own address on eth0)");
            });
  }

  @Test
  void anotherMachineThatHasItIsNamed() {
    assertThat(findings("10.0.0.2/24", Map.of(VIP, "02:00:00:00:00:01")))
        .singleElement()
        .satisfies(
            finding ->
                assertThat(finding.toString())
                    .startsWith(
                        "another machine has the VIP 10.0.0.50 (02:00:00:00:00:01 answers for it)"));
  }
}
