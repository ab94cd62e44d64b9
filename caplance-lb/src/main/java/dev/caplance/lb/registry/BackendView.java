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
 * A registered backend at one moment. Immutable. The same object is used until one of its values
 * changes, so that a change of one backend does not replace thousands of old objects, which would
 * cause full garbage collections.
 *
 * @param target what data planes know of it: name, data address, weight, MTU
 * @param version of the protocol that it speaks: 2 or higher, or 2019
 * @param intent what it asks for: active, draining or paused
 * @param health its last report
 * @param admitted whether it has been healthy since it registered; before that it gets no packets
 * @param services names of the services that it serves, existing or not, in its order; empty: all
 * @param session address of the other end of its session
 * @param registeredAt when it registered; reconnections do not change this
 */
public record BackendView(
    Target target,
    int version,
    Intent intent,
    Health health,
    boolean admitted,
    Set<String> services,
    InetSocketAddress session,
    Instant registeredAt) {

  public String name() {
    return target.name();
  }

  /** The address that its encapsulated packets are sent to. */
  public InetAddress dataAddress() {
    return target.address();
  }

  /** Whether it speaks the 2019 protocol. */
  public boolean legacy() {
    return version == Message.VERSION_2019;
  }

  public boolean draining() {
    return intent == Intent.DRAINING;
  }

  /** Whether it may get packets, at least those of flows that it has. */
  public boolean retainsFlows() {
    return admitted && intent != Intent.PAUSED;
  }

  /** Whether it is active and healthy, and so gets new flows. */
  public boolean takesNewFlows() {
    return intent == Intent.ACTIVE && health.condition() == Health.Condition.HEALTHY;
  }

  /** Whether its last report says that it is not healthy. */
  public boolean unhealthy() {
    return health.condition() == Health.Condition.UNHEALTHY;
  }

  /** Whether it has reported its state since it registered: paused, or its health. */
  boolean hasReported() {
    return intent == Intent.PAUSED || health.condition() != Health.Condition.UNKNOWN;
  }

  /** Whether it serves a service; a 2019 backend serves the one that is marked legacy. */
  public boolean serves(ServiceSpec service) {
    return legacy() ? service.legacy() : services.isEmpty() || services.contains(service.name());
  }

  /** Whether another view of the same backend leads to the same forwarding. */
  boolean forwardsLike(BackendView other) {
    return target.equals(other.target)
        && legacy() == other.legacy()
        && services.equals(other.services)
        && takesNewFlows() == other.takesNewFlows()
        && draining() == other.draining()
        && unhealthy() == other.unhealthy();
  }

  BackendView withIntent(Intent newIntent) {
    return new BackendView(
        target, version, newIntent, health, admitted, services, session, registeredAt);
  }

  /** With a new health report; the first healthy one admits the backend. */
  BackendView withHealth(Health newHealth) {
    boolean healthy = newHealth.condition() == Health.Condition.HEALTHY;
    return new BackendView(
        target, version, intent, newHealth, admitted || healthy, services, session, registeredAt);
  }

  /**
   * The last health report of a backend.
   *
   * @param condition what the report means for forwarding
   * @param code status code of the HEALTH line, 200 if healthy; 0 before the first one
   * @param reason text of the HEALTH line; may be empty
   */
  public record Health(Condition condition, int code, String reason) {

    /** Before the first HEALTH: the backend gets no packets. */
    public static final Health UNKNOWN = new Health(Condition.UNKNOWN, 0, "");

    /** What a health report means for forwarding. */
    public enum Condition {
      /** No HEALTH has arrived yet. */
      UNKNOWN,
      /** New flows may go to the backend. */
      HEALTHY,
      /** The backend keeps its flows and gets new ones only as a last resort. */
      UNHEALTHY
    }

    /** The health that a HEALTH line reports. */
    static Health of(Message.Health health) {
      return new Health(
          health.healthy() ? Condition.HEALTHY : Condition.UNHEALTHY,
          health.code(),
          health.reason());
    }
  }
}
