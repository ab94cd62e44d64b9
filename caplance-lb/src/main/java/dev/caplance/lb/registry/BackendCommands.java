package dev.caplance.lb.registry;

import dev.caplance.session.EventLoop;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * What a backend may say once it is registered: how it fares, and what it wants to be. Each line
 * gets one answer; one that is refused changes nothing. Owned by its {@link BackendSession}.
 */
final class BackendCommands {

  private static final Logger LOG = LoggerFactory.getLogger(BackendCommands.class);

  private final BackendSession session;
  private final Backend backend;
  private final Runnable changed;
  private final LimitedLog log;

  /**
   * @param changed to be called when something changed that may decide about packets
   */
  BackendCommands(BackendSession session, Backend backend, Runnable changed, EventLoop loop) {
    this.session = session;
    this.backend = backend;
    this.changed = changed;
    this.log = new LimitedLog(LOG, loop::nanoTime, 50, Duration.ofSeconds(1));
  }

  /** Does what any message but SANE asks for. */
  void handle(Message message) {
    if (message instanceof Message.Health health) {
      health(health);
    } else if (message instanceof Message.Pause m) {
      change(m.name(), Intent.PAUSED, new Message.Paused(backend.name()));
    } else if (message instanceof Message.Drain m) {
      change(m.name(), Intent.DRAINING, new Message.Draining(backend.name()));
    } else if (message instanceof Message.Resume m) {
      change(m.name(), Intent.ACTIVE, new Message.Resumed(backend.name()));
    } else if (message instanceof Message.Deregister m) {
      if (isOwnName(m.name())) {
        session.deregister(Level.INFO, "the backend asked for it");
      }
    } else if (message instanceof Message.Register) {
      refuse("already registered as " + backend.name() + "; DEREGISTER it first");
    } else {
      refuse("only a load balancer says that; known are HEALTH, PAUSE, RESUME, DRAIN, DEREGISTER");
    }
  }

  /** Answers a line that changed nothing. */
  void refuse(String reason) {
    log.log(Level.INFO, backend + ": line refused: " + reason);
    session.send(new Message.Invalid(reason));
  }

  private void health(Message.Health said) {
    BackendHealth before = backend.health();
    BackendHealth now = BackendHealth.of(said);
    backend.setHealth(now);
    if (now.code() != before.code()) {
      if (said.healthy()) {
        log.log(Level.INFO, backend + ": healthy");
      } else {
        String reason = now.reason().isEmpty() ? "" : " " + now.reason();
        log.log(Level.WARN, backend + ": unhealthy: " + now.code() + reason);
      }
      changed.run();
    }
    session.send(new Message.HealthAck());
  }

  private void change(String name, Intent to, Message confirmation) {
    if (!isOwnName(name)) {
      return;
    }
    if (!backend.mayBecome(to)) {
      refuse("backend already " + backend.intent().word());
      return;
    }
    backend.setIntent(to);
    log.log(Level.INFO, backend + ": " + to.word() + ", as the backend asked");
    changed.run();
    session.send(confirmation);
  }

  private boolean isOwnName(String name) {
    boolean own = name.equals(backend.name());
    if (!own) {
      refuse("this session is " + backend.name() + "'s, not " + name + "'s");
    }
    return own;
  }
}
