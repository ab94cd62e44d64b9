package dev.caplance.lb.forwarding;

import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Ports;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A service and its backends at one moment. Immutable, and laid out for the look-ups that {@link
 * ForwardingTable} makes for every packet.
 */
public final class Service {

  /** Whether a service has backends for new flows. */
  public enum State {
    /** At least one backend is active and healthy. */
    BALANCING,
    /** None is, but some were when their sessions ended without a word; these get the new flows. */
    RETURNING,
    /** There are backends, but all of them are unhealthy or draining. */
    ALL_UNHEALTHY,
    /** No backend may get packets. */
    NO_BACKEND
  }

  private final ServiceSpec spec;
  private final State state;
  private final List<Target> targets;
  private final List<Target> drainingTargets;
  private final MaglevTable table;
  private final Target[] targetsInOrder;
  private final int firstPort;

  /** The indexes of all targets, of those that get new flows, and of those that UDP leaves. */
  private final BitSet retained = new BitSet();

  private final BitSet chosen = new BitSet();
  private final BitSet leftByUdp = new BitSet();

  /** Creates a service at one moment, with the Maglev table of the pool's targets. */
  Service(Pool pool, MaglevTable table) {
    this.spec = pool.spec();
    this.state = pool.state();
    this.targets = pool.targets();
    this.drainingTargets = pool.drainingTargets();
    this.table = table;
    this.targetsInOrder = targets.toArray(Target[]::new);
    this.firstPort = firstPort(spec.ports());
    retainedTargets().forEach(target -> retained.set(target.index()));
    targets.forEach(target -> chosen.set(target.index()));
    if (spec.udpWhenUnhealthy() == ServiceSpec.UdpWhenUnhealthy.MOVE) {
      pool.unhealthyTargets().forEach(target -> leftByUdp.set(target.index()));
    }
  }

  /**
   * A service and its backends, before its Maglev table is built.
   *
   * @param targets that get new flows, in byte order of their names, like the owners in the Maglev
   *     table
   * @param drainingTargets that only keep the flows that they have
   * @param unhealthyTargets those of {@code drainingTargets} that are unhealthy while others are
   *     healthy
   */
  public record Pool(
      ServiceSpec spec,
      State state,
      List<Target> targets,
      List<Target> drainingTargets,
      List<Target> unhealthyTargets) {

    /** A pool without unhealthy targets. */
    public Pool(ServiceSpec spec, State state, List<Target> targets, List<Target> drainingTargets) {
      this(spec, state, targets, drainingTargets, List.of());
    }

    /** The pool of another service that the same targets serve. */
    public Pool of(ServiceSpec other) {
      return new Pool(other, state, targets, drainingTargets, unhealthyTargets);
    }
  }

  private static int firstPort(Ports ports) {
    int tcp = ports.first(IpProtocol.TCP);
    return tcp >= 0 ? tcp : IpProtocol.UDP << Short.SIZE | ports.first(IpProtocol.UDP);
  }

  public ServiceSpec spec() {
    return spec;
  }

  public String name() {
    return spec.name();
  }

  public State state() {
    return state;
  }

  /** The targets that get new flows, in byte order of their names. */
  public List<Target> targets() {
    return targets;
  }

  /**
   * The targets that keep the flows that they have and get no new ones: those of draining or
   * unhealthy backends.
   */
  public List<Target> drainingTargets() {
    return drainingTargets;
  }

  /** All targets that may have flows, the draining ones last. */
  public List<Target> retainedTargets() {
    List<Target> all = new ArrayList<>(targets);
    all.addAll(drainingTargets);
    return all;
  }

  /** The targets of new flows, slot by slot. */
  public MaglevTable table() {
    return table;
  }

  /** Whether the target with this index may keep flows. */
  boolean retains(int index) {
    return retained.get(index);
  }

  /** The first port and its protocol, as a number that no other service of the VIP has. */
  int firstPort() {
    return firstPort;
  }

  /** Whether the target with this index gets new flows. */
  boolean chooses(int index) {
    return chosen.get(index);
  }

  /** Whether UDP flows leave the target with this index. */
  boolean leftByUdp(int index) {
    return leftByUdp.get(index);
  }

  /** The target that owns a slot of the table. */
  Target targetAt(int slot) {
    return targetsInOrder[table.owner(slot)];
  }
}
