package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class ArpTest {

  /** The bytes of RFC 826 for an announcement as RFC 5227 wants it. */
  @Test
  void announcesAnAddress() {
    byte[] mac = HexFormat.of().parseHex("02005e102030");
    assertThat(HexFormat.of().formatHex(Arp.announcement(mac, IpAddresses.parse("10.0.0.50"))))
        .isEqualTo(
            "0001"
                + "0800"
                + "06"
                + "04"
                + "0001"
                + "02005e102030"
                + "0a000032"
                + "000000000000"
                + "0a000032");
  }
}
