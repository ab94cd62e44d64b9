package dev.caplance.host;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adds virtual addresses to network interfaces and removes them again. An address that was there
 * before, because the administrator put it there, is used and left alone. One that a crashed run
 * left is removed, or, when it is still wanted, taken over without a gap. Used by one thread at a
 * time.
 */
public final class VipAddresses {

  private static final Logger LOG = LoggerFactory.getLogger(VipAddresses.class);

  private final Journal journal;
  private final CommandRunner commands;

  /** For addresses of this machine, those of ours being remembered in this journal. */
  public VipAddresses(Journal journal, CommandRunner commands) {
    this.journal = journal;
    this.commands = commands;
  }

  /**
   * Removes what a crashed run left, but for these addresses. To be called before anything else is
   * changed: a VIP without its rules would be answered by this machine itself.
   */
  public void removeLeftovers(Collection<InetAddress> wanted) throws IOException {
    List<String> kept = wanted.stream().map(VipAddresses::cidr).toList();
    for (MachineChange.Address leftover : journal.changes(MachineChange.Address.class)) {
      if (!kept.contains(leftover.cidr())) {
        LOG.info("an earlier run left {} on {}", leftover.cidr(), leftover.device());
        remove(leftover);
        journal.remove(leftover);
      }
    }
  }

  /**
   * Like {@link #attach(InetAddress, String)} to the device whose network holds the address; the
   * most specific network if there are several.
   *
   * @return the device
   * @throws IOException when there is none, with advice
   */
  public String attach(InetAddress vip) throws IOException {
    InterfaceAddresses present = InterfaceAddresses.list(commands);
    String device = present.deviceFor(vip);
    attach(vip, device, present);
    return device;
  }

  /**
   * Adds an address to a device, or takes over the one that is there. An IPv6 address is added
   * without duplicate address detection, which would delay it, and as deprecated, or it would
   * become the source of this machine's own packets.
   */
  public void attach(InetAddress vip, String device) throws IOException {
    attach(vip, device, InterfaceAddresses.list(commands));
  }

  private void attach(InetAddress vip, String device, InterfaceAddresses present)
      throws IOException {
    present.requireDevice(device);
    MachineChange.Address change = new MachineChange.Address(cidr(vip), device);
    for (MachineChange.Address leftover : journal.changes(MachineChange.Address.class)) {
      if (leftover.cidr().equals(change.cidr()) && !leftover.device().equals(device)) {
        LOG.info("an earlier run left {} on {}", leftover.cidr(), leftover.device());
        remove(leftover);
        journal.remove(leftover);
      }
    }
    if (journal.changes(MachineChange.Address.class).contains(change)) {
      if (present.contain(change.cidr(), device)) {
        LOG.info("took over {} on {} from an earlier run", change.cidr(), device);
      } else {
        addAndTell(change);
      }
    } else if (present.contain(vip, device)) {
      LOG.info("{} is on {} already, and will stay there", IpAddresses.format(vip), device);
    } else {
      journal.add(change);
      addAndTell(change);
    }
  }

  /**
   * Puts back the addresses of ours that something else removed, as a network manager does when it
   * reloads.
   *
   * @return the addresses that were put back; they need to be announced again
   */
  public List<InetAddress> restoreMissing() throws IOException {
    List<MachineChange.Address> ours = journal.changes(MachineChange.Address.class);
    if (ours.isEmpty()) {
      return List.of();
    }
    List<InetAddress> restored = new ArrayList<>();
    InterfaceAddresses present = InterfaceAddresses.list(commands);
    for (MachineChange.Address change : ours) {
      if (!present.contain(change.cidr(), change.device())) {
        add(change);
        LOG.warn("{} was gone from {}; put back", change.cidr(), change.device());
        restored.add(addressOf(change));
      }
    }
    return restored;
  }

  /**
   * Removes every address of ours, the last one first.
   *
   * @throws IOException when one could not be removed; the others were, and the next start will try
   *     again
   */
  public void detachAll() throws IOException {
    journal.undoAll(MachineChange.Address.class, this::remove);
  }

  private void addAndTell(MachineChange.Address change) throws IOException {
    add(change);
    LOG.info("added {} to {}", change.cidr(), change.device());
  }

  private void add(MachineChange.Address change) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("ip", "address", "add", change.cidr(), "dev", change.device()));
    if (!IpAddresses.isIpv4(addressOf(change))) {
      command.addAll(List.of("nodad", "preferred_lft", "0"));
    }
    commands.run(command.toArray(String[]::new));
  }

  private void remove(MachineChange.Address change) throws IOException {
    if (InterfaceAddresses.list(commands).contain(change.cidr(), change.device())) {
      commands.run("ip", "address", "delete", change.cidr(), "dev", change.device());
      LOG.info("removed {} from {}", change.cidr(), change.device());
    }
  }

  private static String cidr(InetAddress vip) {
    return IpAddresses.format(vip) + "/" + vip.getAddress().length * 8;
  }

  private static InetAddress addressOf(MachineChange.Address change) {
    return IpAddresses.parse(change.cidr().substring(0, change.cidr().indexOf('/')));
  }
}
