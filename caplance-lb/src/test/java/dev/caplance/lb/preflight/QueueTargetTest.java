package dev.caplance.lb.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What {@code iptables-nft-restore --test} v1.8.9 says. */
class QueueTargetTest {

  @Test
  void aKernelWithoutTheTargetIsFound() {
    assertThat(QueueTarget.findings("iptables-nft-restore", "")).isEmpty();
    assertThat(
            QueueTarget.findings(
                "iptables-nft-restore",
                "Warning: Extension NFQUEUE revision 0 not supported, missing kernel module?\n"))
        .hasSize(1)
        .first()
        .hasToString(
            "the kernel lacks the netfilter target NFQUEUE (iptables-nft-restore: Warning: Extension NFQUEUE"
                + " revision 0 not supported, missing kernel module?): modprobe xt_NFQUEUE");
  }
}
