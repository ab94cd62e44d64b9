package dev.caplance.host;

import dev.caplance.linux.LinuxException;
import dev.caplance.packet.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rules that direct packets for the VIPs to the queues. Balanced ports and ICMP errors are
 * queued, TCP in queues of its own; echo and neighbour discovery stay with the host; other packets
 * are dropped or left to the host. While no program reads the queues, the kernel drops what is
 * queued; while another program has removed the rules, a {@link GuardTable} drops it.
 *
 * <p>Rules left by a crash are replaced. Any thread may call {@link #droppedPackets}; calls of the
 * other methods must not overlap.
 */
public final class NetfilterRules implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(NetfilterRules.class);

  private final List<FamilyRules> families;
  private final GuardTable guard = new GuardTable();
  private boolean applied;
  private boolean countsDropped;
  private OptionalInt checked = OptionalInt.empty();
  private volatile Map<InetAddress, Long> dropped = Map.of();

  /**
   * A virtual address.
   *
   * @param ports the ports that are queued
   * @param dropOther whether all packets are dropped and counted that are neither queued nor part
   *     of the host's ping and neighbour discovery; otherwise the host gets them
   */
  public record Vip(InetAddress address, Ports ports, boolean dropOther) {}

  /**
   * Creates the rules without installing them.
   *
   * @param firstQueue 0 to 65535
   * @param queueCount at least 1; the kernel spreads flows over this many queues, and those of TCP
   *     over as many that follow
   * @param commands runs the netfilter commands
   */
  public NetfilterRules(int firstQueue, int queueCount, CommandRunner commands) {
    String queue = target(firstQueue, queueCount);
    String tcpQueue = target(firstQueue + queueCount, queueCount);
    families =
        Stream.of(true, false)
            .map(ipv4 -> new FamilyRules(ipv4, queue, tcpQueue, commands))
            .toList();
  }

  private static String target(int first, int count) {
    return count == 1
        ? "-j NFQUEUE --queue-num " + first
        : "-j NFQUEUE --queue-balance " + first + ":" + (first + count - 1);
  }

  /**
   * Makes sure that no other process of this network namespace has such rules, before any is
   * changed.
   *
   * @throws IOException if one has, with a message for the operator
   */
  public void claim() throws IOException {
    guard.claim();
  }

  /**
   * Installs the rules for these VIPs in place of all rules of ours. In an address family without a
   * VIP, ours are removed.
   *
   * @throws IOException if the host refuses them, with a message for the operator
   */
  public void apply(List<Vip> vips) throws IOException {
    applied = true;
    countsDropped = vips.stream().anyMatch(Vip::dropOther);
    dropped = Map.of();
    checked = OptionalInt.empty();
    guard.apply(vips);
    for (FamilyRules family : families) {
      family.apply(vips);
    }
  }

  /**
   * Checks that the rules are as they were applied, restores them if not, and reads their counters.
   * Rules that others have put before ours are left alone. While nothing has changed, this costs
   * next to nothing, unless there are counters to read.
   *
   * @return what was wrong, a sentence for each address family; empty if nothing was
   * @throws IOException if the rules cannot be read or restored
   */
  public List<String> check() throws IOException {
    List<String> repaired = new ArrayList<>();
    OptionalInt generation = generation();
    if (generation.isEmpty() || !generation.equals(checked)) {
      for (FamilyRules family : families) {
        repaired.addAll(family.restoreIfFlushed());
      }
      for (FamilyRules family : families) {
        repaired.addAll(family.check());
      }
      repaired.addAll(guard.check());
      checked = generation;
    }
    for (FamilyRules family : families) {
      repaired.addAll(family.checkSets());
    }
    if (countsDropped) {
      dropped = readDropped();
    }
    return repaired;
  }

  /** Empty where the kernel does not tell. */
  private static OptionalInt generation() {
    try {
      return OptionalInt.of(NftState.generation());
    } catch (LinuxException e) {
      LOG.debug("cannot read the generation of nftables", e);
      return OptionalInt.empty();
    }
  }

  /**
   * Removes the rules if any were applied, and lets another process have some. A start that failed
   * before it came to that leaves in place what a crash left: it drops packets, and that is better
   * than resets.
   */
  @Override
  public void close() throws IOException {
    if (applied) {
      remove();
    }
    guard.close();
  }

  /** Removes all rules of ours, whoever applied them. */
  public void remove() throws IOException {
    Failures failures = new Failures();
    families.forEach(family -> failures.attempt(family::remove));
    guard.close();
    failures.throwIfAny();
  }

  /**
   * The number of packets for each VIP that were dropped as other traffic since the rules were last
   * installed, as of the last {@link #check}. VIPs whose other traffic is left to the host are
   * absent.
   */
  public Map<InetAddress, Long> droppedPackets() {
    return dropped;
  }

  private Map<InetAddress, Long> readDropped() throws IOException {
    Map<InetAddress, Long> counters = new LinkedHashMap<>();
    for (FamilyRules family : families) {
      counters.putAll(family.dropped());
    }
    return Collections.unmodifiableMap(counters);
  }
}
