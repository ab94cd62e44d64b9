package dev.caplance.lb.admin;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.lb.dataplane.Dataplane;
import dev.caplance.lb.dataplane.WorkerStatus;
import dev.caplance.lb.registry.BackendStatus;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
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
   * Takes what it asks when it is called.
   *
   * @param version of this program
   * @param droppedOtherTraffic packets for each VIP that the firewall dropped, since no service has
   *     them; without the VIPs where the host gets them
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
    JsonObject status = new JsonObject();
    status.addProperty("version", version);
    status.addProperty("startedAt", startedAt.toString());
    status.add("services", array(routing.get().services(), StatusMethod::service));
    status.add("backends", array(backends.now(), StatusMethod::backend));
    List<WorkerStatus> workers = dataplane.status();
    status.add("packets", packets(workers));
    status.add("otherTraffic", otherTraffic());
    status.add("workers", array(workers, StatusMethod::worker));
    return status;
  }

  private interface Writer<T> {
    JsonObject write(T value);
  }

  private static <T> JsonArray array(List<T> values, Writer<T> writer) {
    JsonArray array = new JsonArray();
    values.forEach(value -> array.add(writer.write(value)));
    return array;
  }

  private static JsonObject service(ServiceStatus service) {
    JsonObject json = new JsonObject();
    json.addProperty("name", service.name());
    json.addProperty("vip", IpAddresses.format(service.vip()));
    json.addProperty("ports", service.ports().toString());
    json.addProperty("legacy", service.legacy());
    json.addProperty("state", service.state().label());
    json.addProperty("backends", service.members().size());
    json.addProperty("keeping", service.serving().size() - service.members().size());
    return json;
  }

  private static JsonObject backend(BackendStatus backend) {
    JsonObject health = new JsonObject();
    health.addProperty("state", backend.health().condition().name().toLowerCase(Locale.ROOT));
    health.addProperty("code", backend.health().code());
    health.addProperty("reason", backend.health().reason());
    JsonObject json = new JsonObject();
    json.addProperty("name", backend.name());
    json.addProperty("address", IpAddresses.format(backend.dataAddress()));
    json.addProperty("version", backend.version());
    json.addProperty("intent", backend.intent().name().toLowerCase(Locale.ROOT));
    json.add("health", health);
    json.addProperty("takesNewFlows", backend.takesNewFlows());
    json.addProperty("weight", backend.weight());
    JsonArray services = new JsonArray();
    backend.services().forEach(services::add);
    json.add("services", services);
    json.addProperty("mtu", backend.mtu());
    json.addProperty("session", IpAddresses.format(backend.session()));
    json.addProperty("lastWordAgeMillis", backend.silence().toMillis());
    json.addProperty("registeredAt", backend.registeredSince().toString());
    json.addProperty("packets", backend.packets());
    json.addProperty("bytes", backend.bytes());
    return json;
  }

  private static JsonObject packets(List<WorkerStatus> workers) {
    long received = 0;
    long bytes = 0;
    Map<Disposition, Long> sum = new EnumMap<>(Disposition.class);
    for (WorkerStatus worker : workers) {
      received += worker.traffic().received();
      bytes += worker.traffic().bytes();
      worker.traffic().dispositions().forEach((verdict, n) -> sum.merge(verdict, n, Long::sum));
    }
    JsonObject json = new JsonObject();
    json.addProperty("received", received);
    json.addProperty("forwarded", sum.getOrDefault(Disposition.FORWARD, 0L));
    json.addProperty("bytes", bytes);
    sum.remove(Disposition.FORWARD);
    JsonObject dropped = new JsonObject();
    sum.forEach((verdict, count) -> dropped.addProperty(verdict.label(), count));
    json.add("dropped", dropped);
    return json;
  }

  private JsonArray otherTraffic() {
    JsonArray array = new JsonArray();
    droppedOtherTraffic
        .get()
        .forEach(
            (vip, dropped) -> {
              JsonObject json = new JsonObject();
              json.addProperty("vip", IpAddresses.format(vip));
              json.addProperty("dropped", dropped);
              array.add(json);
            });
    return array;
  }

  private static JsonObject worker(WorkerStatus worker) {
    JsonObject json = new JsonObject();
    json.addProperty("queue", worker.queue());
    json.addProperty("packets", worker.traffic().received());
    json.addProperty("batches", worker.traffic().batches());
    json.addProperty("verdicts", worker.verdictMessages());
    json.addProperty("flows", worker.flows());
    json.addProperty("flowsNotKept", worker.flowsNotKept());
    json.addProperty("allocatedBytes", worker.allocatedBytes());
    return json;
  }
}
