package dev.caplance.backend.session;

import dev.caplance.backend.session.Connector.Connection;
import dev.caplance.backend.session.Unanswered.Reply;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.InvalidLineException;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * One session with a load balancer, from REGISTER to its end: decides what every line, every wish
 * of this backend and the passing of time lead to. Knows neither threads nor timers: it is told
 * what happens, and says with {@link #untilDue} when {@link #tick} has something to do. It ends by
 * itself when the connection breaks, when the load balancer refuses, says what makes no sense or
 * falls silent, and after DEREGISTER; then it is of no more use. One thread owns it.
 */
final class Session {

  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** Longer than the load balancer's own ten seconds, so that it can say what was missing. */
  static final Duration REGISTER_TIMEOUT = Duration.ofSeconds(15);

  /** A third of the time after which a load balancer of 2019 gives up on a silent backend. */
  static final Duration MAX_LEGACY_HEALTH_INTERVAL = Duration.ofSeconds(10);

  static final int SILENT_INTERVALS = 3;

  /** Anybody can send tokens, but only the load balancer's address can fill all of the room. */
  static final int MAX_TOKENS = 32;

  static final int MAX_TOKENS_OF_OTHERS = 16;
  static final int MAX_UNANSWERED = 64;

  /** The answer for who wants to tell something while there is nobody to tell it to. */
  static final String TOLD_LATER = "not connected; will be told when it is";

  private static final int MAX_QUOTED = 80;

  private enum State {
    REGISTERING,
    REGISTERED,
    LEAVING,
    ENDED
  }

  private final LoadBalancer loadBalancer;
  private final SessionSettings settings;
  private final Connection connection;
  private final LongSupplier nanoClock;
  private final SessionOwner owner;
  private final Unanswered unanswered = new Unanswered();
  private final Set<String> tokens = new HashSet<>();
  private final Standing standing;
  private final long begun;

  private State state = State.REGISTERING;
  private BackendIntent intent;
  private Message.Health health;
  private String refusal;
  private long lastHeard;
  private long due;

  /**
   * Begins a session on a connection that is under way.
   *
   * @param intent what this backend wants to be
   * @param health its health
   * @param reply told whether it is registered
   */
  Session(
      LoadBalancer loadBalancer,
      SessionSettings settings,
      Connection connection,
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
    this.intent = intent;
    this.health = health;
    this.standing = new Standing(settings.name(), loadBalancer.legacy(), intent);
    this.begun = nanoClock.getAsLong();
    this.due = begun + CONNECT_TIMEOUT.toNanos();
    send(settings.register(healthInterval(), standing.told()), reply);
  }

  // --- What this backend wants ---

  /** Tells what this backend wants to be, at the latest when it is registered. */
  void intend(BackendIntent wanted, Reply reply) {
    intent = wanted;
    if (state == State.REGISTERED) {
      tellIntent(reply);
    } else {
      reply.answered(false, TOLD_LATER);
    }
  }

  /** Tells this health from now on, and at once when registered. */
  void health(Message.Health newHealth) {
    health = newHealth;
    if (state == State.REGISTERED) {
      sendHealth();
    }
  }

  /** Leaves the load balancer and ends, at the latest when it does not answer. */
  void deregister(Reply reply) {
    if (state == State.REGISTERED) {
      state = State.LEAVING;
      due = nanoClock.getAsLong() + Unanswered.PATIENCE.toNanos();
      sendAll(standing.leave(), reply);
    } else {
      end("not registered yet");
      reply.answered(false, "was not registered there");
    }
  }

  /**
   * A sanity check has come; answered while registering.
   *
   * @param fromPeer whether from the address that the load balancer is known to send from
   */
  void sanity(String token, boolean fromPeer) {
    // A load balancer of 2019 ends the registration when it gets a wrong token.
    boolean maybeMeant = awaitsSanity() && (fromPeer || !standing.legacy());
    if (maybeMeant
        && tokens.size() < (fromPeer ? MAX_TOKENS : MAX_TOKENS_OF_OTHERS)
        && tokens.add(token)) {
      send(new Message.Sane(token), Reply.NOBODY);
    }
  }

  /** Whether the load balancer may have sent a sanity check that it waits for. */
  boolean awaitsSanity() {
    return state == State.REGISTERING && connected();
  }

  boolean connected() {
    return connection.made().getAsBoolean();
  }

  boolean registered() {
    return state == State.REGISTERED || state == State.LEAVING;
  }

  private void tellIntent(Reply reply) {
    List<Message> lines = standing.become(intent);
    if (lines.isEmpty()) {
      reply.answered(true, "was " + standing.told().word() + " there already");
    } else {
      sendAll(lines, reply);
    }
  }

  private void sendHealth() {
    due = nanoClock.getAsLong() + healthInterval().toNanos();
    send(health, Reply.NOBODY);
    if (unanswered.size() > MAX_UNANSWERED) {
      end("it does not answer what it is told");
    }
  }

  /** The answer to the last line is the one that counts. */
  private void sendAll(List<Message> lines, Reply reply) {
    int last = lines.size() - 1;
    lines.subList(0, last).forEach(line -> send(line, Reply.NOBODY));
    send(lines.get(last), reply);
  }

  private void send(Message message, Reply reply) {
    unanswered.add(message, reply, nanoClock.getAsLong());
    connection.communicator().writeLine(MessageCodec.format(message));
  }

  // --- What the load balancer says ---

  /** Reads what has come. */
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
      // Why it refused says more than that it hung up then.
      end(refusal != null ? refusal : textOf(e));
    }
  }

  private void handle(String line) {
    lastHeard = nanoClock.getAsLong();
    try {
      Message message = MessageCodec.parse(line);
      if (state == State.REGISTERING) {
        handleRegistering(message, line);
      } else {
        handleRegistered(message, line);
      }
    } catch (InvalidLineException e) {
      stray(line);
    }
  }

  private void handleRegistering(Message message, String line) {
    if (message instanceof Message.Registered m) {
      becomeRegistered(m);
    } else if (message instanceof Message.Invalid m) {
      refusal = "refused: " + m.reason();
      if (unanswered.refuse(Message.Sane.class, refusal).isPresent()) {
        owner.troubled(refusal);
      } else {
        end(refusal);
      }
    } else if (message instanceof Message.Deregistered m) {
      end("deregistered by the load balancer: " + m.reason());
    } else {
      stray(line);
    }
  }

  private void becomeRegistered(Message.Registered answer) {
    if (!answer.name().equals(settings.name())
        || !answer.dataAddress().equals(settings.dataAddress())) {
      String other = answer.name() + " " + IpAddresses.format(answer.dataAddress());
      end("it registered " + other + " instead of this backend");
      return;
    }
    state = State.REGISTERED;
    if (answer.version() == Message.VERSION_2019) {
      standing.showedToBeLegacy();
    }
    owner.registered(answer.from().orElse(loadBalancer.address()), standing.legacy());
    unanswered.confirm(Message.Register.class, "REGISTERED");
    // It answers in order: what is left begins with the token that was right.
    unanswered.confirm(Message.Sane.class, "REGISTERED");
    // Before HEALTH, which opens the gate for packets.
    tellIntent(Reply.NOBODY);
    sendHealth();
  }

  private void handleRegistered(Message message, String line) {
    String name = settings.name();
    if (message instanceof Message.HealthAck) {
      unanswered.confirm(Message.Health.class, line);
      owner.acknowledged();
    } else if (message instanceof Message.Paused m && m.name().equals(name)) {
      confirmed(Message.Pause.class, Intent.PAUSED, "PAUSED");
    } else if (message instanceof Message.Draining m && m.name().equals(name)) {
      confirmed(Message.Drain.class, Intent.DRAINING, "DRAINING");
    } else if (message instanceof Message.Resumed m && m.name().equals(name)) {
      confirmed(Message.Resume.class, Intent.ACTIVE, "RESUMED");
    } else if (message instanceof Message.Deregistered m && m.name().equals(name)) {
      boolean asked = unanswered.confirm(Message.Deregister.class, "DEREGISTERED");
      end(asked ? "deregistered" : "deregistered by the load balancer: " + m.reason());
    } else if (message instanceof Message.Invalid m) {
      invalid(m.reason());
    } else {
      stray(line);
    }
  }

  private void confirmed(Class<? extends Message> command, Intent now, String answer) {
    if (!unanswered.confirm(command, answer)) {
      owner.operatorSaid(now);
    }
  }

  private void invalid(String reason) {
    Optional<Message> refused = unanswered.refuse(Message.class, "INVALID " + reason);
    String what = refused.map(MessageCodec::format).orElse("something");
    owner.troubled("it refused " + what + ": " + reason);
    if (refused.isPresent() && refused.get() instanceof Message.Deregister) {
      end("it refused to deregister this backend: " + reason);
    }
  }

  /** A line that nobody expects. It changes nothing, so a registered session goes on. */
  private void stray(String line) {
    String quoted = line.length() <= MAX_QUOTED ? line : line.substring(0, MAX_QUOTED) + "...";
    String problem = "a load balancer would not say '" + quoted + "' now";
    if (state == State.REGISTERING) {
      end(problem);
    } else {
      owner.troubled(problem);
    }
  }

  // --- The passing of time, and the end ---

  /** Does what is due. */
  void tick() {
    long now = nanoClock.getAsLong();
    unanswered.expire(now);
    if (registered() && untilSilent(now) <= 0) {
      end("heard nothing for " + silence().toMillis() + " ms");
    } else if (state != State.ENDED && due - now <= 0) {
      switch (state) {
        case REGISTERING -> waitOrGiveUp(now);
        case REGISTERED -> sendHealth();
        case LEAVING -> end("it did not answer DEREGISTER");
        case ENDED -> throw new AssertionError(state);
      }
    }
  }

  /** Nanoseconds until {@link #tick} has something to do. */
  long untilDue() {
    long now = nanoClock.getAsLong();
    long own = registered() ? Math.min(due - now, untilSilent(now)) : due - now;
    return Math.min(own, unanswered.untilExpiry(now));
  }

  private void waitOrGiveUp(long now) {
    long registerDue = begun + REGISTER_TIMEOUT.toNanos();
    if (connected() && registerDue - now > 0) {
      due = registerDue;
    } else if (!connected()) {
      end("no connection within " + CONNECT_TIMEOUT.toSeconds() + " s");
    } else if (refusal != null) {
      end(refusal);
    } else {
      String within = "no REGISTERED within " + REGISTER_TIMEOUT.toSeconds() + " s";
      String address = IpAddresses.format(settings.dataAddress());
      end(within + (tokens.isEmpty() ? ": no sanity check came to " + address + " by UDP" : ""));
    }
  }

  private void end(String reason) {
    if (state == State.ENDED) {
      return;
    }
    sayFarewell();
    state = State.ENDED;
    connection.communicator().close();
    owner.ended(reason);
    unanswered.abandon(reason);
  }

  /** What has to be said before the connection may be closed. */
  private void sayFarewell() {
    if (state == State.REGISTERED) {
      standing.beforeTheEnd().forEach(line -> send(line, Reply.NOBODY));
    } else if (state == State.REGISTERING && standing.legacy()) {
      // When a session ends before SANE, it takes a backend out twice; after a wrong one, once.
      send(new Message.Sane("given-up"), Reply.NOBODY);
    }
  }

  private Duration healthInterval() {
    Duration interval = settings.healthInterval();
    return standing.legacy() && interval.compareTo(MAX_LEGACY_HEALTH_INTERVAL) > 0
        ? MAX_LEGACY_HEALTH_INTERVAL
        : interval;
  }

  private Duration silence() {
    return healthInterval().multipliedBy(SILENT_INTERVALS);
  }

  private long untilSilent(long now) {
    return lastHeard + silence().toNanos() - now;
  }

  private static String textOf(IOException e) {
    return e.getMessage() != null ? e.getMessage() : e.toString();
  }
}
