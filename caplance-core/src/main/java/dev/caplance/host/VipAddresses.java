package dev.caplance.host;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The virtual addresses on this machine's network interfaces. An address that was there before,
 * because the administrator put it there, is used and left alone. One that a crashed run left is
 * ours: it is removed or, if it is still wanted, taken over without a gap.
 *
 * <p>Every method goes on with the other addresses when one fails, and throws the first failure at
 * the end with the others suppressed. Used by one thread at a time.
 */
public final class VipAddresses {

  private static final Logger LOG = LoggerFactory.getLogger(VipAddresses.class);

  private final Journal journal;
  private final CommandRunner commands;
  private final Neighbours neighbours;
  private Map<InetAddress, String> current = Map.of();

  /** The other machines on the links of this one. */
  @FunctionalInterface
  public interface Neighbours {

    /**
     * Asks who has addresses, in a bounded time for all of them.
     *
     * @param devices the addresses, each with the device on whose link it would be
     * @return the MACs of the machines that have one of them
     */
    Map<InetAddress, String> holders(Map<InetAddress, String> devices);
  }

  /**
   * For addresses that nobody else can have, such as those of {@code lo}.
   *
   * @param journal remembers which addresses of this machine are ours
   */
  public VipAddresses(Journal journal, CommandRunner commands) {
    this(journal, commands, devices -> Map.of());
  }

  /** For addresses that are added only while no neighbour has them. */
  public VipAddresses(Journal journal, CommandRunner commands, Neighbours neighbours) {
    this.journal = journal;
    this.commands = commands;
    this.neighbours = neighbours;
  }

  /**
   * Removes our addresses but these, and adds none. To be called before netfilter rules change: an
   * address without rules would be answered by this machine itself.
   */
  public void retain(Collection<InetAddress> wanted) throws IOException {
    List<MachineChange.Address> unwanted =
        ours().stream().filter(change -> !wanted.contains(change.address())).toList();
    if (!unwanted.isEmpty()) {
      remove(unwanted, Interfaces.list(commands));
    }
  }

  /**
   * Gives this machine these virtual addresses and no others: removes ours that are not wanted any
   * more, then adds or takes over the rest. An IPv6 address is added without duplicate address
   * detection, which would delay it, and as deprecated, or it would become the source of this
   * machine's own packets.
   *
   * @param wanted each address with its device; empty for the device whose network holds the
   *     address, the most specific network if there are several
   * @return each address with the device that has it now
   * @throws IOException when a device does not exist, no network holds an address, a neighbour has
   *     one, or {@code ip} fails; says what to do
   */
  public Map<InetAddress, String> apply(Map<InetAddress, Optional<String>> wanted)
      throws IOException {
    if (wanted.isEmpty() && ours().isEmpty()) {
      current = Map.of();
      return current;
    }
    Interfaces present = Interfaces.list(commands);
    Failures failures = new Failures();
    Map<InetAddress, String> devices = new LinkedHashMap<>();
    wanted.forEach(
        (vip, device) -> failures.attempt(() -> devices.put(vip, present.place(vip, device))));
    failures.attempt(() -> remove(misplaced(wanted.keySet(), devices), present));
    Map<InetAddress, String> holders = holders(devices, present);
    Map<InetAddress, String> attached = new LinkedHashMap<>();
    devices.forEach(
        (vip, device) ->
            failures.attempt(
                () -> {
                  requireFree(vip, device, holders);
                  attach(new MachineChange.Address(vip, device), present);
                  attached.put(vip, device);
                }));
    current = Collections.unmodifiableMap(attached);
    failures.throwIfAny();
    return current;
  }

  /** The addresses that are wanted and on this machine now, each with its device. */
  public Map<InetAddress, String> attached() {
    return current;
  }

  /** Only of those that are not here, or each start would have to wait for answers. */
  private Map<InetAddress, String> holders(Map<InetAddress, String> devices, Interfaces present) {
    Map<InetAddress, String> absent = new LinkedHashMap<>(devices);
    absent.entrySet().removeIf(e -> present.named(e.getValue()).orElseThrow().has(e.getKey()));
    return absent.isEmpty() ? absent : neighbours.holders(absent);
  }

  private static void requireFree(InetAddress vip, String device, Map<InetAddress, String> holders)
      throws IOException {
    if (holders.containsKey(vip)) {
      throw new IOException(
          "another machine on "
              + device
              + " has "
              + IpAddresses.format(vip)
              + ", with the MAC "
              + holders.get(vip)
              + "; it is added here when that machine gives it up");
    }
  }

  /** Ours that are not wanted, or not where they are; one whose device is not known stays. */
  private List<MachineChange.Address> misplaced(
      Set<InetAddress> wanted, Map<InetAddress, String> devices) {
    return ours().stream()
        .filter(
            change ->
                devices.containsKey(change.address())
                    ? !devices.get(change.address()).equals(change.device())
                    : !wanted.contains(change.address()))
        .toList();
  }

  private void attach(MachineChange.Address wanted, Interfaces present) throws IOException {
    boolean news = !wanted.device().equals(current.get(wanted.address()));
    if (ours().contains(wanted)) {
      if (!isPresent(wanted, present)) {
        add(wanted);
        LOG.info("added {} to {}", wanted.prefix(), wanted.device());
      } else if (news) {
        LOG.info("took over {} on {} from an earlier run", wanted.prefix(), wanted.device());
      }
    } else if (present.named(wanted.device()).orElseThrow().has(wanted.address())) {
      if (news) {
        LOG.info(
            "{} is already on {} and will stay there",
            IpAddresses.format(wanted.address()),
            wanted.device());
      }
    } else {
      journal.add(wanted);
      add(wanted);
      LOG.info("added {} to {}", wanted.prefix(), wanted.device());
    }
  }

  /**
   * Puts back the addresses of ours that something else removed, as a network manager does when it
   * reloads.
   *
   * @param restored given each address that was put back; it needs to be announced again
   */
  public void restoreMissing(Consumer<InetAddress> restored) throws IOException {
    if (ours().isEmpty()) {
      return;
    }
    Failures failures = new Failures();
    Interfaces present = Interfaces.list(commands);
    for (MachineChange.Address change : ours()) {
      if (!isPresent(change, present)) {
        failures.attempt(
            () -> {
              add(change);
              LOG.warn("{} was gone from {}; put back", change.prefix(), change.device());
              restored.accept(change.address());
            });
      }
    }
    failures.throwIfAny();
  }

  /** Removes every address of ours, the last one first. The next start retries what failed. */
  public void detachAll() throws IOException {
    apply(Map.of());
  }

  private List<MachineChange.Address> ours() {
    return journal.changes(MachineChange.Address.class);
  }

  private static boolean isPresent(MachineChange.Address change, Interfaces present) {
    return present
        .named(change.device())
        .filter(device -> device.addresses().contains(change.prefix()))
        .isPresent();
  }

  private void add(MachineChange.Address change) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of("ip", "address", "add", change.prefix().toString(), "dev", change.device()));
    if (!IpAddresses.isIpv4(change.address())) {
      command.addAll(List.of("nodad", "preferred_lft", "0"));
    }
    commands.run(command.toArray(String[]::new));
  }

  private void remove(List<MachineChange.Address> unwanted, Interfaces present) throws IOException {
    journal.undo(
        unwanted,
        change -> {
          if (isPresent(change, present)) {
            commands.run(
                "ip", "address", "delete", change.prefix().toString(), "dev", change.device());
            LOG.info("removed {} from {}", change.prefix(), change.device());
          }
        });
  }
}
