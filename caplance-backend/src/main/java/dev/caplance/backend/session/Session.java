package dev.caplance.backend.session;

import dev.caplance.backend.session.Membership.Connector.PendingConnection;
import dev.caplance.backend.session.Requests.Reply;
import dev.caplance.session.Intent;
import dev.caplance.session.InvalidLineException;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.io.IOException;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * One session with a load balancer, from REGISTER to its end: decides what follows from each line
 * that arrives, from what this backend wants, and from the passing of time. It knows neither
 * threads nor timers: its owner calls it when something happens, and calls {@link #tick} when
 * {@link #untilDue} is over.
 *
 * <p>It ends by itself when the connection breaks, when the load balancer refuses, talks nonsense
 * or falls silent, and after DEREGISTER; then it is of no further use. One thread owns it.
 */
final class Session {

  /** The reply to a command while there is no session that could pass it on. */
  static final String TOLD_LATER = "not connected; will be told when it is";

  private static final int MAX_QUOTED = 80;

  private enum State {
    REGISTERING,
    REGISTERED,
    LEAVING,
    ENDED
  }

  private final LoadBalancerAddress loadBalancer;
  private final SessionSettings settings;
  private final PendingConnection connection;
  private final LongSupplier nanoClock;
  private final SessionOwner owner;
  private final Requests requests;
  private final Registration registration;
  private final PeerState peer;
  private final Heartbeat heartbeat;
  private final ServiceOffer services;
  private final Announcer announcer;

  private State state = State.REGISTERING;

  /** When DEREGISTER has been unanswered for too long. */
  private long leaveBy;

  /**
   * Begins a session on a connection that may not be established yet.
   *
   * @param intent what this backend wants to be
   * @param health its health
   * @param reply told whether it is registered
   */
  Session(
      LoadBalancerAddress loadBalancer,
      SessionSettings settings,
      PendingConnection connection,
      LongSupplier nanoClock,
      SessionOwner owner,
      BackendIntent intent,
      Message.Health health,
      Reply reply) {
    this.loadBalancer = loadBalancer;
    this.settings = settings;
    this.connection = connection;
    this.nanoClock = nanoClock;
    this.owner = owner;
    this.peer = new PeerState(settings.name(), loadBalancer, intent, health.healthy());
    this.requests = new Requests(connection.communicator(), nanoClock);
    this.heartbeat = new Heartbeat(settings, peer, requests, nanoClock, owner.news(), health);
    this.services = new ServiceOffer(settings, requests, owner.news());
    this.announcer = new Announcer(peer, requests, owner.news(), intent);
    this.registration = new Registration(settings, connection, requests, nanoClock);
    requests.send(settings.register(peer.legacy(), peer.told()), reply);
  }

  // --- What this backend wants ---

  /** Tells what this backend wants to be, at the latest when it is registered. */
  void intend(BackendIntent wanted, Reply reply) {
    announcer.intend(wanted);
    if (state == State.REGISTERED) {
      announcer.tell(reply);
    } else {
      reply.answered(false, TOLD_LATER);
    }
  }

  /** Tells this health from now on, and at once if registered. */
  void health(Message.Health newHealth) {
    heartbeat.application(newHealth);
    peer.health(newHealth.healthy());
    if (state == State.REGISTERED) {
      announcer.tellHealth();
      heartbeat.send();
    }
  }

  /** Leaves the load balancer and ends, at the latest when it does not answer. */
  void deregister(Reply reply) {
    if (state == State.REGISTERED) {
      state = State.LEAVING;
      leaveBy = nanoClock.getAsLong() + Requests.REPLY_TIMEOUT.toNanos();
      announcer.leave(reply);
    } else {
      end("not registered yet");
      reply.answered(false, "was not registered there");
    }
  }

  /**
   * A path probe has arrived; answered while registering.
   *
   * @param fromPeer whether from the address that the load balancer is known to send from
   */
  void pathProbe(String token, boolean fromPeer) {
    if (state == State.REGISTERING) {
      registration.pathProbe(token, fromPeer, peer.legacy());
    }
  }

  /**
   * A path probe of this load balancer has been delivered and answered by UDP.
   *
   * @param tell whether to answer it on the session, too
   */
  void probed(String token, boolean tell) {
    if (registered() && heartbeat.probed() && tell) {
      requests.tell(new Message.Sane(token));
    }
  }

  /** What is known of the path; empty unless the load balancer probes it. */
  Optional<PathWatch> path() {
    return heartbeat.path();
  }

  /** Whether the load balancer may have sent a path probe whose answer it is waiting for. */
  boolean awaitsPathProbe() {
    return state == State.REGISTERING && connected();
  }

  boolean connected() {
    return registration.connected();
  }

  boolean registered() {
    return state == State.REGISTERED || state == State.LEAVING;
  }

  // --- What the load balancer says ---

  /** Reads and handles the lines that have arrived. */
  void read() {
    try {
      while (state != State.ENDED) {
        String line = connection.communicator().readLine();
        if (line == null) {
          return;
        }
        handle(line);
      }
    } catch (IOException e) {
      // That it refused says more than that it then closed the connection.
      end(registration.refusal().filter(refusal -> !registered()).orElseGet(() -> textOf(e)));
    }
  }

  private void handle(String line) {
    heartbeat.heard();
    try {
      Message message = MessageCodec.parse(line);
      if (state == State.REGISTERING) {
        handleRegistering(message, line);
      } else {
        handleRegistered(message, line);
      }
    } catch (InvalidLineException e) {
      handleUnexpected(line);
    }
  }

  private void handleRegistering(Message message, String line) {
    if (message instanceof Message.Registered m) {
      registration.objectionTo(m).ifPresentOrElse(this::end, () -> becomeRegistered(m));
    } else if (message instanceof Message.Invalid m) {
      boolean goesOn = registration.refuse(m.reason());
      String refusal = registration.refusal().orElseThrow();
      if (goesOn) {
        owner.news().troubled(refusal);
      } else {
        end(refusal);
      }
    } else if (message instanceof Message.Deregistered m) {
      end("deregistered by the load balancer: " + m.reason());
    } else {
      handleUnexpected(line);
    }
  }

  private void becomeRegistered(Message.Registered answer) {
    state = State.REGISTERED;
    if (answer.version() == Message.VERSION_2019) {
      peer.becomeLegacy();
    }
    owner.registered(answer.from().orElse(loadBalancer.address()), peer.legacy());
    registration.succeed();
    if (settings.answersProbes() && answer.probeInterval().isPresent()) {
      heartbeat.watchPath(answer.probeInterval().get());
      services.send();
    }
    // Before HEALTH, which opens the gate for packets.
    if (peer.pausesUnhealthy()) {
      announcer.tellHealth();
    } else {
      announcer.tell(Reply.NOBODY);
    }
    heartbeat.send();
  }

  private void handleRegistered(Message message, String line) {
    String name = settings.name();
    if (message instanceof Message.HealthAck) {
      requests.confirm(Message.Health.class, line);
      owner.news().acknowledged();
    } else if (message instanceof Message.Paused m && m.name().equals(name)) {
      handleIntent(Message.Pause.class, Intent.PAUSED, "PAUSED");
    } else if (message instanceof Message.Draining m && m.name().equals(name)) {
      handleIntent(Message.Drain.class, Intent.DRAINING, "DRAINING");
    } else if (message instanceof Message.Resumed m && m.name().equals(name)) {
      handleIntent(Message.Resume.class, Intent.ACTIVE, "RESUMED");
    } else if (message instanceof Message.Deregistered m && m.name().equals(name)) {
      boolean asked = requests.confirm(Message.Deregister.class, "DEREGISTERED");
      end(asked ? "deregistered" : "deregistered by the load balancer: " + m.reason());
    } else if (message instanceof Message.Invalid m) {
      handleInvalid(m.reason());
    } else if (!(message instanceof Message.Serving m)
        || !m.name().equals(name)
        || !services.answered(m)) {
      handleUnexpected(line);
    }
  }

  /** What this backend did not ask for, the load balancer's operator did. */
  private void handleIntent(Class<? extends Message> command, Intent now, String answer) {
    if (!requests.confirm(command, answer)) {
      owner.news().operatorSaid(now);
    }
  }

  private void handleInvalid(String reason) {
    Optional<Message> refused = requests.refuse(Message.class, "INVALID " + reason);
    owner
        .news()
        .troubled(
            refused.map(message -> "refused " + MessageCodec.format(message)).orElse("says INVALID")
                + ": "
                + reason);
    if (refused.isPresent() && refused.get() instanceof Message.Deregister) {
      end("refused to deregister this backend: " + reason);
    }
  }

  /** Such a line changes nothing, so a registered session goes on. */
  private void handleUnexpected(String line) {
    String quoted = line.length() <= MAX_QUOTED ? line : line.substring(0, MAX_QUOTED) + "...";
    String problem = "unexpected line '" + quoted + "'";
    if (state == State.REGISTERING) {
      end(problem);
    } else {
      owner.news().troubled(problem);
    }
  }

  // --- The passing of time, and the end ---

  /** Does what is due. */
  void tick() {
    requests.expire();
    if (registered() && heartbeat.untilSilent() <= 0) {
      end("heard nothing for " + heartbeat.silence().toMillis() + " ms");
    } else if (requests.tooManyUnanswered()) {
      end("too many lines without an answer");
    } else if (state != State.ENDED && untilNext() <= 0) {
      switch (state) {
        case REGISTERING -> end(registration.timeoutReason());
        case REGISTERED -> heartbeat.tick();
        case LEAVING -> end("no answer to DEREGISTER");
        case ENDED -> throw new AssertionError(state);
      }
    }
  }

  /** Nanoseconds until {@link #tick} has something to do. */
  long untilDue() {
    long own = registered() ? Math.min(untilNext(), heartbeat.untilSilent()) : untilNext();
    return Math.min(own, requests.untilExpiry());
  }

  private long untilNext() {
    return switch (state) {
      case REGISTERING -> registration.untilTimeout();
      case REGISTERED -> heartbeat.untilDue();
      case LEAVING, ENDED -> leaveBy - nanoClock.getAsLong();
    };
  }

  /** Ends the session without waiting for the load balancer. */
  void end(String reason) {
    if (state == State.ENDED) {
      return;
    }
    sendLastLines();
    state = State.ENDED;
    connection.communicator().close();
    owner.ended(reason);
    requests.abandon(reason);
  }

  /** Sends what must be sent before the connection may be closed. */
  private void sendLastLines() {
    if (state == State.REGISTERED) {
      announcer.beforeTheEnd();
    } else if (state == State.REGISTERING && peer.legacy()) {
      // If a session ends before SANE, it removes a backend twice; after a wrong one, once.
      requests.send(new Message.Sane("given-up"), Reply.NOBODY);
    }
  }

  private static String textOf(IOException e) {
    return e.getMessage() != null ? e.getMessage() : e.toString();
  }
}
