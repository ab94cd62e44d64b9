package dev.caplance.lb.preflight;

import dev.caplance.host.CommandRunner;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.Preflight;
import java.io.IOException;
import java.util.List;

/**
 * Checks that the kernel has the netfilter target NFQUEUE. {@code iptables-nft-restore --test}
 * changes nothing and, if the kernel lacks something, prints a warning but does not fail.
 */
public record QueueTarget(boolean ipv4, CommandRunner commands) implements Preflight.Check {

  private static final String RULE =
      """
      *raw
      :CAPLANCE-PREFLIGHT - [0:0]
      -A CAPLANCE-PREFLIGHT -p tcp -j NFQUEUE --queue-num 0
      COMMIT
      """;

  @Override
  public List<Finding> findings() throws IOException {
    String program = (ipv4 ? "iptables" : "ip6tables") + "-nft-restore";
    String output =
        commands.runWithInput(RULE, "sh", "-c", "exec " + program + " --test --noflush 2>&1");
    return findings(program, output);
  }

  /** Reads what the program printed to both outputs. */
  static List<Finding> findings(String program, String output) {
    return output.contains("NFQUEUE") && output.contains("not supported")
        ? List.of(
            Finding.stops(
                "the kernel lacks the netfilter target NFQUEUE",
                program + ": " + output.strip(),
                "modprobe xt_NFQUEUE"))
        : List.of();
  }
}
