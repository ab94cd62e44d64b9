package dev.caplance.lb.forwarding;

import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpAddresses;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A service and its backends at one moment. Immutable; what {@link ForwardingTable} asks for each
 * packet is laid out for it.
 */
public final class Service {

  /** Whether a service can serve. */
  public enum State {
    /** At least one backend is active and healthy. */
    BALANCING,
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
  private final long vipHigh;
  private final long vipLow;
  private final Target[] targetsInOrder;
  private final BitSet retained;

  /**
   * A service of this moment.
   *
   * @param targets that get new flows, in byte order of their names, as the Maglev table has them
   * @param drainingTargets that only keep the flows that they have
   */
  Service(
      ServiceSpec spec,
      State state,
      List<Target> targets,
      List<Target> drainingTargets,
      MaglevTable table) {
    this.spec = spec;
    this.state = state;
    this.targets = targets;
    this.drainingTargets = drainingTargets;
    this.table = table;
    this.vipHigh = IpAddresses.high(spec.vip());
    this.vipLow = IpAddresses.low(spec.vip());
    this.targetsInOrder = targets.toArray(Target[]::new);
    this.retained = new BitSet();
    retainedTargets().forEach(target -> retained.set(target.index()));
  }

  /**
   * The backends of a service before their table is built.
   *
   * @param targets see {@link Service#targets}
   * @param drainingTargets see {@link Service#drainingTargets}
   */
  public record Pool(
      ServiceSpec spec, State state, List<Target> targets, List<Target> drainingTargets) {}

  public ServiceSpec spec() {
    return spec;
  }

  public String name() {
    return spec.name();
  }

  public State state() {
    return state;
  }

  /** Those that get new flows, in byte order of their names. */
  public List<Target> targets() {
    return targets;
  }

  /** Those that keep the flows that they have and get no new ones: draining or unhealthy. */
  public List<Target> drainingTargets() {
    return drainingTargets;
  }

  /** All that may have flows. */
  public List<Target> retainedTargets() {
    List<Target> all = new ArrayList<>(targets);
    all.addAll(drainingTargets);
    return all;
  }

  /** Where new flows go, slot by slot. */
  public MaglevTable table() {
    return table;
  }

  boolean isFor(FlowKey flow) {
    return vipLow == flow.destinationLow()
        && vipHigh == flow.destinationHigh()
        && spec.ports().contains(flow.protocol(), flow.destinationPort());
  }

  /** Whether the target with this index may keep flows. */
  boolean retains(int index) {
    return retained.get(index);
  }

  /** The target in a slot of the table. */
  Target targetAt(int slot) {
    return targetsInOrder[table.owner(slot)];
  }
}
