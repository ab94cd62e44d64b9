package dev.caplance.lb.routing;

import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.util.List;

/**
 * All that a worker must know to send a packet on, at one moment: the services, the table of each,
 * the backends' endpoints, and the addresses that no packet may come from. Immutable; a change is a
 * new table.
 */
public final class ForwardingTable {

  /** A VIP and the backends that share its packets. */
  private static final class Route {
    final long vipHigh;
    final long vipLow;
    final char[] slots;
    final Endpoint[] endpoints;

    Route(InetAddress vip, char[] slots, Endpoint[] endpoints) {
      this.vipHigh = IpAddresses.high(vip);
      this.vipLow = IpAddresses.low(vip);
      this.slots = slots;
      this.endpoints = endpoints;
    }
  }

  private final Route[] routes;
  private final AddressSet refusedSources;
  private final FlowHash hash;

  private ForwardingTable(Route[] routes, AddressSet refusedSources, FlowHash hash) {
    this.routes = routes;
    this.refusedSources = refusedSources;
    this.hash = hash;
  }

  /**
   * One service with those that may take its packets now.
   *
   * @param vip its address
   * @param ports its protocols and ports
   * @param members those that get new flows, in byte order of their names; may be empty
   * @param keepers the endpoints that may keep flows that they have; those of the members among
   *     them
   * @param rejectWhenEmpty whether clients are told that there is nobody
   */
  public record Pool(
      InetAddress vip,
      Ports ports,
      List<Member> members,
      List<Endpoint> keepers,
      boolean rejectWhenEmpty) {}

  /** A backend in a pool, with its weight from 1 to 256. */
  public record Member(String name, int weight, Endpoint endpoint) {}

  /**
   * Builds the table.
   *
   * @param pools one for each service
   * @param refusedSources the VIPs and the machine's own addresses
   * @param hash chooses the slot of a flow
   * @param size slots of each Maglev table, a prime
   */
  public static ForwardingTable of(
      List<Pool> pools, AddressSet refusedSources, FlowHash hash, int size) {
    Route[] routes = pools.stream().map(pool -> route(pool, size)).toArray(Route[]::new);
    return new ForwardingTable(routes, refusedSources, hash);
  }

  private static Route route(Pool pool, int size) {
    List<Member> members = pool.members();
    char[] slots =
        members.isEmpty()
            ? new char[0]
            : Maglev.table(
                members.stream().map(Member::name).toList(),
                members.stream().mapToInt(Member::weight).toArray(),
                size);
    return new Route(
        pool.vip(), slots, members.stream().map(Member::endpoint).toArray(Endpoint[]::new));
  }

  /** Whether a packet from this address would loop, or pretends to come from here. */
  public boolean refusesSource(long high, long low) {
    return refusedSources.contains(high, low);
  }

  /** The service of an address, for {@link #endpoint}, or −1 when it is no VIP. */
  public int service(long vipHigh, long vipLow) {
    for (int i = 0; i < routes.length; i++) {
      if (routes[i].vipLow == vipLow && routes[i].vipHigh == vipHigh) {
        return i;
      }
    }
    return -1;
  }

  /** The hash of a flow, 64 bits, for {@link #endpoint}. */
  public long hash(FlowKey flow) {
    return hash.of(flow);
  }

  /**
   * Where a new flow of a service goes; null when the service has no backend.
   *
   * @param service what {@link #service} gave
   */
  public Endpoint endpoint(int service, long flowHash) {
    Route route = routes[service];
    if (route.slots.length == 0) {
      return null;
    }
    int slot = (int) Long.remainderUnsigned(flowHash, route.slots.length);
    return route.endpoints[route.slots[slot]];
  }
}
