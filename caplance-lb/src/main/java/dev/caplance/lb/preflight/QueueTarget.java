package dev.caplance.lb.preflight;

import dev.caplance.host.CommandRunner;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.PreflightCheck;
import java.io.IOException;
import java.util.List;

/**
 * Whether the kernel knows the target NFQUEUE. {@code iptables-nft-restore --test} changes nothing
 * and, when the kernel lacks something, says so without failing.
 */
public record QueueTarget(boolean ipv4, CommandRunner commands) implements PreflightCheck {

  private static final String RULE =
      """
      *raw
      :CAPLANCE-PREFLIGHT - [0:0]
      -A CAPLANCE-PREFLIGHT -p tcp -j NFQUEUE --queue-num 0
      COMMIT
      """;

  @Override
  public List<Finding> look() throws IOException {
    String program = (ipv4 ? "iptables" : "ip6tables") + "-nft-restore";
    String said =
        commands.runWithInput(RULE, "sh", "-c", "exec " + program + " --test --noflush 2>&1");
    return findings(program, said);
  }

  /** Reads what the program wrote to both outputs. */
  static List<Finding> findings(String program, String said) {
    return said.contains("NFQUEUE") && said.contains("not supported")
        ? List.of(
            Finding.stops(
                "the kernel lacks the target NFQUEUE",
                program + ": " + said.strip(),
                "modprobe xt_NFQUEUE"))
        : List.of();
  }
}
