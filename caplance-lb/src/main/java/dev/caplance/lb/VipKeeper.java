package dev.caplance.lb;

import dev.caplance.daemon.Upkeep;
import dev.caplance.host.NetfilterRules;
import dev.caplance.host.OwnAddresses;
import dev.caplance.host.VipAddresses;
import dev.caplance.host.VipAnnouncer;
import java.io.IOException;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the machine as the load balancer needs it: attaches and announces the VIPs, and puts rules
 * and VIPs back when a firewall or a network manager that reloaded removed what it does not know.
 * Also keeps the tables told of this machine's own addresses. Any thread may call.
 */
final class VipKeeper {

  private static final Logger LOG = LoggerFactory.getLogger(VipKeeper.class);

  /** A single frame may be lost. */
  private static final int ANNOUNCEMENTS = 3;

  private final LbConfig config;
  private final VipAddresses addresses;
  private final NetfilterRules rules;
  private final TableAssembler tables;
  private Map<InetAddress, String> devices = Map.of();

  private int announcementsLeft;

  VipKeeper(LbConfig config, VipAddresses addresses, NetfilterRules rules, TableAssembler tables) {
    this.config = config;
    this.addresses = addresses;
    this.rules = rules;
    this.tables = tables;
  }

  /** Attaches and announces the VIPs. */
  synchronized void attach() throws IOException {
    tables.ownAddresses(OwnAddresses.list());
    if (config.attachVip()) {
      Map<InetAddress, Optional<String>> wanted = new LinkedHashMap<>();
      config.vips().forEach(vip -> wanted.put(vip, config.interfaceName()));
      devices = addresses.apply(wanted);
      announcementsLeft = ANNOUNCEMENTS;
      announce();
    }
  }

  /** What keeps all in place, and puts back what is not. */
  List<Upkeep.Task> tasks() {
    return List.of(
        new Upkeep.Task("keep the packet rules in place", this::checkRules),
        new Upkeep.Task("keep the virtual addresses in place", this::restoreAddresses),
        new Upkeep.Task("announce the virtual addresses", this::announce),
        new Upkeep.Task(
            "read the addresses of this machine", () -> tables.ownAddresses(OwnAddresses.list())));
  }

  private synchronized void checkRules() throws IOException {
    rules.check().forEach(LOG::warn);
  }

  private synchronized void restoreAddresses() throws IOException {
    addresses.restoreMissing(vip -> announcementsLeft = ANNOUNCEMENTS);
  }

  /**
   * Packets that were dropped since no service has them, for each VIP where they are not the
   * host's; empty also when the rules cannot be read.
   */
  synchronized Map<InetAddress, Long> droppedOtherTraffic() {
    try {
      return rules.droppedPackets();
    } catch (IOException e) {
      LOG.warn("cannot read how many packets were dropped as other traffic: {}", e.getMessage());
      return Map.of();
    }
  }

  private synchronized void announce() throws IOException {
    if (announcementsLeft > 0) {
      announcementsLeft--;
      for (Map.Entry<InetAddress, String> vip : devices.entrySet()) {
        VipAnnouncer.announce(vip.getKey(), vip.getValue());
      }
    }
  }
}
