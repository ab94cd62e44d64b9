package dev.caplance.lb.preflight;

import com.google.gson.JsonElement;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.IpJson;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.Preflight;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks that no interface merges received TCP packets into larger ones than NFQUEUE can deliver.
 * None does unless an administrator has asked for it ({@code gro_max_size} of ip-link(8), "BIG
 * TCP").
 */
public record JoinedPackets(CommandRunner commands) implements Preflight.Check {

  /** The kernel's default. */
  private static final int DEFAULT_SIZE = 65_536;

  private static final List<String> LIMITS = List.of("gro_max_size", "gro_ipv4_max_size");

  @Override
  public List<Finding> findings() throws IOException {
    return findings(commands.run("ip", "-json", "-details", "link", "show"));
  }

  /** Reads the output of {@code ip -json -details link show}. */
  static List<Finding> findings(String json) throws IOException {
    List<Finding> findings = new ArrayList<>();
    IpJson.read(
        "ip -json -details link show",
        json,
        link -> {
          // Older versions of ip name neither limit, or only the first.
          for (String limit : LIMITS) {
            if (link.has(limit) && link.get(limit).getAsInt() > DEFAULT_SIZE) {
              findings.add(tooLarge(link.get("ifname").getAsString(), limit, link.get(limit)));
            }
          }
        });
    return findings;
  }

  private static Finding tooLarge(String device, String limit, JsonElement value) {
    return Finding.stops(
        device + " merges TCP packets into larger ones than NFQUEUE can deliver, which are dropped",
        limit + " " + value,
        "ip link set dev " + device + " " + limit + " " + DEFAULT_SIZE);
  }
}
