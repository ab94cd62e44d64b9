package dev.caplance.lb.registry;

import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Communicator;
import dev.caplance.session.EventLoop;
import dev.caplance.session.FramingException;
import dev.caplance.session.InvalidLineException;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The load balancer's side of one session. It begins {@link State#NEW}; a REGISTER that may be
 * makes it {@link State#PROVING}, the right SANE {@link State#REGISTERED}, and anything that ends
 * it {@link State#CLOSED}, for good. It speaks for one {@link Backend} and can change no other.
 *
 * <p>What it says is sent at the end of the event loop's turn, after the table was published: when
 * a backend hears PAUSED, no packets go to it any more.
 */
final class BackendSession {

  /** Where a session stands. */
  enum State {
    /** Nothing was registered. */
    NEW,
    /** SANITY is being sent until the backend says SANE. */
    PROVING,
    /** It speaks for a backend. */
    REGISTERED,
    /** It has ended. */
    CLOSED
  }

  private static final Logger LOG = LoggerFactory.getLogger(BackendSession.class);
  private static final int HEALTH_INTERVALS_OF_SILENCE = 3;

  private final BackendRegistry registry;
  private final EventLoop loop;
  private final Communicator communicator;
  private final List<Message> outbox = new ArrayList<>();
  private State state = State.NEW;
  private EventLoop.Timer deadline;
  private Message.Register register;
  private PathProber prober;
  private Backend backend;
  private BackendCommands commands;
  private Duration readTimeout;
  private long lastHeardNanos;

  BackendSession(BackendRegistry registry, EventLoop loop, Communicator communicator) {
    this.registry = registry;
    this.loop = loop;
    this.communicator = communicator;
    this.deadline = loop.schedule(registry.settings().registerTimeout(), this::notRegistered);
    heard();
  }

  State state() {
    return state;
  }

  InetSocketAddress peer() {
    return communicator.peer();
  }

  /** For how long no line has come. */
  Duration silence() {
    return Duration.ofNanos(loop.nanoTime() - lastHeardNanos);
  }

  /** There is something to read. */
  void readable() {
    try {
      while (state != State.CLOSED) {
        String line = communicator.readLine();
        if (line == null) {
          return;
        }
        heard();
        handle(line);
      }
    } catch (FramingException e) {
      refuse(e.getMessage());
    } catch (IOException e) {
      lost(e);
    }
  }

  /** Says something, at the end of the turn. */
  void send(Message message) {
    outbox.add(message);
    registry.deliverAtEndOfTurn(this);
  }

  /** Says INVALID and ends the session, and with it the registration if there is one. */
  void refuse(String reason) {
    if (backend == null) {
      registry.strangersLog().log(Level.INFO, this + ": refused: " + reason);
    } else {
      LOG.warn("{}: deregistered: {}", this, reason);
    }
    send(new Message.Invalid(reason));
    close();
  }

  /** Says DEREGISTERED and ends the session and the registration; INVALID if there is none. */
  void deregister(Level level, String reason) {
    if (backend == null) {
      refuse(reason);
      return;
    }
    LOG.atLevel(level).log("{}: deregistered: {}", this, reason);
    send(new Message.Deregistered(backend.name(), reason));
    close();
  }

  /** Another session speaks for the backend now. */
  void supersede() {
    LOG.info("{}: the {} is taken over", this, sessionText());
    send(new Message.Deregistered(backend.name(), "a new session has taken over"));
    close();
  }

  /** Sends what was said in this turn; the registry's turn has come to an end. */
  void deliver() {
    outbox.forEach(message -> communicator.writeLine(MessageCodec.format(message)));
    outbox.clear();
    if (state == State.CLOSED) {
      communicator.close();
    }
  }

  /** Who it speaks for, or as long as that is nobody, where it comes from; for log lines. */
  @Override
  public String toString() {
    if (backend != null) {
      return backend.toString();
    }
    return sessionText() + (register == null ? "" : " for " + register.name());
  }

  private String sessionText() {
    return "session from " + IpAddresses.format(peer());
  }

  private void heard() {
    lastHeardNanos = loop.nanoTime();
  }

  private void handle(String line) {
    Message message;
    try {
      message = MessageCodec.parse(line);
    } catch (InvalidLineException e) {
      invalid(e.getMessage());
      return;
    }
    switch (state) {
      case NEW -> handleNew(message);
      case PROVING -> handleProving(message);
      case REGISTERED -> handleRegistered(message);
      case CLOSED -> throw new IllegalStateException("a line was read from a closed session");
    }
  }

  private void handleNew(Message message) {
    if (message instanceof Message.Register wish) {
      prove(wish);
    } else if (message instanceof Message.Sane) {
      wrongToken();
    } else {
      invalid("not registered; say REGISTER <name> <data-ip> first");
    }
  }

  private void handleProving(Message message) {
    if (message instanceof Message.Sane sane) {
      if (prober.isProvedBy(sane)) {
        complete();
      } else {
        wrongToken();
      }
    } else {
      invalid(
          "not registered yet; say SANE and the token of the SANITY datagram that was sent to "
              + IpAddresses.format(register.dataAddress()));
    }
  }

  private void handleRegistered(Message message) {
    if (!(message instanceof Message.Sane sane)) {
      commands.handle(message);
    } else if (!prober.isProvedBy(sane)) {
      wrongToken();
    }
  }

  private void prove(Message.Register wish) {
    register = wish;
    try {
      registry.admit(wish);
      prober = registry.newProber(wish.dataAddress());
    } catch (RefusedException e) {
      invalid(e.getMessage());
      return;
    }
    state = State.PROVING;
    prober.start();
  }

  private void complete() {
    try {
      // Asked again: another session may have been quicker.
      registry.admit(register);
    } catch (RefusedException e) {
      invalid(e.getMessage());
      return;
    }
    cancelTimers();
    backend = registry.register(this, register, mtu());
    commands = new BackendCommands(this, backend, registry::changed, loop);
    state = State.REGISTERED;
    logRegistration();
    send(Message.Registered.of(backend.name(), backend.dataAddress(), prober.route().source()));
    readTimeout =
        register
            .healthInterval()
            .map(interval -> interval.multipliedBy(HEALTH_INTERVALS_OF_SILENCE))
            .orElse(registry.settings().readTimeout());
    watchSilence();
  }

  private int mtu() {
    int firstLink = prober.route().mtu();
    return Math.min(firstLink, register.mtu().orElse(firstLink));
  }

  private void watchSilence() {
    Duration left = readTimeout.minus(silence());
    if (left.isZero() || left.isNegative()) {
      deregister(Level.WARN, "health check timeout ran out");
    } else {
      deadline = loop.schedule(left, this::watchSilence);
    }
  }

  private void notRegistered() {
    refuse(
        state == State.NEW
            ? "nothing was registered in time; say REGISTER <name> <data-ip>"
            : "no SANE in time; SANITY was sent to "
                + IpAddresses.format(register.dataAddress())
                + " UDP port "
                + registry.dataPort()
                + ", which must be open");
  }

  private void wrongToken() {
    send(new Message.Invalid("that token was not sent to you; say SANE and the token of SANITY"));
  }

  /** The last line changed nothing. That is forgiven only to those who are registered. */
  private void invalid(String reason) {
    if (state == State.REGISTERED) {
      commands.refuse(reason);
    } else {
      refuse(reason);
    }
  }

  private void lost(IOException cause) {
    if (backend == null) {
      LOG.debug("{} ended: {}", this, cause.getMessage());
    } else {
      LOG.warn("{}: deregistered: the session broke: {}", this, cause.getMessage());
    }
    close();
  }

  private void logRegistration() {
    LOG.info(
        "{}: registered by a {}, protocol {}, intent {}",
        this,
        sessionText(),
        register.version(),
        backend.intent().word());
    if (!register.unknownOptions().isEmpty()) {
      LOG.info("{}: unknown options ignored: {}", this, register.unknownOptions());
    }
    List<String> existing = registry.settings().serviceNames();
    List<String> unknown =
        register.services().stream().filter(service -> !existing.contains(service)).toList();
    if (!unknown.isEmpty()) {
      LOG.warn(
          "{}: names services that do not exist here: {}; there are: {}",
          this,
          String.join(", ", unknown),
          String.join(", ", existing));
    }
  }

  private void close() {
    if (state != State.CLOSED) {
      state = State.CLOSED;
      cancelTimers();
      registry.ended(this, backend);
      registry.deliverAtEndOfTurn(this);
    }
  }

  private void cancelTimers() {
    deadline.cancel();
    if (prober != null) {
      prober.stop();
    }
  }
}
