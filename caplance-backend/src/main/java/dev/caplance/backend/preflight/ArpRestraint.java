package dev.caplance.backend.preflight;

import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import dev.caplance.preflight.Interfaces;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether this machine keeps silent when its neighbours ask by ARP who has a VIP. Only where VIPs
 * are in a network of the machine does anybody ask.
 */
public final class ArpRestraint {

  private static final Path CONF = Path.of("net/ipv4/conf");

  private final List<InetAddress> vips;
  private final Path root;

  public ArpRestraint(List<InetAddress> vips) {
    this(vips, Path.of("/proc/sys"));
  }

  ArpRestraint(List<InetAddress> vips, Path root) {
    this.vips = vips.stream().filter(IpAddresses::isIpv4).toList();
    this.root = root;
  }

  /** What is wrong. */
  public List<Finding> findings(Interfaces interfaces) throws IOException {
    List<Finding> findings = new ArrayList<>();
    for (Interfaces.Interface device : interfaces.all()) {
      if (vips.stream().anyMatch(device::networkHolds)) {
        expect(device.name(), "arp_ignore", 1, "answers ARP for the VIP", findings);
        expect(device.name(), "arp_announce", 2, "asks by ARP in the VIP's name", findings);
      }
    }
    return findings;
  }

  /** The larger value of {@code all} and the device counts (ip-sysctl.rst). */
  private void expect(String device, String key, int least, String harm, List<Finding> findings)
      throws IOException {
    int value = Math.max(read("all", key), read(device, key));
    if (value < least) {
      findings.add(
          Finding.stops(
              "this machine " + harm,
              key + " is " + value + " on " + device,
              "sysctl -w net.ipv4.conf.all." + key + "=" + least));
    }
  }

  private int read(String device, String key) throws IOException {
    Path file = root.resolve(CONF).resolve(device).resolve(key);
    try {
      return Integer.parseInt(Files.readString(file).strip());
    } catch (NumberFormatException e) {
      throw new IOException(file + " holds no number", e);
    }
  }
}
