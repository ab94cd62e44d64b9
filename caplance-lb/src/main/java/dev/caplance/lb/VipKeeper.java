package dev.caplance.lb;

import dev.caplance.host.Failures;
import dev.caplance.host.VipAddresses;
import dev.caplance.host.VipNeighbours;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the VIPs attached to the host's interfaces and announced to its neighbours. What cannot be
 * attached yet, because its interface is missing or another machine has it, is tried again at each
 * {@link #maintain}; what a network manager removes is restored. Any thread may call.
 *
 * <p>VIPs are announced three times when they come, because a single frame may be lost, again when
 * an interface gets its carrier back, and each minute.
 */
final class VipKeeper {

  private static final Logger LOG = LoggerFactory.getLogger(VipKeeper.class);

  /** The other machines on the links of this one. */
  interface Neighbours {

    /** Announces an address, by gratuitous ARP or neighbour advertisement. */
    void announce(InetAddress vip, String device) throws IOException;

    /** The MACs of machines that have claimed one of these addresses since the last call. */
    Map<InetAddress, String> rivals(Map<InetAddress, String> devices);
  }

  private static final int ANNOUNCEMENTS = 3;
  private static final Duration REMINDER = Duration.ofMinutes(1);

  private final VipAddresses addresses;
  private final Neighbours neighbours;
  private final Predicate<String> isUp;
  private final LongSupplier nanoTime;
  private Map<InetAddress, Optional<String>> wanted = Map.of();
  private final Set<String> down = new HashSet<>();
  private final Map<InetAddress, Long> reportedRivals = new HashMap<>();
  private int announcementsLeft;
  private long announcedNanos;

  VipKeeper(VipAddresses addresses, VipNeighbours neighbours) {
    this(addresses, of(neighbours), VipNeighbours::isUp, System::nanoTime);
  }

  /**
   * A keeper that attaches nothing yet.
   *
   * @param isUp whether an interface has a carrier
   */
  VipKeeper(
      VipAddresses addresses,
      Neighbours neighbours,
      Predicate<String> isUp,
      LongSupplier nanoTime) {
    this.addresses = addresses;
    this.neighbours = neighbours;
    this.isUp = isUp;
    this.nanoTime = nanoTime;
  }

  private static Neighbours of(VipNeighbours neighbours) {
    return new Neighbours() {
      @Override
      public void announce(InetAddress vip, String device) throws IOException {
        neighbours.announce(vip, device);
      }

      @Override
      public Map<InetAddress, String> rivals(Map<InetAddress, String> devices) {
        return neighbours.rivals(devices);
      }
    };
  }

  /**
   * Has {@link #maintain} attach these VIPs and detach all others.
   *
   * @param vips the VIPs and their interfaces; an empty interface means the one whose network
   *     contains the VIP
   */
  synchronized void want(Map<InetAddress, Optional<String>> vips) {
    wanted = vips;
  }

  /**
   * Attaches what is missing, and repeats announcements that are due.
   *
   * @throws IOException with a message for the operator; the other VIPs are maintained nevertheless
   */
  synchronized void maintain() throws IOException {
    Failures failures = new Failures();
    failures.attempt(this::attach);
    lookForCarriers();
    failures.attempt(this::announce);
    lookForRivals();
    failures.throwIfAny();
  }

  private void attach() throws IOException {
    if (addresses.attached().keySet().equals(wanted.keySet())) {
      addresses.restoreMissing(vip -> announcementsLeft = ANNOUNCEMENTS);
      return;
    }
    Map<InetAddress, String> before = addresses.attached();
    try {
      addresses.apply(wanted);
    } finally {
      if (!before.entrySet().containsAll(addresses.attached().entrySet())) {
        announcementsLeft = ANNOUNCEMENTS;
      }
    }
  }

  private void lookForCarriers() {
    for (String device : Set.copyOf(addresses.attached().values())) {
      if (!isUp.test(device)) {
        down.add(device);
      } else if (down.remove(device)) {
        announcementsLeft = ANNOUNCEMENTS;
      }
    }
  }

  /** A failure of one VIP does not keep the others from being announced. */
  private void announce() throws IOException {
    long now = nanoTime.getAsLong();
    if (announcementsLeft == 0 && now - announcedNanos < REMINDER.toNanos()) {
      return;
    }
    announcementsLeft = Math.max(0, announcementsLeft - 1);
    announcedNanos = now;
    Failures failures = new Failures();
    addresses
        .attached()
        .forEach((vip, device) -> failures.attempt(() -> neighbours.announce(vip, device)));
    failures.throwIfAny();
  }

  private void lookForRivals() {
    long now = nanoTime.getAsLong();
    neighbours
        .rivals(addresses.attached())
        .forEach(
            (vip, mac) -> {
              Long reported = reportedRivals.get(vip);
              if (reported == null || now - reported >= REMINDER.toNanos()) {
                reportedRivals.put(vip, now);
                LOG.warn(
                    "another machine, with the MAC {}, says that it has {}, too: clients reach"
                        + " either of them; stop one, or let keepalived decide",
                    mac,
                    IpAddresses.format(vip));
              }
            });
  }
}
