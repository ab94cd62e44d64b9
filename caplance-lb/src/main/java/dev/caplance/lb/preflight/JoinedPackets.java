package dev.caplance.lb.preflight;

import com.google.gson.JsonElement;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.IpJson;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.PreflightCheck;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether interfaces join received TCP packets to larger ones than NFQUEUE can hand over, which
 * takes an administrator's will ({@code gro_max_size} of ip-link(8), "BIG TCP").
 */
public record JoinedPackets(CommandRunner commands) implements PreflightCheck {

  /** The kernel's default. */
  private static final int USUAL = 65_536;

  private static final List<String> LIMITS = List.of("gro_max_size", "gro_ipv4_max_size");

  @Override
  public List<Finding> look() throws IOException {
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
            if (link.has(limit) && link.get(limit).getAsInt() > USUAL) {
              findings.add(tooLarge(link.get("ifname").getAsString(), limit, link.get(limit)));
            }
          }
        });
    return findings;
  }

  private static Finding tooLarge(String device, String limit, JsonElement value) {
    return Finding.stops(
        device + " joins TCP packets to more than NFQUEUE can hand over, and those are dropped",
        limit + " " + value,
        "ip link set dev " + device + " " + limit + " " + USUAL);
  }
}
