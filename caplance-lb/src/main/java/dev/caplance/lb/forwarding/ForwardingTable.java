package dev.caplance.lb.forwarding;

import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.Ports;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * All that a worker must know to send a packet on, at one moment: the services, the table of each,
 * the backends' endpoints, and the addresses that no packet may come from. Immutable; a change is a
 * new table.
 */
public final class ForwardingTable {

  /** A service: which packets are its own, who gets new flows, and who may keep those it has. */
  private static final class Route {
    final long vipHigh;
    final long vipLow;
    final Ports ports;
    final Shape shape;
    final char[] slots;
    final Endpoint[] endpoints;
    final EndpointSet keepers;
    final boolean rejectsWhenEmpty;

    Route(Pool pool, Shape shape, char[] slots) {
      this.shape = shape;
      this.vipHigh = IpAddresses.high(pool.vip());
      this.vipLow = IpAddresses.low(pool.vip());
      this.ports = pool.ports();
      this.slots = slots;
      this.endpoints = pool.members().stream().map(Member::endpoint).toArray(Endpoint[]::new);
      this.keepers = new EndpointSet(pool.keepers());
      this.rejectsWhenEmpty = pool.rejectWhenEmpty();
    }
  }

  /** What a Maglev table depends on besides its size: equal ones have the same table. */
  private record Shape(List<String> names, List<Integer> weights) {

    static Shape of(List<Member> members) {
      return new Shape(
          members.stream().map(Member::name).toList(),
          members.stream().map(Member::weight).toList());
    }

    char[] slots(int size) {
      int[] weight = weights.stream().mapToInt(Integer::intValue).toArray();
      return names.isEmpty() ? new char[0] : Maglev.table(names, weight, size);
    }
  }

  private final Route[] routes;
  private final AddressSet refusedSources;
  private final FlowHash hash;
  private final int size;
  private final boolean awaitsBackends;

  private ForwardingTable(
      Route[] routes, AddressSet refusedSources, FlowHash hash, int size, boolean awaitsBackends) {
    this.routes = routes;
    this.refusedSources = refusedSources;
    this.hash = hash;
    this.size = size;
    this.awaitsBackends = awaitsBackends;
  }

  /**
   * One service with its backends of this moment.
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
   * @param pools one for each service; no two of them share a port of a VIP
   * @param refusedSources the VIPs and the machine's own addresses
   * @param hash chooses the slot of a flow
   * @param size slots of each Maglev table, a prime
   */
  public static ForwardingTable of(
      List<Pool> pools, AddressSet refusedSources, FlowHash hash, int size) {
    return new ForwardingTable(new Route[0], refusedSources, hash, size, false)
        .next(pools, refusedSources);
  }

  /** The table that follows this one after a change; what is the same as here is not built anew. */
  public ForwardingTable next(List<Pool> newPools, AddressSet newRefusedSources) {
    Map<Shape, char[]> built = new HashMap<>();
    for (Route route : routes) {
      built.put(route.shape, route.slots);
    }
    Route[] next = new Route[newPools.size()];
    for (int i = 0; i < next.length; i++) {
      Pool pool = newPools.get(i);
      Shape shape = Shape.of(pool.members());
      next[i] = new Route(pool, shape, built.computeIfAbsent(shape, s -> s.slots(size)));
    }
    return new ForwardingTable(next, newRefusedSources, hash, size, false);
  }

  /** The same while not all backends of the time before a restart have returned. */
  public ForwardingTable awaitingBackends() {
    return new ForwardingTable(routes, refusedSources, hash, size, true);
  }

  /**
   * Whether the backend of a connection that is older than the load balancer may be missing here,
   * so that its packets are better sent again later than to a stranger, who resets it.
   */
  public boolean awaitsBackends() {
    return awaitsBackends;
  }

  /** Whether a packet from this address would loop, or pretends to come from here. */
  public boolean refusesSource(long high, long low) {
    return refusedSources.contains(high, low);
  }

  /** The service of a flow, for the other methods, or −1 when it has none. */
  public int service(FlowKey flow) {
    for (int i = 0; i < routes.length; i++) {
      Route route = routes[i];
      if (route.vipLow == flow.destinationLow()
          && route.vipHigh == flow.destinationHigh()
          && route.ports.contains(flow.protocol(), flow.destinationPort())) {
        return i;
      }
    }
    return -1;
  }

  /** The endpoint of this number, if it may keep flows of the service; else null. */
  public Endpoint keeper(int service, int endpointId) {
    return routes[service].keepers.find(endpointId);
  }

  /** The slot of a flow in the table of a service; −1 when nobody gets new flows. */
  public int slot(int service, FlowKey flow) {
    int slots = routes[service].slots.length;
    return slots == 0 ? -1 : (int) Long.remainderUnsigned(hash.of(flow), slots);
  }

  /** Where a new flow of a service goes; null when nobody gets new flows. */
  public Endpoint endpoint(int service, FlowKey flow) {
    int slot = slot(service, flow);
    Route route = routes[service];
    return slot < 0 ? null : route.endpoints[route.slots[slot]];
  }

  /** Whether clients of the service are told that there is nobody. */
  public boolean rejectsWhenEmpty(int service) {
    return routes[service].rejectsWhenEmpty;
  }
}
