package dev.caplance.lb.forwarding;

import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Ports;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds the service of a packet: a hash table of the VIPs, and for each VIP and protocol its port
 * ranges in order, which are searched by halves. So the cost does not depend on the number of VIPs,
 * and hardly on that of services. Immutable; looking up allocates nothing.
 */
final class ServiceIndex {

  /** An index of no services. */
  static final ServiceIndex EMPTY = new ServiceIndex(List.of());

  /** Slots per VIP, before the number of VIPs is rounded down to a power of two. */
  private static final int SLOTS_PER_VIP = 4;

  private final List<ServiceSpec> specs;
  private final Vip[] slots;

  private ServiceIndex(List<ServiceSpec> specs) {
    this.specs = specs;
    Map<List<Long>, List<Integer>> byVip = new LinkedHashMap<>();
    for (int i = 0; i < specs.size(); i++) {
      List<Long> address =
          List.of(IpAddresses.high(specs.get(i).vip()), IpAddresses.low(specs.get(i).vip()));
      byVip.computeIfAbsent(address, vip -> new ArrayList<>()).add(i);
    }
    this.slots = new Vip[Integer.highestOneBit(Math.max(1, byVip.size())) * SLOTS_PER_VIP];
    byVip.forEach((vip, positions) -> add(new Vip(vip.get(0), vip.get(1), specs, positions)));
  }

  /**
   * The index of these services, which finds their positions in the list; the same one again if
   * they are the same.
   */
  ServiceIndex of(List<ServiceSpec> services) {
    return services.equals(specs) ? this : new ServiceIndex(List.copyOf(services));
  }

  private void add(Vip vip) {
    int slot = slot(vip.high, vip.low);
    while (slots[slot] != null) {
      slot = slot + 1 & slots.length - 1;
    }
    slots[slot] = vip;
  }

  private int slot(long high, long low) {
    long mixed = (high * 31 + low) * 0x9e37_79b9_7f4a_7c15L;
    return (int) (mixed >>> 32) & slots.length - 1;
  }

  /** The position of the service that a flow goes to, or {@link ForwardingTable#NO_SERVICE}. */
  int find(FlowKey flow) {
    long high = flow.destinationHigh();
    long low = flow.destinationLow();
    for (int slot = slot(high, low); slots[slot] != null; slot = slot + 1 & slots.length - 1) {
      Vip vip = slots[slot];
      if (vip.low == low && vip.high == high) {
        return vip.find(flow.protocol(), flow.destinationPort());
      }
    }
    return ForwardingTable.NO_SERVICE;
  }

  /** The services of one VIP. */
  private static final class Vip {
    private final long high;
    private final long low;
    private final Ranges tcp;
    private final Ranges udp;

    Vip(long high, long low, List<ServiceSpec> specs, List<Integer> positions) {
      this.high = high;
      this.low = low;
      this.tcp = new Ranges(IpProtocol.TCP, specs, positions);
      this.udp = new Ranges(IpProtocol.UDP, specs, positions);
    }

    int find(int protocol, int port) {
      return switch (protocol) {
        case IpProtocol.TCP -> tcp.find(port);
        case IpProtocol.UDP -> udp.find(port);
        default -> ForwardingTable.NO_SERVICE;
      };
    }
  }

  /** The port ranges of one VIP and protocol, ascending; none overlap. */
  private static final class Ranges {
    private final int[] first;
    private final int[] last;
    private final int[] service;

    Ranges(int protocol, List<ServiceSpec> specs, List<Integer> positions) {
      record Entry(Ports.Range range, int service) {}
      List<Entry> entries = new ArrayList<>();
      for (int position : positions) {
        specs
            .get(position)
            .ports()
            .ranges(protocol)
            .forEach(range -> entries.add(new Entry(range, position)));
      }
      entries.sort(Comparator.comparingInt(entry -> entry.range.first()));
      first = entries.stream().mapToInt(entry -> entry.range.first()).toArray();
      last = entries.stream().mapToInt(entry -> entry.range.last()).toArray();
      service = entries.stream().mapToInt(Entry::service).toArray();
    }

    int find(int port) {
      int found = Arrays.binarySearch(first, port);
      int candidate = found >= 0 ? found : -found - 2;
      return candidate >= 0 && port <= last[candidate]
          ? service[candidate]
          : ForwardingTable.NO_SERVICE;
    }
  }
}
