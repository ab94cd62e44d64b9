package dev.caplance.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.backend.session.LoadBalancerAddress;
import dev.caplance.backend.session.SessionSettings;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DesiredStateTest {

  private static final InetAddress VIP = IpAddresses.parse("10.0.0.50");
  private static final InetAddress VIP_6 = IpAddresses.parse("2001:db8::50");

  @TempDir Path directory;

  private DesiredState desired(OptionalInt mtu, String... more) throws Exception {
    Path file = directory.resolve("backend.yaml");
    Files.writeString(
        file,
        """
        name: web-1
        address: 10.0.0.11
        vips: ["10.0.0.50", "2001:db8::50"]
        loadBalancers: [{address: 10.0.0.2}]
        """
            + String.join("\n", more));
    return DesiredState.of(BackendConfig.load(file), mtu, true);
  }

  @Test
  void holdsWhatTheConfigurationWants() throws Exception {
    DesiredState desired = desired(OptionalInt.of(9000), "services: [web]", "weight: 3");

    assertThat(desired.addresses())
        .isEqualTo(Map.of(VIP, Optional.of("lo"), VIP_6, Optional.of("lo")));
    assertThat(desired.addresses().keySet()).containsExactly(VIP, VIP_6);
    assertThat(desired.sysctls())
        .isEqualTo(
            Map.of("net.ipv4.conf.all.arp_ignore", "1", "net.ipv4.conf.all.arp_announce", "2"));
    assertThat(desired.clampedVips()).containsExactly(VIP, VIP_6);
    assertThat(desired.mtu()).isEqualTo(9000);
    assertThat(desired.outerIpv4()).isTrue();
    assertThat(desired.sessions())
        .isEqualTo(
            new SessionSettings(
                "web-1",
                IpAddresses.parse("10.0.0.11"),
                List.of("web"),
                3,
                OptionalInt.of(9000),
                Duration.ofSeconds(5),
                Duration.ofSeconds(1),
                Duration.ofSeconds(2),
                List.of(VIP, VIP_6),
                true));
    assertThat(desired.loadBalancers())
        .containsExactly(new LoadBalancerAddress(IpAddresses.parse("10.0.0.2"), 1338, false));
    assertThat(desired.checks()).isEmpty();
  }

  /** It cannot be told; that such an interface is of no use is said elsewhere. */
  @Test
  void anInterfaceThatIsTooNarrowStopsNothing() throws Exception {
    assertThat(desired(OptionalInt.of(500)).sessions().mtu()).hasValue(576);
  }

  @Test
  void leavesTheMachineAloneWhereItIsToldTo() throws Exception {
    DesiredState desired =
        desired(OptionalInt.empty(), "attachVip: false", "setSysctls: false", "clampMss: false");

    assertThat(desired.addresses()).isEmpty();
    assertThat(desired.sysctls()).isEmpty();
    assertThat(desired.clampedVips()).isEmpty();
    assertThat(desired.sessions().mtu()).as("the load balancers are not told a guess").isEmpty();
    assertThat(desired.mtu()).isEqualTo(1500);
  }
}
