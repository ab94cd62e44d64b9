package dev.caplance.lb;

import dev.caplance.host.NetfilterRules;
import dev.caplance.host.OwnAddresses;
import dev.caplance.host.VipAddresses;
import dev.caplance.host.VipAnnouncer;
import java.io.IOException;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Map;
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
  private final Map<InetAddress, String> devices = new LinkedHashMap<>();

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
      for (InetAddress vip : config.vips()) {
        attach(vip);
      }
      announcementsLeft = ANNOUNCEMENTS;
      announce();
    }
  }

  private void attach(InetAddress vip) throws IOException {
    if (config.interfaceName().isPresent()) {
      addresses.attach(vip, config.interfaceName().get());
      devices.put(vip, config.interfaceName().get());
    } else {
      devices.put(vip, addresses.attach(vip));
    }
  }

  /** Looks whether all is in place, and puts back what is not. */
  synchronized void look() throws IOException {
    rules.check().forEach(LOG::warn);
    if (!addresses.restoreMissing().isEmpty()) {
      announcementsLeft = ANNOUNCEMENTS;
    }
    announce();
    tables.ownAddresses(OwnAddresses.list());
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

  private void announce() throws IOException {
    if (announcementsLeft > 0) {
      announcementsLeft--;
      for (Map.Entry<InetAddress, String> vip : devices.entrySet()) {
        VipAnnouncer.announce(vip.getKey(), vip.getValue());
      }
    }
  }
}
