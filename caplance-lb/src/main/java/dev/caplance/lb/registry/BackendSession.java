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
 * The load balancer's side of one session. It starts as {@link State#NEW}; an acceptable REGISTER
 * makes it {@link State#PROVING}, the matching SANE {@link State#REGISTERED}, and whatever ends it
 * {@link State#CLOSED}, which is final. It speaks for one {@link Backend} and can change no other.
 *
 * <p>Replies are sent at the end of the event loop's turn, after the table has been published: once
 * a backend has read PAUSED, no more packets are sent to it.
 */
final class BackendSession {

  /** The states of a session. */
  enum State {
    /** Connected, without a REGISTER so far. */
    NEW,
    /** REGISTER was accepted; SANITY is sent every second until the backend replies SANE. */
    PROVING,
    /** It speaks for a backend. */
    REGISTERED,
    /** It has ended. */
    CLOSED
  }

  private static final Logger LOG = LoggerFactory.getLogger(BackendSession.class);

  /** The session of a backend that is silent for this many health intervals is ended. */
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
  private long lastLineNanos;
  private boolean askedToRegister;

  BackendSession(BackendRegistry registry, EventLoop loop, Communicator communicator) {
    this.registry = registry;
    this.loop = loop;
    this.communicator = communicator;
    this.deadline = loop.schedule(registry.settings().registerTimeout(), this::registerTimedOut);
    lineReceived();
  }

  State state() {
    return state;
  }

  InetSocketAddress peer() {
    return communicator.peer();
  }

  /** Time since the last line, but for the time in which the load balancer stood still. */
  Duration silence() {
    return Duration.ofNanos(loop.attentiveNanos() - lastLineNanos);
  }

  /** Reads and handles the lines that have arrived. */
  void readable() {
    try {
      while (state != State.CLOSED) {
        String line = communicator.readLine();
        if (line == null) {
          return;
        }
        lineReceived();
        handle(line);
      }
    } catch (FramingException e) {
      refuse(e.getMessage());
    } catch (IOException e) {
      lost(e);
    }
  }

  /** Queues a reply, which is sent at the end of the turn. */
  void send(Message message) {
    outbox.add(message);
    registry.deliverAtEndOfTurn(this);
  }

  /** Sends INVALID and closes the session; its backend, if it has one, may return. */
  void refuse(String reason) {
    if (backend != null) {
      logLoss(Level.WARN, reason);
    } else if (askedToRegister) {
      registry.refusalsLog().log(Level.WARN, this + ": refused: " + reason);
    } else {
      registry.strangersLog().log(Level.INFO, this + ": refused: " + reason);
    }
    send(new Message.Invalid(reason));
    close(false);
  }

  /**
   * Sends DEREGISTERED, closes the session and deregisters its backend; sends INVALID if it has
   * none. Has no effect on a session that has ended.
   */
  void end(Level level, String reason) {
    if (state == State.REGISTERED) {
      LOG.atLevel(level).log("{}: deregistered: {}", this, reason);
      send(new Message.Deregistered(register.name(), reason));
      close(true);
    } else if (state != State.CLOSED) {
      refuse(reason);
    }
  }

  /**
   * Sends DEREGISTERED and closes the session of a registered backend, which keeps its flows for a
   * while and is expected to return. Has no effect on a session that has ended.
   */
  void dismiss(Level level, String reason) {
    if (state == State.REGISTERED) {
      logLoss(level, reason);
      send(new Message.Deregistered(register.name(), reason));
      close(false);
    }
  }

  /** Closes the session, if it has not ended, because another one has taken over its backend. */
  void supersede() {
    if (state == State.REGISTERED) {
      LOG.info("{}: the {} was replaced by a new one", this, sessionText());
      send(new Message.Deregistered(register.name(), "a new session has taken over"));
      close(false);
    }
  }

  /** Sends the queued replies. Called by the registry at the end of its turn. */
  void deliver() {
    outbox.forEach(message -> communicator.writeLine(MessageCodec.format(message)));
    outbox.clear();
    if (state == State.CLOSED) {
      communicator.close();
    }
  }

  /**
   * The backend or, before it is registered, the address of the peer and the name it asks for; for
   * log lines.
   */
  @Override
  public String toString() {
    if (backend != null) {
      return backend.toString();
    }
    return sessionText() + (register == null ? "" : " for " + register.name());
  }

  String sessionText() {
    return "session from " + IpAddresses.format(peer());
  }

  private void lineReceived() {
    lastLineNanos = loop.attentiveNanos();
  }

  private void handle(String line) {
    Message message;
    askedToRegister |= line.startsWith("REGISTER");
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
    if (message instanceof Message.Register request) {
      prove(request);
    } else if (message instanceof Message.Sane) {
      wrongToken();
    } else {
      invalid("not registered; send REGISTER <name> <data-ip> first");
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
          "not registered yet; send SANE with the token of the SANITY datagram that was sent to "
              + IpAddresses.format(register.dataAddress()));
    }
  }

  private void handleRegistered(Message message) {
    if (!(message instanceof Message.Sane sane)) {
      commands.handle(message);
    } else if (backend.probed()) {
      // A reply to a path probe, which may be late, has no answer.
      backend.answered(sane.token());
    } else if (!prober.isProvedBy(sane)) {
      wrongToken();
    }
  }

  private void prove(Message.Register request) {
    register = request;
    try {
      registry.backends().admit(request, peer().getAddress());
      registry.proving().add(this, request.dataAddress());
      prober = registry.newProber(this, request.dataAddress());
    } catch (RefusedException e) {
      invalid(e.getMessage());
      return;
    }
    state = State.PROVING;
    prober.start();
  }

  private void complete() {
    try {
      // Checked again: another session may have registered meanwhile.
      registry.backends().admit(register, peer().getAddress());
    } catch (RefusedException e) {
      invalid(e.getMessage());
      return;
    }
    endRegistration();
    state = State.REGISTERED;
    backend = registry.backends().register(this, register, route());
    commands = new BackendCommands(registry, this, backend, register, loop);
    commands.confirmRegistration();
    readTimeout =
        register
            .healthInterval()
            .map(interval -> interval.multipliedBy(HEALTH_INTERVALS_OF_SILENCE))
            .orElse(registry.settings().readTimeout());
    watchSilence();
  }

  /** The path to the backend, with the smaller of both ends' MTUs. */
  private DataPath.Route route() {
    DataPath.Route ours = prober.route();
    return new DataPath.Route(
        ours.source(), Math.min(ours.mtu(), register.mtu().orElse(ours.mtu())));
  }

  private void watchSilence() {
    Duration left = readTimeout.minus(silence());
    if (left.isZero() || left.isNegative()) {
      dismiss(Level.WARN, "health check timeout ran out");
    } else {
      deadline = loop.schedule(left, this::watchSilence);
    }
  }

  private void registerTimedOut() {
    refuse(
        state == State.NEW
            ? "no REGISTER in time; send REGISTER <name> <data-ip>"
            : "no SANE in time; SANITY was sent to "
                + IpAddresses.format(register.dataAddress())
                + " UDP port "
                + registry.dataPort()
                + "; check that the port is open");
  }

  private void wrongToken() {
    send(new Message.Invalid("wrong token; send SANE with the token of the SANITY datagram"));
  }

  /** Rejects a line that changed nothing; before registration this ends the session, too. */
  private void invalid(String reason) {
    if (state == State.REGISTERED) {
      commands.refuse(reason);
    } else {
      refuse(reason);
    }
  }

  private void lost(IOException cause) {
    if (backend == null) {
      LOG.debug("{}: connection lost: {}", this, cause.getMessage());
    } else {
      logLoss(Level.WARN, "connection lost: " + cause.getMessage());
    }
    close(false);
  }

  private void logLoss(Level level, String reason) {
    LOG.atLevel(level)
        .log(
            "{}: session ended: {}; it keeps its flows {}",
            this,
            reason,
            backend.probed()
                ? "while its path answers"
                : "for " + Backend.UNPROBED_RETURN.toSeconds() + " s");
  }

  /** Closes the session; {@code leaves} says whether its backend is to be removed at once. */
  private void close(boolean leaves) {
    if (state != State.CLOSED) {
      state = State.CLOSED;
      endRegistration();
      if (backend != null) {
        registry.backends().ended(this, backend, leaves);
      }
      registry.deliverAtEndOfTurn(this);
    }
  }

  private void endRegistration() {
    deadline.cancel();
    registry.noLongerUnregistered(this);
    if (register != null) {
      registry.proving().remove(this, register.dataAddress());
    }
    if (prober != null) {
      prober.stop();
    }
  }
}
