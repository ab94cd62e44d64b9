package dev.caplance.backend.admin;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.backend.drain.DrainStatus;
import dev.caplance.backend.health.HealthChecks;
import dev.caplance.backend.session.LoadBalancerSessions;
import dev.caplance.backend.session.SessionSettings;
import dev.caplance.backend.session.SessionStatus;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.session.Intent;
import dev.caplance.status.BackendDaemonStatus;
import dev.caplance.status.BackendDaemonStatus.SessionState;
import dev.caplance.status.HealthState;
import dev.caplance.status.ReportedIntent;
import dev.caplance.status.StatusJson;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** {@code status} and {@code health}: this backend, its sessions and packets at one moment. */
final class StatusMethod implements ControlMethod {

  private final BackendMethods.Identity identity;
  private final Instant startedAt;
  private final Supplier<CompletableFuture<LoadBalancerSessions.Status>> sessions;
  private final Supplier<List<HealthChecks.Status>> checks;
  private final Supplier<Optional<DrainStatus>> drain;
  private final Supplier<TrafficCounters.Snapshot> traffic;
  private final LongSupplier allocatedBytes;
  private final LongSupplier answeredProbes;

  /**
   * The status of this backend.
   *
   * @param startedAt when the daemon was started
   * @param drain the last one, if any
   * @param allocatedBytes on the heap by the thread that carries packets, since its start
   */
  StatusMethod(
      BackendMethods.Identity identity,
      Instant startedAt,
      Supplier<CompletableFuture<LoadBalancerSessions.Status>> sessions,
      Supplier<List<HealthChecks.Status>> checks,
      Supplier<Optional<DrainStatus>> drain,
      Supplier<TrafficCounters.Snapshot> traffic,
      LongSupplier allocatedBytes,
      LongSupplier answeredProbes) {
    this.identity = identity;
    this.startedAt = startedAt;
    this.sessions = sessions;
    this.checks = checks;
    this.drain = drain;
    this.traffic = traffic;
    this.allocatedBytes = allocatedBytes;
    this.answeredProbes = answeredProbes;
  }

  @Override
  public JsonElement call(JsonObject params, Caller caller)
      throws ControlException, InterruptedException {
    LoadBalancerSessions.Status status = CommandMethod.await(sessions.get(), " from the sessions");
    SessionSettings settings = identity.settings();
    OptionalInt mtu = settings.mtu();
    return StatusJson.write(
        new BackendDaemonStatus(
            settings.name(),
            IpAddresses.format(settings.dataAddress()),
            ReportedIntent.of(status.intent().word()),
            new BackendDaemonStatus.Health(status.health().code(), status.health().reason()),
            checks.get().stream().map(StatusMethod::check).toList(),
            drain.get().map(DrainMethod::drain).orElse(null),
            identity.vips().stream().map(IpAddresses::format).toList(),
            settings.services(),
            settings.weight(),
            mtu.isPresent() ? mtu.getAsInt() : null,
            identity.version(),
            startedAt,
            status.loadBalancers().stream().map(StatusMethod::session).toList(),
            packets()));
  }

  private static BackendDaemonStatus.Check check(HealthChecks.Status check) {
    HealthState state =
        switch (check.state()) {
          case UNKNOWN -> HealthState.UNKNOWN;
          case HEALTHY -> HealthState.HEALTHY;
          case UNHEALTHY -> HealthState.UNHEALTHY;
        };
    return new BackendDaemonStatus.Check(
        check.target().type(),
        check.target().name(),
        state,
        check.since(),
        check.lastError().orElse(null));
  }

  private static BackendDaemonStatus.Session session(SessionStatus session) {
    return new BackendDaemonStatus.Session(
        IpAddresses.format(session.loadBalancer().address()),
        session.loadBalancer().port(),
        session.legacy() ? "2019" : "2",
        state(session.state()),
        session.since(),
        session.sinceLastAck().map(Duration::toMillis).orElse(null),
        session.from().map(IpAddresses::format).orElse(null),
        session.operatorIntent().map(Intent::word).map(ReportedIntent::of).orElse(null),
        session.lastError().orElse(null),
        session.untilNextAttempt().map(Duration::toMillis).orElse(null),
        session.services().isPresent() ? session.services().getAsInt() : null,
        session.unknownServices(),
        session.path().map(StatusMethod::path).orElse(null));
  }

  private static BackendDaemonStatus.Path path(SessionStatus.Path path) {
    return new BackendDaemonStatus.Path(
        !path.lost(), path.interval().toMillis(), path.sinceLastProbe().toMillis());
  }

  private static SessionState state(SessionStatus.State state) {
    return switch (state) {
      case CONNECTING -> SessionState.CONNECTING;
      case REGISTERING -> SessionState.REGISTERING;
      case REGISTERED -> SessionState.REGISTERED;
      case WAITING -> SessionState.WAITING;
      case DEREGISTERED -> SessionState.DEREGISTERED;
    };
  }

  private BackendDaemonStatus.Packets packets() {
    TrafficCounters.Snapshot counters = traffic.get();
    Map<String, Long> refused = new LinkedHashMap<>();
    counters
        .dispositions()
        .forEach(
            (what, count) -> {
              if (what != Disposition.FORWARD && what != Disposition.PATH_PROBE) {
                refused.put(what.label(), count);
              }
            });
    return new BackendDaemonStatus.Packets(
        counters.received() - counters.of(Disposition.PATH_PROBE),
        counters.of(Disposition.FORWARD),
        refused,
        counters.bytes(),
        allocatedBytes.getAsLong(),
        answeredProbes.getAsLong());
  }
}
