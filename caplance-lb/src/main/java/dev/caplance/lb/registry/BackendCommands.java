package dev.caplance.lb.registry;

import static java.util.stream.Collectors.joining;

import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.EventLoop;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Confirms a registration and handles the lines of the registered backend: what it serves, its
 * health and its changes of intent. Each line gets one reply; a rejected line changes nothing.
 * Owned by its {@link BackendSession}.
 */
final class BackendCommands {

  private static final Logger LOG = LoggerFactory.getLogger(BackendCommands.class);

  /** Services that one line of the log names. */
  private static final int MAX_NAMED = 20;

  private final BackendSession session;
  private final Backend backend;
  private final BackendRegistry registry;
  private final Message.Register register;
  private final LimitedLog log;
  private Set<InetAddress> vips;
  private boolean reported;

  /**
   * Creates the handler of a session.
   *
   * @param register with which the session registered the backend
   */
  BackendCommands(
      BackendRegistry registry,
      BackendSession session,
      Backend backend,
      Message.Register register,
      EventLoop loop) {
    this.registry = registry;
    this.register = register;
    this.session = session;
    this.backend = backend;
    this.log = new LimitedLog(LOG, loop::nanoTime, 50, Duration.ofSeconds(1));
  }

  /** Logs the registration and tells the backend of it. */
  void confirmRegistration() {
    LOG.info(
        "{}: registered, {}, protocol {}, intent {}",
        backend,
        session.sessionText(),
        register.version(),
        backend.intent().word());
    if (!register.unknownOptions().isEmpty()) {
      LOG.info("{}: ignored unknown options: {}", backend, register.unknownOptions());
    }
    List<String> unknown = ServedServices.unknown(register, registry.settings().services());
    if (!unknown.isEmpty()) {
      LOG.warn(
          "{}: names unknown services: {}; the services here are: {}",
          backend,
          String.join(", ", unknown),
          servicesHere());
    }
    Message.Registered message =
        Message.Registered.of(
            backend.name(), backend.dataAddress(), backend.view().target().source());
    session.send(
        register.probe()
            ? message.withProbeInterval(registry.backends().probeInterval(register))
            : message);
  }

  private String servicesHere() {
    return registry.settings().services().stream()
        .map(service -> service.name() + " (" + IpAddresses.format(service.vip()) + ")")
        .limit(MAX_NAMED)
        .collect(joining(", "));
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
        session.end(Level.INFO, "the backend asked for it");
      }
    } else if (message instanceof Message.Serves m) {
      if (isOwnName(m.name())) {
        serves(m);
      }
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

  private void serves(Message.Serves message) {
    if (!register.probe()) {
      refuse("SERVES is for backends that registered with probe=1; this one serves all VIPs");
      return;
    }
    if (reported) {
      refuse("SERVES comes before the first HEALTH; register again when the VIPs change");
      return;
    }
    List<ServiceSpec> services = registry.settings().services();
    if (vips == null) {
      vips = new HashSet<>();
    }
    // Only VIPs of services are kept, or a backend could name them without end.
    services.stream().map(ServiceSpec::vip).filter(message.vips()::contains).forEach(vips::add);
    session.send(
        Message.Serving.of(
            backend.name(),
            registry.backends().shared(register, Optional.of(vips)).count(services),
            ServedServices.unknown(register, services)));
  }

  private void health(Message.Health report) {
    BackendView.Health before = backend.view().reported();
    BackendView.Health now = BackendView.Health.of(report);
    if (backend.report(now, services())) {
      registry.changed();
    }
    reported = true;
    if (now.code() != before.code()) {
      if (report.healthy()) {
        log.log(Level.INFO, backend + (now.unchecked() ? ": healthy (no checks)" : ": healthy"));
      } else {
        String reason = now.reason().isEmpty() ? "" : " " + now.reason();
        log.log(Level.WARN, backend + ": unhealthy: " + now.code() + reason);
      }
    }
    session.send(new Message.HealthAck());
  }

  /** What the backend serves, once its first HEALTH has completed what it says of that. */
  private ServedServices services() {
    if (reported) {
      return backend.view().services();
    }
    ServedServices services = registry.backends().shared(register, Optional.ofNullable(vips));
    if (services.none()) {
      LOG.warn(
          "{}: no service in common, so it gets no packets; {}; the services here are: {}",
          backend,
          vips == null
              ? "it names " + String.join(", ", register.services())
              : "its services and VIPs are none of those here",
          servicesHere());
    }
    return services;
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
    registry.changed();
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
