package dev.caplance.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class CapabilitiesTest {

  @Test
  void namesWhatIsMissing() throws IOException {
    assertThat(Capabilities.missing("Name:\tjava\nCapPrm:\t0\nCapEff:\t000001ffffffffff\n"))
        .isEmpty();
    assertThat(Capabilities.missing("CapEff:\t0000000000003000\nCapBnd:\t0\n")).isEmpty();
    assertThat(Capabilities.missing("CapEff:\t0000000000001000\n")).containsExactly("CAP_NET_RAW");
    assertThat(Capabilities.missing("CapPrm:\t0000000000003000\nCapEff:\t0000000000000000\n"))
        .containsExactly("CAP_NET_ADMIN", "CAP_NET_RAW");
  }
}
