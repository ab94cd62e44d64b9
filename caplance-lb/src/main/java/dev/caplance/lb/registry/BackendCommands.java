package dev.caplance.lb.registry;

import dev.caplance.session.EventLoop;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Handles the lines of a registered backend: its health reports and its changes of intent. Each
 * line gets one reply; a rejected line changes nothing. Owned by its {@link BackendSession}.
 */
final class BackendCommands {

  private static final Logger LOG = LoggerFactory.getLogger(BackendCommands.class);

  private final BackendSession session;
  private final Backend backend;
  private final Runnable changed;
  private final LimitedLog log;

  /**
   * Creates the handler of a session.
   *
   * @param changed called after each change that may affect forwarding
   */
  BackendCommands(BackendSession session, Backend backend, Runnable changed, EventLoop loop) {
    this.session = session;
    this.backend = backend;
    this.changed = changed;
    this.log = new LimitedLog(LOG, loop::nanoTime, 50, Duration.ofSeconds(1));
  }

  /** Handles any message but SANE. */
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
    } else if (message instanceof Message.Serves) {
      refuse("SERVES is for backends that registered with probe=1; this one serves all VIPs");
    } else if (message instanceof Message.Register) {
      refuse("already registered as " + backend.name() + "; send DEREGISTER first");
    } else {
      refuse("only load balancers send that; send HEALTH, PAUSE, RESUME, DRAIN or DEREGISTER");
    }
  }

  /** Replies INVALID to a line that changed nothing. */
  void refuse(String reason) {
    log.log(Level.INFO, backend + ": line rejected: " + reason);
    session.send(new Message.Invalid(reason));
  }

  private void health(Message.Health report) {
    BackendView.Health before = backend.health();
    BackendView.Health now = BackendView.Health.of(report);
    backend.setHealth(now);
    if (now.code() != before.code()) {
      if (report.healthy()) {
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
    log.log(Level.INFO, backend + ": " + to.word() + " at the backend's request");
    changed.run();
    session.send(confirmation);
  }

  private boolean isOwnName(String name) {
    boolean own = name.equals(backend.name());
    if (!own) {
      refuse("this session belongs to " + backend.name() + ", not to " + name);
    }
    return own;
  }
}
