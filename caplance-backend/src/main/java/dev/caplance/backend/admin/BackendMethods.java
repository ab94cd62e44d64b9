package dev.caplance.backend.admin;

import dev.caplance.backend.dataplane.Decapsulator;
import dev.caplance.backend.drain.Drainer;
import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.session.LoadBalancerSessions;
import dev.caplance.backend.session.SessionSettings;
import dev.caplance.control.ControlMethod;
import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
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
            decapsulator::allocatedBytes,
            decapsulator::answeredProbes);
    String name = identity.settings().name();
    return Map.of(
        "status", status,
        "health", status,
        "drain", new DrainMethod(name, drainer),
        "pause", new CommandMethod(name, sessions::pause),
        "resume", new CommandMethod(name, sessions::resume),
        "deregister", new CommandMethod(name, sessions::deregister));
  }

  /**
   * Who this backend is.
   *
   * @param version of this program
   * @param vips that it serves
   * @param settings its name and data address, and what it tells the load balancers
   */
  public record Identity(String version, List<InetAddress> vips, SessionSettings settings) {}
}
