package dev.caplance.lb.admin;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.dataplane.WorkerStatus;
import dev.caplance.lb.registry.BackendHealth;
import dev.caplance.lb.registry.BackendStatus;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.status.HealthState;
import dev.caplance.status.LoadBalancerStatus;
import dev.caplance.status.LoadBalancerStatus.OtherTraffic;
import dev.caplance.status.LoadBalancerStatus.ServiceState;
import dev.caplance.status.ReportedIntent;
import dev.caplance.status.StatusJson;
import java.net.InetAddress;
import java.time.Instant;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** {@code status}: services, backends, packets and workers at one moment. */
public final class StatusMethod implements ControlMethod {

  private final String version;
  private final Instant startedAt = Instant.now();
  private final Supplier<RoutingStatus> routing;
  private final RegisteredBackends backends;
  private final Dataplane dataplane;
  private final Supplier<Map<InetAddress, Long>> droppedOtherTraffic;

  /**
   * A method that asks these parts whenever it is called.
   *
   * @param version of this program
   * @param droppedOtherTraffic how many packets of no service the firewall dropped, by VIP; without
   *     the VIPs whose other traffic the host gets
   */
  public StatusMethod(
      String version,
      Supplier<RoutingStatus> routing,
      RegisteredBackends backends,
      Dataplane dataplane,
      Supplier<Map<InetAddress, Long>> droppedOtherTraffic) {
    this.version = version;
    this.routing = routing;
    this.backends = backends;
    this.dataplane = dataplane;
    this.droppedOtherTraffic = droppedOtherTraffic;
  }

  @Override
  public JsonElement call(JsonObject params, Caller caller)
      throws ControlException, InterruptedException {
    List<WorkerStatus> workers = dataplane.status();
    return StatusJson.write(
        new LoadBalancerStatus(
            version,
            startedAt,
            routing.get().services().stream().map(StatusMethod::service).toList(),
            backends.now().stream().map(StatusMethod::backend).toList(),
            packets(workers),
            otherTraffic(),
            workers.stream().map(StatusMethod::worker).toList()));
  }

  private static LoadBalancerStatus.Service service(ServiceStatus service) {
    return new LoadBalancerStatus.Service(
        service.name(),
        IpAddresses.format(service.vip()),
        service.ports().toString(),
        service.legacy(),
        state(service.state()),
        service.members().size(),
        service.serving().size() - service.members().size());
  }

  private static ServiceState state(ServiceStatus.State state) {
    return switch (state) {
      case BALANCING -> ServiceState.BALANCING;
      case ALL_UNFIT -> ServiceState.ALL_UNHEALTHY;
      case NO_BACKEND -> ServiceState.NO_BACKEND;
    };
  }

  private static LoadBalancerStatus.Backend backend(BackendStatus backend) {
    return new LoadBalancerStatus.Backend(
        backend.name(),
        IpAddresses.format(backend.dataAddress()),
        backend.version(),
        ReportedIntent.of(backend.intent().word()),
        health(backend.health()),
        backend.takesNewFlows(),
        backend.weight(),
        List.copyOf(backend.services()),
        backend.mtu(),
        IpAddresses.format(backend.session()),
        backend.silence().toMillis(),
        backend.registeredSince(),
        backend.packets(),
        backend.bytes());
  }

  private static LoadBalancerStatus.Health health(BackendHealth health) {
    HealthState state =
        switch (health.condition()) {
          case UNKNOWN -> HealthState.UNKNOWN;
          case FIT -> HealthState.HEALTHY;
          case UNFIT -> HealthState.UNHEALTHY;
        };
    return new LoadBalancerStatus.Health(state, health.code(), health.reason());
  }

  private static LoadBalancerStatus.Packets packets(List<WorkerStatus> workers) {
    long received = 0;
    long bytes = 0;
    Map<Disposition, Long> sum = new EnumMap<>(Disposition.class);
    for (WorkerStatus worker : workers) {
      received += worker.traffic().received();
      bytes += worker.traffic().bytes();
      worker.traffic().verdicts().forEach((what, count) -> sum.merge(what, count, Long::sum));
    }
    Long forwarded = sum.remove(Disposition.FORWARD);
    Map<String, Long> dropped = new LinkedHashMap<>();
    sum.forEach((reason, count) -> dropped.put(reason.label(), count));
    return new LoadBalancerStatus.Packets(
        received, forwarded == null ? 0L : forwarded, bytes, dropped);
  }

  private List<OtherTraffic> otherTraffic() {
    return droppedOtherTraffic.get().entrySet().stream()
        .map(vip -> new OtherTraffic(IpAddresses.format(vip.getKey()), vip.getValue()))
        .toList();
  }

  private static LoadBalancerStatus.Worker worker(WorkerStatus worker) {
    return new LoadBalancerStatus.Worker(
        worker.queue(),
        worker.traffic().received(),
        worker.traffic().batches(),
        worker.verdictMessages(),
        worker.flows(),
        worker.flowsNotKept(),
        worker.allocatedBytes());
  }
}
