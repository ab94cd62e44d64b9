package dev.caplance.lb.admin;

import static java.util.stream.Collectors.toSet;

import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.lb.forwarding.Service;
import dev.caplance.lb.forwarding.ServiceSpec;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.lb.registry.BackendRegistry;
import dev.caplance.lb.registry.BackendView;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounter;
import dev.caplance.status.HealthState;
import dev.caplance.status.LoadBalancerStatus;
import dev.caplance.status.LoadBalancerStatus.OtherTraffic;
import dev.caplance.status.LoadBalancerStatus.PathState;
import dev.caplance.status.LoadBalancerStatus.ServiceState;
import dev.caplance.status.ReportedIntent;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** {@code status}: services, backends, packets and workers at one moment. */
public final class StatusMethod implements ControlMethod {

  /** The reasons of drops before a worker, as {@link Disposition#label} names the others. */
  public static final String QUEUE_FULL = "queue full";

  public static final String QUEUE_UNREAD = "queue not read in time";

  private final String version;
  private final Instant startedAt = Instant.now();
  private final Supplier<ForwardingTable> table;
  private final RegisteredBackends backends;
  private final Dataplane dataplane;
  private final Supplier<List<String>> troubles;

  /**
   * Creates the method; each call queries these parts.
   *
   * @param version of this program
   * @param troubles what the load balancer cannot do on its machine
   */
  public StatusMethod(
      String version,
      Supplier<ForwardingTable> table,
      RegisteredBackends backends,
      Dataplane dataplane,
      Supplier<List<String>> troubles) {
    this.version = version;
    this.table = table;
    this.backends = backends;
    this.dataplane = dataplane;
    this.troubles = troubles;
  }

  @Override
  public boolean takesTurns() {
    return true;
  }

  @Override
  public LoadBalancerStatus call(JsonObject params, Caller caller)
      throws ControlException, InterruptedException {
    List<Dataplane.WorkerStatus> workers = dataplane.status();
    List<Service> services = table.get().services();
    Set<Integer> lastResort = lastResort(services);
    return new LoadBalancerStatus(
        version,
        startedAt,
        services.stream().map(StatusMethod::service).toList(),
        backends.now().stream()
            .map(entry -> backend(entry, lastResort.contains(entry.backend().target().id())))
            .toList(),
        packets(workers),
        otherTraffic(),
        workers.stream().map(StatusMethod::worker).toList(),
        troubles.get());
  }

  private static LoadBalancerStatus.Service service(Service service) {
    ServiceSpec spec = service.spec();
    return new LoadBalancerStatus.Service(
        spec.name(),
        IpAddresses.format(spec.vip()),
        spec.ports().toString(),
        spec.legacy(),
        state(service.state()),
        service.targets().size(),
        service.drainingTargets().size());
  }

  private static ServiceState state(Service.State state) {
    return switch (state) {
      case BALANCING -> ServiceState.BALANCING;
      case RETURNING -> ServiceState.RETURNING;
      case ALL_UNHEALTHY -> ServiceState.ALL_UNHEALTHY;
      case NO_BACKEND -> ServiceState.NO_BACKEND;
    };
  }

  /** The ids of the targets that get new flows of some service although none takes them. */
  private static Set<Integer> lastResort(List<Service> services) {
    return services.stream()
        .filter(service -> service.state() != Service.State.BALANCING)
        .flatMap(service -> service.targets().stream())
        .map(Target::id)
        .collect(toSet());
  }

  private LoadBalancerStatus.Backend backend(BackendRegistry.Entry entry, boolean lastResort) {
    BackendView backend = entry.backend();
    Dataplane.TargetTraffic traffic = dataplane.traffic(backend.target());
    return new LoadBalancerStatus.Backend(
        backend.name(),
        IpAddresses.format(backend.dataAddress()),
        backend.version(),
        ReportedIntent.of(backend.intent().word()),
        health(backend.health()),
        backend.takesNewFlows(),
        lastResort && !backend.takesNewFlows(),
        backend.returning(),
        !backend.health().unchecked(),
        backend.target().weight(),
        List.copyOf(backend.services().names()),
        backend.services().none(),
        path(entry),
        backend.target().mtu(),
        IpAddresses.format(backend.session()),
        entry.silence().toMillis(),
        backend.registeredAt(),
        traffic.packets(),
        traffic.bytes());
  }

  private static LoadBalancerStatus.Path path(BackendRegistry.Entry entry) {
    PathState state =
        switch (entry.backend().path().state()) {
          case UNPROBED -> PathState.UNPROBED;
          case UNPROVEN -> PathState.UNPROVEN;
          case PROVEN -> PathState.PROVEN;
          case LOST -> PathState.LOST;
        };
    return new LoadBalancerStatus.Path(state, entry.pathAge().map(Duration::toMillis).orElse(null));
  }

  private static LoadBalancerStatus.Health health(BackendView.Health health) {
    HealthState state =
        switch (health.condition()) {
          case UNKNOWN -> HealthState.UNKNOWN;
          case HEALTHY -> HealthState.HEALTHY;
          case UNHEALTHY -> HealthState.UNHEALTHY;
        };
    return new LoadBalancerStatus.Health(state, health.code(), health.reason());
  }

  private static LoadBalancerStatus.Packets packets(List<Dataplane.WorkerStatus> workers) {
    long received = 0;
    long bytes = 0;
    long queueDropped = 0;
    long unreadDropped = 0;
    Map<Disposition, Long> sum = new EnumMap<>(Disposition.class);
    for (Dataplane.WorkerStatus worker : workers) {
      received += worker.traffic().received();
      bytes += worker.traffic().bytes();
      queueDropped += worker.queueDropped();
      unreadDropped += worker.unreadDropped();
      worker.traffic().dispositions().forEach((what, count) -> sum.merge(what, count, Long::sum));
    }
    Long forwarded = sum.remove(Disposition.FORWARD);
    Long leftToHost = sum.remove(Disposition.LEFT_TO_HOST);
    Map<String, Long> dropped = new LinkedHashMap<>();
    sum.forEach((reason, count) -> dropped.put(reason.label(), count));
    dropped.put(QUEUE_FULL, queueDropped);
    dropped.put(QUEUE_UNREAD, unreadDropped);
    dropped.values().removeIf(count -> count == 0);
    return new LoadBalancerStatus.Packets(
        received,
        forwarded == null ? 0L : forwarded,
        bytes,
        dropped,
        leftToHost == null ? 0L : leftToHost);
  }

  private List<OtherTraffic> otherTraffic() {
    return dataplane.droppedOtherTraffic().entrySet().stream()
        .map(vip -> new OtherTraffic(IpAddresses.format(vip.getKey()), vip.getValue()))
        .toList();
  }

  private static LoadBalancerStatus.Worker worker(Dataplane.WorkerStatus worker) {
    return new LoadBalancerStatus.Worker(
        worker.queue(),
        worker.traffic().received(),
        worker.traffic().batches(),
        worker.verdictMessages(),
        worker.flows(),
        worker.flowsNotKept(),
        worker.allocatedBytes(),
        worker.queueDropped(),
        worker.unreadDropped(),
        worker.traffic().of(TrafficCounter.RECEIVE_ERRORS),
        worker.traffic().of(TrafficCounter.VERDICT_ERRORS));
  }
}
