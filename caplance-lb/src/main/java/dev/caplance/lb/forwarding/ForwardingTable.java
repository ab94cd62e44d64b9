package dev.caplance.lb.forwarding;

import dev.caplance.packet.AddressSet;
import dev.caplance.packet.FlowHash;
import dev.caplance.packet.FlowHash.Fingerprint;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpProtocol;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Everything that a data plane needs to forward packets, at one moment: the services with their
 * VIPs, ports, targets and Maglev tables, the hash key, the source addresses to refuse, and whether
 * backends are awaited after a restart. Immutable, so any thread may use it, and iterable, so that
 * each data plane can lay it out as it needs. Every change makes a new table.
 */
public final class ForwardingTable {

  /**
   * Time after a start in which backends may still be registering again; until it has passed, no
   * connection is refused for lack of a backend.
   */
  public static final Duration GRACE = Duration.ofSeconds(30);

  /** The result of {@link #service} for a flow that belongs to no service. */
  public static final int NO_SERVICE = -1;

  private final List<Service> services;
  private final Service[] servicesInOrder;
  private final ServiceIndex index;
  private final Target[] targetsByIndex;
  private final AddressSet refusedSources;
  private final FlowHash hash;
  private final int slots;
  private final boolean awaitsBackends;

  private ForwardingTable(
      List<Service> services,
      ServiceIndex index,
      AddressSet refusedSources,
      FlowHash hash,
      int slots,
      boolean awaitsBackends) {
    this.services = services;
    this.index = index;
    this.servicesInOrder = services.toArray(Service[]::new);
    this.targetsByIndex = byIndex(services);
    this.refusedSources = refusedSources;
    this.hash = hash;
    this.slots = slots;
    this.awaitsBackends = awaitsBackends;
  }

  private static Target[] byIndex(List<Service> services) {
    List<Target> all = services.stream().flatMap(s -> s.retainedTargets().stream()).toList();
    Target[] targets = new Target[all.stream().mapToInt(Target::index).max().orElse(-1) + 1];
    all.forEach(target -> targets[target.index()] = target);
    return targets;
  }

  /**
   * Creates a table without services.
   *
   * @param hash maps flows to slots
   * @param slots of each Maglev table, a prime
   */
  public static ForwardingTable empty(FlowHash hash, int slots) {
    return new ForwardingTable(List.of(), ServiceIndex.EMPTY, AddressSet.EMPTY, hash, slots, false);
  }

  /**
   * Creates the table that follows a change. Maglev tables whose targets have not changed are
   * reused.
   *
   * @param pools one for each service; no two share a port of a VIP
   * @param newRefusedSources the VIPs and the host's own addresses
   * @param awaitsBackends see {@link #awaitsBackends}
   */
  public ForwardingTable next(
      List<Service.Pool> pools, AddressSet newRefusedSources, boolean awaitsBackends) {
    Map<MaglevTable.Shape, MaglevTable> tables = new HashMap<>();
    services.stream()
        .map(Service::table)
        .distinct()
        .forEach(table -> tables.put(table.shape(), table));
    // Pools with one list share its table without another look at all of its names.
    IdentityHashMap<List<Target>, MaglevTable> ofLists = new IdentityHashMap<>();
    List<Service> next = new ArrayList<>(pools.size());
    for (Service.Pool pool : pools) {
      MaglevTable table =
          ofLists.computeIfAbsent(
              pool.targets(),
              targets ->
                  tables.computeIfAbsent(
                      MaglevTable.Shape.of(targets), shape -> MaglevTable.of(shape, slots)));
      next.add(new Service(pool, table));
    }
    return new ForwardingTable(
        List.copyOf(next),
        index.of(pools.stream().map(Service.Pool::spec).toList()),
        newRefusedSources,
        hash,
        slots,
        awaitsBackends);
  }

  /** The services. Other methods identify a service by its position in this list. */
  public List<Service> services() {
    return services;
  }

  /** The targets of all services, each once, in ascending order of their indexes. */
  public List<Target> targets() {
    return Arrays.stream(targetsByIndex).filter(Objects::nonNull).toList();
  }

  /** Slots of each Maglev table that has targets, a prime. */
  public int slots() {
    return slots;
  }

  /**
   * Whether backends of connections that are older than this process may still be missing. Packets
   * of such connections are then dropped, for their senders to retransmit, rather than given to a
   * backend that would reset the connection.
   */
  public boolean awaitsBackends() {
    return awaitsBackends;
  }

  /**
   * Whether packets from an address are refused, because they would loop or only pretend to come
   * from here.
   *
   * @param high bytes 0 to 7 of the address, IPv4 in its mapped form; see {@link IpAddresses#high}
   * @param low bytes 8 to 15
   */
  public boolean refusesSource(long high, long low) {
    return refusedSources.contains(high, low);
  }

  /** Finds the service that a flow belongs to: its position, or {@link #NO_SERVICE}. */
  public int service(FlowKey flow) {
    return index.find(flow);
  }

  /**
   * Computes what identifies the flow of a packet among those of a service: its addresses, ports
   * and protocol, or, with affinity to the client, only the addresses.
   *
   * @param fingerprints the hash; its key is secret, or anybody could construct collisions
   */
  public void fingerprint(int service, FlowKey flow, FlowHash fingerprints, Fingerprint result) {
    if (followsClient(service)) {
      fingerprints.ofClient(flow, servicesInOrder[service].firstPort(), result);
    } else {
      fingerprints.of(flow, result);
    }
  }

  /** Whether all packets from a client are one flow. */
  public boolean followsClient(int service) {
    return servicesInOrder[service].spec().affinity() == ServiceSpec.Affinity.CLIENT;
  }

  /** Finds the target with an id, if it may keep flows of the service; otherwise returns null. */
  public Target retained(int service, int targetId) {
    int index = Target.indexOf(targetId);
    Target target = index < targetsByIndex.length ? targetsByIndex[index] : null;
    return target != null && target.id() == targetId && servicesInOrder[service].retains(index)
        ? target
        : null;
  }

  /** Whether a target of the service gets new flows. */
  public boolean chooses(int service, Target target) {
    return servicesInOrder[service].chooses(target.index());
  }

  /**
   * Whether a packet of a flow that an unhealthy target keeps goes to another one, and the flow
   * with it: one of a UDP flow, or, with affinity to the client, one that begins something new.
   */
  public boolean leaves(int service, Target target, FlowKey packet) {
    return servicesInOrder[service].leftByUdp(target.index())
        && (packet.protocol() == IpProtocol.UDP || (packet.isSyn() && followsClient(service)));
  }

  /** The slot of a flow in the table of its service, or −1 if no target gets new flows. */
  public int slot(int service, FlowKey flow) {
    int size = servicesInOrder[service].table().slots();
    if (size == 0) {
      return -1;
    }
    long flowHash = followsClient(service) ? hash.ofClient(flow) : hash.of(flow);
    return (int) Long.remainderUnsigned(flowHash, size);
  }

  /** The target of a new flow of a service, or null if no target gets new flows. */
  public Target target(int service, FlowKey flow) {
    int slot = slot(service, flow);
    return slot < 0 ? null : servicesInOrder[service].targetAt(slot);
  }

  /** Whether clients of the service are told when no backend takes new flows. */
  public boolean rejectsWhenEmpty(int service) {
    return servicesInOrder[service].spec().whenEmpty() == ServiceSpec.WhenEmpty.REJECT;
  }
}
