package dev.caplance.backend.admin;

import dev.caplance.backend.dataplane.Decapsulator;
import dev.caplance.backend.drain.Drainer;
import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.session.LoadBalancerSessions;
import dev.caplance.control.ControlMethod;
import java.time.Instant;
import java.util.Map;

/** The control methods of the backend by name. */
public final class BackendMethods {

  private BackendMethods() {}

  /** All methods; the daemon counts as started now. */
  public static Map<String, ControlMethod> all(
      Identity identity,
      LoadBalancerSessions sessions,
      HealthChecks checks,
      Drainer drainer,
      Decapsulator decapsulator) {
    StatusMethod status =
        new StatusMethod(
            identity,
            Instant.now(),
            sessions::status,
            checks::status,
            drainer::status,
            decapsulator::counters,
            decapsulator::allocatedBytes);
    String name = identity.settings().name();
    return Map.of(
        "status", status,
        "health", status,
        "drain", new DrainMethod(name, drainer),
        "pause", new CommandMethod(name, sessions::pause),
        "resume", new CommandMethod(name, sessions::resume),
        "deregister", new CommandMethod(name, sessions::deregister));
  }
}
