package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Set;

/**
 * A registered backend at one moment: the same object until something of it changes, so that a
 * change of one backend does not replace thousands of old objects, which would cause full garbage
 * collections.
 *
 * @param target what data planes know of it: name, data address, weight, MTU
 * @param version of the protocol that it speaks: 2 or more, or 2019
 * @param intent what it wants itself
 * @param admitted whether it has been healthy since it registered: before that it gets no packets
 * @param services names of those that it serves, whether they exist or not, in its order; empty:
 *     all
 * @param session the other end of its session
 * @param registeredAt since when it has been registered, through all reconnections
 */
public record BackendView(
    Target target,
    int version,
    Intent intent,
    BackendHealth health,
    boolean admitted,
    Set<String> services,
    InetSocketAddress session,
    Instant registeredAt) {

  public String name() {
    return target.name();
  }

  /** Where its packets go. */
  public InetAddress dataAddress() {
    return target.address();
  }

  /** Whether it speaks the protocol of 2019. */
  public boolean legacy() {
    return version == Message.VERSION_2019;
  }

  public boolean draining() {
    return intent == Intent.DRAINING;
  }

  /** Whether packets may go there, at least those of flows that it has. */
  public boolean retainsFlows() {
    return admitted && intent != Intent.PAUSED;
  }

  /** Whether it is active and healthy. */
  public boolean takesNewFlows() {
    return intent == Intent.ACTIVE && health.condition() == BackendHealth.Condition.HEALTHY;
  }

  /** Whether it has said since its registration what it wants and how it is. */
  boolean hasReturned() {
    return intent == Intent.PAUSED || health.condition() != BackendHealth.Condition.UNKNOWN;
  }

  /** Whether it serves a service; a backend of 2019 serves the one that is marked legacy. */
  public boolean serves(ServiceSpec service) {
    return legacy() ? service.legacy() : services.isEmpty() || services.contains(service.name());
  }

  /** Whether packets are forwarded there as they are to another view of the same backend. */
  boolean forwardsLike(BackendView other) {
    return target.equals(other.target)
        && legacy() == other.legacy()
        && services.equals(other.services)
        && takesNewFlows() == other.takesNewFlows()
        && draining() == other.draining();
  }

  BackendView withIntent(Intent newIntent) {
    return new BackendView(
        target, version, newIntent, health, admitted, services, session, registeredAt);
  }

  /** The first time that it is healthy admits it. */
  BackendView withHealth(BackendHealth newHealth) {
    boolean healthy = newHealth.condition() == BackendHealth.Condition.HEALTHY;
    return new BackendView(
        target, version, intent, newHealth, admitted || healthy, services, session, registeredAt);
  }
}
