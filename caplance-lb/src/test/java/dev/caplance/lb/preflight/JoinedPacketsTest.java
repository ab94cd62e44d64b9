package dev.caplance.lb.preflight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class JoinedPacketsTest {

  @Test
  void findsEachLimitThatIsTooHigh() throws IOException {
    String json =
        """
        [{"ifname":"lo","gro_max_size":65536},
         {"ifname":"old"},
         {"ifname":"eth0","gro_max_size":131072,"gro_ipv4_max_size":65536},
         {"ifname":"eth1","gro_max_size":65536,"gro_ipv4_max_size":524280}]
        """;
    assertThat(JoinedPackets.findings(json))
        .extracting(Object::toString)
        .containsExactly(
            "eth0 merges TCP packets into larger ones than NFQUEUE can deliver, which are dropped"
                + " (gro_max_size 131072): ip link set dev eth0 gro_max_size 65536",
            "eth1 merges TCP packets into larger ones than NFQUEUE can deliver, which are dropped"
                + " (gro_ipv4_max_size 524280): ip link set dev eth1 gro_ipv4_max_size 65536");
  }

  @Test
  void saysWhenItCannotRead() {
    assertThatThrownBy(() -> JoinedPackets.findings("[{\"gro_max_size\":131072}]"))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("'ip -json -details link show' printed something unexpected");
  }
}
