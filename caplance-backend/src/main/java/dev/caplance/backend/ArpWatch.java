package dev.caplance.backend;

import dev.caplance.host.KernelParameter;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports when an interface begins to answer ARP requests for the VIPs, or to send them with a VIP
 * as their source, on a machine whose parameters are not ours to set ({@code setSysctls: false}).
 * The larger of the values for the interface and for all of them is in force (ip-sysctl.rst). Used
 * by one thread at a time.
 */
final class ArpWatch {

  private static final Logger LOG = LoggerFactory.getLogger(ArpWatch.class);
  private static final Map<String, Integer> LEAST = Map.of("arp_ignore", 1, "arp_announce", 2);

  private final Path interfaces;
  private final Map<Path, Long> seen = new HashMap<>();

  ArpWatch() {
    this(Path.of("/proc/sys/net/ipv4/conf"));
  }

  ArpWatch(Path interfaces) {
    this.interfaces = interfaces;
  }

  /** Reads the values; logs those that have become too small. */
  void check() throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(interfaces, ArpWatch::isLink)) {
      for (Path link : all) {
        for (Map.Entry<String, Integer> least : LEAST.entrySet()) {
          check(link, least.getKey(), least.getValue());
        }
      }
    }
  }

  private static boolean isLink(Path directory) {
    String name = directory.getFileName().toString();
    return !name.equals("all") && !name.equals("default") && !name.equals("lo");
  }

  private void check(Path link, String key, int least) throws IOException {
    long now = Math.max(value(interfaces.resolve("all").resolve(key)), value(link.resolve(key)));
    Long before = seen.put(link.resolve(key), now);
    if (before != null && before >= least && now < least) {
      LOG.warn(
          "{} of {} is now {}, so this machine may take the VIPs over from the load balancer: set"
              + " net.ipv4.conf.all.{}={}, or setSysctls: true",
          key,
          link.getFileName(),
          now,
          key,
          least);
    } else if (before != null && before < least && now >= least) {
      LOG.info("{} of {} is {} again", key, link.getFileName(), now);
    }
  }

  /** Zero where the interface has just gone. */
  private static long value(Path file) throws IOException {
    try {
      return KernelParameter.number(file);
    } catch (NoSuchFileException e) {
      return 0;
    }
  }
}
