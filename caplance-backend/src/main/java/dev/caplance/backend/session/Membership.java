package dev.caplance.backend.session;

import dev.caplance.backend.session.Requests.Reply;
import dev.caplance.backend.session.SessionStatus.State;
import dev.caplance.session.Communicator;
import dev.caplance.session.Message;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * This backend as a member at one load balancer: has a {@link Session} with it and, whenever one
 * ends, a new one after a pause, until the backend wants to be deregistered. Keeps what outlives a
 * session. Like a session it knows neither threads nor timers, and one thread owns it.
 */
final class Membership implements SessionOwner {

  private final LoadBalancerAddress loadBalancer;
  private final Connector connector;
  private final Runnable onFromChanged;
  private final LongSupplier nanoClock;
  private final InstantSource wallClock;
  private final Reconnection reconnection;
  private final SessionRecord record;

  private SessionSettings settings;
  private BackendIntent intent = BackendIntent.DEREGISTERED;
  private Message.Health health = new Message.Health(Message.Health.HEALTHY, "");
  private Session session;
  private Instant since;
  private boolean renewing;
  private boolean legacy;
  private InetAddress from;

  /**
   * Not a member, and not wanting to be one.
   *
   * @param onFromChanged called when {@link #from} has changed
   */
  Membership(
      LoadBalancerAddress loadBalancer,
      SessionSettings settings,
      Connector connector,
      Runnable onFromChanged,
      RandomGenerator random,
      LongSupplier nanoClock,
      InstantSource wallClock) {
    this.loadBalancer = loadBalancer;
    this.settings = settings;
    this.connector = connector;
    this.onFromChanged = onFromChanged;
    this.nanoClock = nanoClock;
    this.wallClock = wallClock;
    this.reconnection = new Reconnection(settings, random, nanoClock);
    this.record = new SessionRecord(loadBalancer, nanoClock);
    this.legacy = loadBalancer.legacy();
    this.since = wallClock.instant();
  }

  LoadBalancerAddress loadBalancer() {
    return loadBalancer;
  }

  /** Uses these settings from now on; if they change what was registered, a new session begins. */
  void apply(SessionSettings newSettings) {
    if (newSettings.equals(settings)) {
      return;
    }
    boolean registersAnew = !newSettings.registersLike(settings);
    settings = newSettings;
    reconnection.apply(newSettings);
    if (registersAnew && session != null && intent != BackendIntent.DEREGISTERED) {
      renewing = true;
      session.end("the configuration has changed");
      renewing = false;
      tick();
    }
  }

  /**
   * Changes what this backend wants to be, in this session and all later ones.
   *
   * @param reply gets the load balancer's answer
   */
  void intend(BackendIntent wanted, Reply reply) {
    boolean wasLeaving = intent == BackendIntent.DEREGISTERED;
    intent = wanted;
    if (wanted == BackendIntent.DEREGISTERED) {
      leave(wasLeaving, reply);
    } else if (wasLeaving) {
      reconnection.reset();
      connect(reply);
    } else if (session != null) {
      session.intend(wanted, reply);
    } else {
      reply.answered(false, Session.TOLD_LATER);
    }
  }

  /** Tells this health from now on. */
  void health(Message.Health newHealth) {
    health = newHealth;
    if (session != null) {
      session.health(newHealth);
    }
  }

  /** Whether the session is waiting for a path probe that may come from this address. */
  boolean expectsPathProbeFrom(InetAddress sender) {
    return session != null && session.awaitsPathProbe() && sendsFrom(sender);
  }

  /** A path probe has arrived that may be meant for this member. */
  void pathProbe(String token, InetAddress sender) {
    if (session != null) {
      session.pathProbe(token, sendsFrom(sender));
    }
  }

  /** Whether this load balancer may have sent a path probe that came from this address. */
  boolean probesFrom(InetAddress sender) {
    return session != null && session.path().isPresent() && sender.equals(from);
  }

  /**
   * A path probe has been delivered that may be this load balancer's.
   *
   * @param tell whether to answer it on the session, too
   */
  void probed(String token, boolean tell) {
    session.probed(token, tell);
  }

