package dev.caplance.lb;

import dev.caplance.host.Failures;
import dev.caplance.host.VipAddresses;
import dev.caplance.host.VipAnnouncer;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps the VIPs attached to the host's interfaces and announced to its neighbours, and restores
 * VIPs that a network manager removes when it reloads. Any thread may call.
 */
final class VipKeeper {

  /**
   * Announces an address on the link of an interface, by gratuitous ARP or neighbour advertisement.
   */
  @FunctionalInterface
  interface Announcer {
    void announce(InetAddress vip, String device) throws IOException;
  }

  /** How often each VIP is announced, because a single frame may be lost. */
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
   * Attaches these VIPs, detaches all others, and announces the attached ones.
   *
   * @param wanted the VIPs and their interfaces; an empty interface means the one whose network
   *     contains the VIP
   * @throws IOException with a message for the operator
   */
  synchronized void apply(Map<InetAddress, Optional<String>> wanted) throws IOException {
    devices = addresses.apply(wanted);
    announcementsLeft = ANNOUNCEMENTS;
    announce();
  }

  /**
   * Restores missing VIPs, and repeats announcements that are due.
   *
   * @throws IOException with a message for the operator; the other VIPs are maintained nevertheless
   */
  synchronized void maintain() throws IOException {
    Failures failures = new Failures();
    failures.attempt(() -> addresses.restoreMissing(vip -> announcementsLeft = ANNOUNCEMENTS));
    failures.attempt(this::announce);
    failures.throwIfAny();
  }

  /** A failure of one VIP does not keep the others from being announced. */
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
