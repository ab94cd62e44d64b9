package dev.caplance.backend.session;

import dev.caplance.backend.session.SessionStatus.State;
import dev.caplance.backend.session.Unanswered.Reply;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This backend as a member at one load balancer: has a {@link Session} with it, and a new one after
 * a pause whenever one ends, until the backend wants to be deregistered. Keeps what outlives a
 * session. Like a session it knows neither threads nor timers, and one thread owns it.
 */
final class Membership implements SessionOwner {

  /** Distinct reasons that are logged between two registrations. */
  private static final int MAX_REPORTED = 16;

  private static final Logger log = LoggerFactory.getLogger(Membership.class);

  private final LoadBalancer loadBalancer;
  private final SessionSettings settings;
  private final Connector connector;
  private final Runnable onFromChanged;
  private final Backoff backoff;
  private final LongSupplier nanoClock;
  private final InstantSource wallClock;

  private BackendIntent intent = BackendIntent.DEREGISTERED;
  private Message.Health health = new Message.Health(Message.Health.HEALTHY, "");
  private Session session;
  private Instant since;
  private Long registeredAt;
  private long nextAttempt;
  private Duration pause = Duration.ZERO;
  private boolean legacy;
  private Long lastAck;
  private InetAddress from;
  private Intent operatorIntent;
  private String lastError;
  private final Set<String> reported = new HashSet<>();

  /**
   * Not a member, and not wanting to be one.
   *
   * @param onFromChanged called when {@link #from} is another one
   */
  Membership(
      LoadBalancer loadBalancer,
      SessionSettings settings,
      Connector connector,
      Runnable onFromChanged,
      Backoff backoff,
      LongSupplier nanoClock,
      InstantSource wallClock) {
    this.loadBalancer = loadBalancer;
    this.settings = settings;
    this.connector = connector;
    this.onFromChanged = onFromChanged;
    this.backoff = backoff;
    this.nanoClock = nanoClock;
    this.wallClock = wallClock;
    this.legacy = loadBalancer.legacy();
    this.since = wallClock.instant();
  }

  LoadBalancer loadBalancer() {
    return loadBalancer;
  }

  /**
   * Wants to be something else, from now on and in all later sessions.
   *
   * @param reply told once what the load balancer makes of it
   */
  void intend(BackendIntent wanted, Reply reply) {
    boolean joins = intent == BackendIntent.DEREGISTERED;
    intent = wanted;
    if (wanted == BackendIntent.DEREGISTERED) {
      leave(reply);
    } else if (joins) {
      backoff.reset();
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

  /** Whether a sanity check from this address is what a session waits for. */
  boolean expectsSanityFrom(InetAddress sender) {
    return session != null && session.awaitsSanity() && sendsFrom(sender);
  }

  /** A sanity check has come that may be meant for this one. */
  void sanity(String token, InetAddress sender) {
    if (session != null) {
      session.sanity(token, sendsFrom(sender));
    }
  }

  /** Where encapsulated packets of this load balancer come from; empty when none are to come. */
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
    return left() ? Long.MAX_VALUE : nextAttempt - nanoClock.getAsLong();
  }

  SessionStatus status() {
    long now = nanoClock.getAsLong();
    State state = state();
    return new SessionStatus(
        loadBalancer,
        legacy,
        state,
        since,
        Optional.ofNullable(lastAck).map(ack -> Duration.ofNanos(now - ack)),
        from(),
        Optional.ofNullable(operatorIntent),
        Optional.ofNullable(lastError),
        state == State.WAITING
            ? Optional.of(Duration.ofNanos(Math.max(0, nextAttempt - now)))
            : Optional.empty());
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

  private void leave(Reply reply) {
    if (session != null) {
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
      Connector.Connection connection =
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
    registeredAt = nanoClock.getAsLong();
    setFrom(sender);
    legacy = isLegacy;
    lastError = null;
    reported.clear();
    String address = IpAddresses.format(sender);
    log.info("{}: registered as {}, packets from {}", loadBalancer, settings.name(), address);
    if (legacy && !loadBalancer.legacy()) {
      log.warn("{}: speaks the protocol of 2019; set protocol: 2019 for it", loadBalancer);
    }
  }

  @Override
  public void acknowledged() {
    lastAck = nanoClock.getAsLong();
  }

  @Override
  public void operatorSaid(Intent said) {
    operatorIntent = said;
    log.info("{}: its operator has made {} {}", loadBalancer, settings.name(), said.word());
  }

  @Override
  public void troubled(String problem) {
    lastError = problem;
    if (isNews(problem)) {
      log.warn("{}: {}", loadBalancer, problem);
    }
  }

  @Override
  public void ended(String reason) {
    session = null;
    operatorIntent = null;
    since = wallClock.instant();
    Long began = registeredAt;
    registeredAt = null;
    if (left()) {
      left(reason);
      return;
    }
    lastError = reason;
    long now = nanoClock.getAsLong();
    // Only a session that outlasts the pause before it shows that the trouble is over.
    if (began != null && now - began > pause.toNanos()) {
      backoff.reset();
    }
    pause = backoff.next();
    nextAttempt = now + pause.toNanos();
    if (began != null) {
      log.warn("{}: lost: {}; next attempt in {} ms", loadBalancer, reason, pause.toMillis());
    } else if (isNews(reason)) {
      log.warn("{}: cannot register: {}; trying again until it works", loadBalancer, reason);
    } else {
      log.debug("{}: cannot register: {}", loadBalancer, reason);
    }
  }

  private void left(String reason) {
    setFrom(null);
    lastError = null;
    log.info("{}: left: {}", loadBalancer, reason);
  }

  private void setFrom(InetAddress sender) {
    if (!Objects.equals(sender, from)) {
      from = sender;
      onFromChanged.run();
    }
  }

  private boolean isNews(String problem) {
    return reported.size() < MAX_REPORTED && reported.add(problem);
  }
}
