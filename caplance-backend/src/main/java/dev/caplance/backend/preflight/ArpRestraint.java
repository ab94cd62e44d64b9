package dev.caplance.backend.preflight;

import dev.caplance.host.Interfaces;
import dev.caplance.host.KernelParameter;
import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.Finding;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks that this machine does not answer ARP requests for a VIP, nor sends requests with a VIP as
 * their source. Neighbours ask only for VIPs that are in one of their networks.
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

  /** Checks; empty if nothing is wrong. */
  public List<Finding> findings(Interfaces interfaces) throws IOException {
    List<Finding> findings = new ArrayList<>();
    for (Interfaces.Interface device : interfaces.all()) {
      if (vips.stream().anyMatch(device::hasNeighboursOf)) {
        expect(device.name(), "arp_ignore", 1, "answers ARP requests for the VIP", findings);
        expect(
            device.name(),
            "arp_announce",
            2,
            "sends ARP requests with the VIP as their source",
            findings);
      }
    }
    return findings;
  }

  /** The larger of the values of {@code all} and of the device is in force (ip-sysctl.rst). */
  private void expect(String device, String key, int least, String harm, List<Finding> findings)
      throws IOException {
    long value = Math.max(read("all", key), read(device, key));
    if (value < least) {
      findings.add(
          Finding.stops(
              "this machine " + harm,
              key + " is " + value + " on " + device,
              "sysctl -w net.ipv4.conf.all." + key + "=" + least));
    }
  }

  private long read(String device, String key) throws IOException {
    return KernelParameter.number(root.resolve(CONF).resolve(device).resolve(key));
  }
}
