package dev.caplance.lb.forwarding;

import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Ports;
import java.util.Arrays;
import java.util.List;

/**
 * Finds the service of a VIP, protocol and port in constant time, however many there are. VIPs are
 * hashed; each has, for TCP and for UDP, 256 pages of 256 ports. Pages whose ports all belong to
 * one service are shared, so a VIP with a few ports takes a few kilobytes. Immutable.
 */
final class ServiceIndex {

  /** The most services: a page holds their positions plus one in 16 bits, 0 for none. */
  static final int MAX_SERVICES = 65_535;

  private static final int PAGES = 256;
  private static final int PAGE = 256;
  private static final int PAGE_SHIFT = 8;
  private static final int LOW = PAGE - 1;
  private static final int PROTOCOLS = 2;
  private static final long MIX = 0x9e37_79b9_7f4a_7c15L;

  /** An empty slot of the hash table. */
  private static final int NONE = -1;

  private final List<ServiceSpec> services;

  /** The hash table, linearly probed: the address of each VIP, and its position among the VIPs. */
  private final long[] highs;

  private final long[] lows;
  private final int[] vips;
  private final int shift;

  /** For each VIP the pages of TCP, then those of UDP. */
  private final char[][][] pages;

  /** Indexes services, none of which share a port of a VIP. */
  ServiceIndex(List<ServiceSpec> services) {
    if (services.size() > MAX_SERVICES) {
      throw new IllegalArgumentException("at most " + MAX_SERVICES + " services");
    }
    this.services = List.copyOf(services);
    int vipCount = (int) services.stream().map(ServiceSpec::vip).distinct().count();
    int bits = 33 - Integer.numberOfLeadingZeros(Math.max(vipCount, 1));
    this.highs = new long[1 << bits];
    this.lows = new long[1 << bits];
    this.vips = new int[1 << bits];
    this.shift = Long.SIZE - bits;
    this.pages = new char[vipCount][PROTOCOLS * PAGES][];
    Arrays.fill(vips, NONE);
    fill(new char[services.size() + 1][]);
  }

  private void fill(char[][] sharedPages) {
    int known = 0;
    for (int service = 0; service < services.size(); service++) {
      ServiceSpec spec = services.get(service);
      long high = IpAddresses.high(spec.vip());
      long low = IpAddresses.low(spec.vip());
      int slot = slot(high, low);
      if (vips[slot] == NONE) {
        highs[slot] = high;
        lows[slot] = low;
        Arrays.fill(pages[known], shared(sharedPages, 0));
        vips[slot] = known++;
      }
      char[][] vipPages = pages[vips[slot]];
      for (Ports.Range range : spec.ports().ranges(IpProtocol.TCP)) {
        fill(vipPages, 0, range, service + 1, sharedPages);
      }
      for (Ports.Range range : spec.ports().ranges(IpProtocol.UDP)) {
        fill(vipPages, PAGES, range, service + 1, sharedPages);
      }
    }
  }

  private static void fill(
      char[][] vipPages, int first, Ports.Range range, int entry, char[][] sharedPages) {
    for (int port = range.first(); port <= range.last(); port = (port | LOW) + 1) {
      int page = first + (port >>> PAGE_SHIFT);
      int last = Math.min(port | LOW, range.last());
      if (last - port == LOW) {
        vipPages[page] = shared(sharedPages, entry);
      } else {
        char[] own = vipPages[page].clone();
        Arrays.fill(own, port & LOW, (last & LOW) + 1, (char) entry);
        vipPages[page] = own;
      }
    }
  }

  /** The page whose ports all have this entry. */
  private static char[] shared(char[][] sharedPages, int entry) {
    if (sharedPages[entry] == null) {
      sharedPages[entry] = new char[PAGE];
      Arrays.fill(sharedPages[entry], (char) entry);
    }
    return sharedPages[entry];
  }

  /** The slot of a VIP, or the empty one where it would be. */
  private int slot(long high, long low) {
    int slot = (int) (((high * MIX) ^ low) * MIX >>> shift);
    while (vips[slot] != NONE && (lows[slot] != low || highs[slot] != high)) {
      slot = slot + 1 & vips.length - 1;
    }
    return slot;
  }

  /** The services that are indexed, by their positions. */
  List<ServiceSpec> services() {
    return services;
  }

  /** The position of the service that a flow belongs to, or −1. */
  int find(FlowKey flow) {
    int vip = vips[slot(flow.destinationHigh(), flow.destinationLow())];
    if (vip == NONE) {
      return NONE;
    }
    int first = flow.protocol() == IpProtocol.TCP ? 0 : PAGES;
    int port = flow.destinationPort();
    return pages[vip][first + (port >>> PAGE_SHIFT)][port & LOW] - 1;
  }
}