  /** Where this load balancer's encapsulated packets come from; empty if none are expected. */
  Optional<InetAddress> from() {
    return Optional.ofNullable(from);
  }

  /** Whether there is no session and none is wanted. */
  boolean left() {
    return session == null && intent == BackendIntent.DEREGISTERED;
  }

  /** Does what is due. */
  void tick() {
    if (session != null) {
      session.tick();
    } else if (intent != BackendIntent.DEREGISTERED && untilDue() <= 0) {
      connect(Reply.NOBODY);
    }
  }

  /** Nanoseconds until {@link #tick} has something to do; {@code Long.MAX_VALUE} for never. */
  long untilDue() {
    if (session != null) {
      return session.untilDue();
    }
    return left() ? Long.MAX_VALUE : reconnection.untilNext();
  }

  SessionStatus status() {
    long now = nanoClock.getAsLong();
    State state = state();
    return new SessionStatus(
        loadBalancer,
        legacy,
        state,
        since,
        record.sinceLastAck(),
        from(),
        record.operatorIntent(),
        record.lastError(),
        state == State.WAITING
            ? Optional.of(Duration.ofNanos(Math.max(0, reconnection.untilNext())))
            : Optional.empty(),
        record.services(),
        record.unknownServices(),
        Optional.ofNullable(session).flatMap(Session::path).map(path -> status(path, now)));
  }

  private static SessionStatus.Path status(PathWatch path, long now) {
    return new SessionStatus.Path(path.interval(), path.sinceLastProbe(now), path.lost());
  }

  private State state() {
    if (session == null) {
      return left() ? State.DEREGISTERED : State.WAITING;
    } else if (session.registered()) {
      return State.REGISTERED;
    }
    return session.connected() ? State.REGISTERING : State.CONNECTING;
  }

  private boolean sendsFrom(InetAddress sender) {
    return sender.equals(loadBalancer.address()) || sender.equals(from);
  }

  private void leave(boolean wasLeaving, Reply reply) {
    if (wasLeaving) {
      reply.answered(session == null, session == null ? "was left already" : "is being left");
    } else if (session != null) {
      session.deregister(reply);
    } else {
      since = wallClock.instant();
      left("not connected");
      reply.answered(false, "was not registered there");
    }
  }

  private void connect(Reply reply) {
    since = wallClock.instant();
    legacy = loadBalancer.legacy();
    try {
      Connector.PendingConnection connection =
          connector.connect(loadBalancer.socketAddress(), this::readable);
      session =
          new Session(loadBalancer, settings, connection, nanoClock, this, intent, health, reply);
    } catch (IOException e) {
      ended("no socket: " + e.getMessage());
      reply.answered(false, Session.TOLD_LATER);
    }
  }

  private void readable() {
    if (session != null) {
      session.read();
    }
  }

  @Override
  public void registered(InetAddress sender, boolean isLegacy) {
    since = wallClock.instant();
    reconnection.registered();
    setFrom(sender);
    legacy = isLegacy;
    record.registered(settings.name(), sender, legacy);
  }

  @Override
  public SessionNews news() {
    return record;
  }

  @Override
  public void ended(String reason) {
    session = null;
    since = wallClock.instant();
    if (left()) {
      left(reason);
      return;
    }
    boolean wasRegistered = reconnection.wasRegistered();
    Duration pause = reconnection.ended(renewing);
    if (wasRegistered) {
      record.lost(reason, pause);
    } else {
      record.failed(reason);
    }
  }

  private void left(String reason) {
    setFrom(null);
    record.left(reason);
  }

  private void setFrom(InetAddress sender) {
    if (!Objects.equals(sender, from)) {
      from = sender;
      onFromChanged.run();
    }
  }

  /** Opens TCP connections. */
  @FunctionalInterface
  interface Connector {

    /**
     * Begins to connect.
     *
     * @param onReadable called whenever there is something new to read, but not before this returns
     * @throws IOException if no socket is available
     */
    PendingConnection connect(InetSocketAddress address, Runnable onReadable) throws IOException;

    /**
     * A connection that may not be established yet.
     *
     * @param established whether it is by now
     */
    record PendingConnection(Communicator communicator, BooleanSupplier established) {}
  }
}
