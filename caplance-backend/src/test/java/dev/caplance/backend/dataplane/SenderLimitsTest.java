package dev.caplance.backend.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caplance.packet.AddressSet;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who may send how much, at one moment. */
class SenderLimitsTest {

  private static final InetAddress ONE = IpAddresses.parse("10.0.0.2");
  private static final InetAddress TWO = IpAddresses.parse("fd00::2");

  private final SenderLimits limits = new SenderLimits(AddressSet.of(List.of(ONE, TWO)), 3);
  private final long now = System.nanoTime();

  private int taken(InetAddress sender, int attempts) {
    int taken = 0;
    for (int i = 0; i < attempts; i++) {
      taken += limits.take(IpAddresses.high(sender), IpAddresses.low(sender), now) ? 1 : 0;
    }
    return taken;
  }

  @Test
  void strangersShareOneLimitAndEveryLoadBalancerHasItsOwn() {
    assertThat(taken(IpAddresses.parse("10.0.0.3"), 2)).isEqualTo(2);
    assertThat(taken(IpAddresses.parse("fd00::3"), 1000)).isEqualTo(1);
    assertThat(taken(ONE, 1000)).isEqualTo(3);
    assertThat(taken(TWO, 1000)).isEqualTo(3);
  }
}
