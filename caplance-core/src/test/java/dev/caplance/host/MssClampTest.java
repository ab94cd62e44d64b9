package dev.caplance.host;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MssClampTest {

  /** A segment of that size, with its headers and those around it, is as large as the link. */
  @ParameterizedTest
  @CsvSource({
    "1500, true, true, 1432",
    "1500, true, false, 1412",
    "1500, false, true, 1412",
    "1500, false, false, 1392",
    "9000, true, true, 8932",
    "1528, true, true, 1460",
  })
  void leavesRoomForAllHeaders(int mtu, boolean outerIpv4, boolean ipv4, int mss) {
    assertThat(MssClamp.mss(mtu, outerIpv4, ipv4)).isEqualTo(mss);
  }
}
