package dev.caplance.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class NeighbourAdvertisementTest {

  /** Made with Scapy: IPv6(hlim=255)/ICMPv6ND_NA(R=0,S=0,O=1)/ICMPv6NDOptDstLLAddr. */
  @Test
  void announcesAnAddress() {
    byte[] mac = HexFormat.of().parseHex("02005e102030");
    byte[] packet = NeighbourAdvertisement.announcement(mac, IpAddresses.parse("fd77::50"));
    assertThat(HexFormat.of().formatHex(packet))
        .isEqualTo(
            "6000000000203aff"
                + "fd770000000000000000000000000050"
                + "ff020000000000000000000000000001"
                + "8800dacf"
                + "20000000"
                + "fd770000000000000000000000000050"
                + "0201"
                + "02005e102030");
  }
}
