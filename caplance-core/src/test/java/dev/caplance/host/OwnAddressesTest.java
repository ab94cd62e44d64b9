package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;

class OwnAddressesTest {

  @Test
  void noPacketThatComesFromOutsideIsLargerThanTheWidestMtu() throws Exception {
    int widest = OwnAddresses.widestMtu();
    assertThat(widest).isBetween(0, 65_535);
    for (InetAddress address : OwnAddresses.list()) {
      if (!address.isLoopbackAddress()) {
        assertThat(OwnAddresses.mtuOf(address).orElseThrow()).isLessThanOrEqualTo(widest);
      }
    }
  }
}
