package dev.caplance.lb;

import dev.caplance.host.Failures;
import dev.caplance.host.VipAddresses;
import dev.caplance.host.VipAnnouncer;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps the VIPs on the host's interfaces and known to its neighbours: attaches and announces them,
 * and puts back what a network manager that reloaded has removed. Any thread may call.
 */
final class VipKeeper {

  /** Announces an address on the link behind an interface. */
  @FunctionalInterface
  interface Announcer {
    void announce(InetAddress vip, String device) throws IOException;
  }

  /** A single frame may be lost. */
  private static final int ANNOUNCEMENTS = 3;

  private final VipAddresses addresses;
  private final Announcer announcer;
  private Map<InetAddress, String> devices = Map.of();
  private int announcementsLeft;

  VipKeeper(VipAddresses addresses) {
    this(addresses, VipAnnouncer::announce);
  }

  VipKeeper(VipAddresses addresses, Announcer announcer) {
    this.addresses = addresses;
    this.announcer = announcer;
  }

  /**
   * Makes these the attached VIPs, and announces them.
   *
   * @param wanted VIPs and the interfaces for them; empty: the one whose network holds the VIP
   */
  synchronized void apply(Map<InetAddress, Optional<String>> wanted) throws IOException {
    devices = addresses.apply(wanted);
    announcementsLeft = ANNOUNCEMENTS;
    announce();
  }

  /** Puts back what is missing, and announces what needs it. */
  synchronized void maintain() throws IOException {
    Failures failures = new Failures();
    failures.attempt(() -> addresses.restoreMissing(vip -> announcementsLeft = ANNOUNCEMENTS));
    failures.attempt(this::announce);
    failures.throwIfAny();
  }

  /** A VIP that cannot be announced holds up no other. */
  private void announce() throws IOException {
    if (announcementsLeft == 0) {
      return;
    }
    announcementsLeft--;
    Failures failures = new Failures();
    devices.forEach((vip, device) -> failures.attempt(() -> announcer.announce(vip, device)));
    failures.throwIfAny();
  }
}
