package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;

/**
 * A registered backend at one moment. Immutable. The same object is used until one of its values
 * changes, so that a change of one backend does not replace thousands of old objects, which would
 * cause full garbage collections.
 *
 * @param target what data planes know of it: name, data address, weight, MTU, source
 * @param version of the protocol that it speaks: 2 or higher, or 2019
 * @param intent what it asks for: active, draining or paused
 * @param reported its last report of its application; see {@link #health}
 * @param path what is known of the path to it
 * @param returning whether its session has ended without a word, and it has not reported since
 * @param admitted whether it has been healthy, with a path that carries packets, since it
 *     registered; before that it gets no packets
 * @param services the services that it serves
 * @param session address of the other end of its session, or of its last one
 * @param registeredAt when it registered; reconnections do not change this
 */
public record BackendView(
    Target target,
    int version,
    Intent intent,
    Health reported,
    Path path,
    boolean returning,
    boolean admitted,
    ServedServices services,
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

  /** Its last report or, if the path to it does not carry packets, that. */
  public Health health() {
    return path.state() == Path.State.LOST
        ? new Health(Health.Condition.UNHEALTHY, Health.NO_PATH, path.reason())
        : reported;
  }

  /** Whether its application and the path to it are in order as far as is known. */
  public boolean healthy() {
    return reported.condition() == Health.Condition.HEALTHY && path.state() != Path.State.LOST;
  }

  /** Whether it may get packets, at least those of flows that it has. */
  public boolean retainsFlows() {
    return admitted && intent != Intent.PAUSED;
  }

  /** Whether it gets new flows: it is active, healthy and in touch, and serves something. */
  public boolean takesNewFlows() {
    return mayTakeNewFlows() && !returning;
  }

  /** Whether it would get new flows if its session had not ended, or does get them. */
  public boolean mayTakeNewFlows() {
    return admitted && intent == Intent.ACTIVE && healthy() && !services.none();
  }

  /** Whether its last report or its path says that it is not healthy. */
  public boolean unhealthy() {
    return health().condition() == Health.Condition.UNHEALTHY;
  }

  /**
   * Whether all is known that decides whether it gets packets: it is paused, unhealthy, or healthy
   * with a proven path.
   */
  boolean hasReported() {
    return intent == Intent.PAUSED
        || admitted
        || health().condition() == Health.Condition.UNHEALTHY;
  }

  /** Whether it serves a service. */
  public boolean serves(ServiceSpec service) {
    return services.contains(service);
  }

  /** Whether another view of the same backend leads to the same forwarding. */
  boolean forwardsLike(BackendView other) {
    return target.equals(other.target)
        && services.equals(other.services)
        && mayTakeNewFlows() == other.mayTakeNewFlows()
        && returning == other.returning
        && draining() == other.draining()
        && unhealthy() == other.unhealthy();
  }

  BackendView withTarget(Target newTarget) {
    return with(newTarget, intent, reported, path, returning, services, admitted);
  }

  BackendView withIntent(Intent newIntent) {
    return with(target, newIntent, reported, path, returning, services, admitted);
  }

  /** With a new health report, which ends its return. */
  BackendView withReport(Health newReport, ServedServices newServices) {
    return with(target, intent, newReport, path, false, newServices, admitted).admittedIfProven();
  }

  BackendView withPath(Path newPath) {
    return with(target, intent, reported, newPath, returning, services, admitted)
        .admittedIfProven();
  }

  /** With a session that has ended. */
  BackendView asReturning() {
    return with(target, intent, reported, path, true, services, admitted);
  }

  /** A backend is admitted once it is healthy and packets are known to reach it. */
  private BackendView admittedIfProven() {
    boolean proven = path.state() == Path.State.PROVEN || path.state() == Path.State.UNPROBED;
    return admitted || !proven || reported.condition() != Health.Condition.HEALTHY
        ? this
        : with(target, intent, reported, path, returning, services, true);
  }

  /** The same registration at another moment. */
  private BackendView with(
      Target newTarget,
      Intent newIntent,
      Health newReport,
      Path newPath,
      boolean nowReturning,
      ServedServices newServices,
      boolean nowAdmitted) {
    return new BackendView(
        newTarget,
        version,
        newIntent,
        newReport,
        newPath,
        nowReturning,
        nowAdmitted,
        newServices,
        session,
        registeredAt);
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

    /** The code of a backend that packets do not reach. */
    public static final int NO_PATH = 503;

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

    /** Whether it is healthy because it checks nothing. */
    public boolean unchecked() {
      return condition == Condition.HEALTHY && reason.equals(Message.Health.NO_CHECKS);
    }
  }

  /**
   * What is known of the path to a backend.
   *
   * @param reason why the path is lost, otherwise empty
   */
  public record Path(State state, String reason) {

    /** The backend answers no probes, so its path was proven when it registered and never again. */
    public static final Path UNPROBED = new Path(State.UNPROBED, "");

    /** No probe has been answered yet. */
    public static final Path UNPROVEN = new Path(State.UNPROVEN, "");

    /** Probes are answered. */
    public static final Path PROVEN = new Path(State.PROVEN, "");

    /** What the probes of a path have shown. */
    public enum State {
      /** There are none. */
      UNPROBED,
      /** Nothing yet. */
      UNPROVEN,
      /** Packets reach the backend. */
      PROVEN,
      /** Packets do not reach the backend. */
      LOST
    }

    static Path lost(String reason) {
      return new Path(State.LOST, reason);
    }
  }
}
