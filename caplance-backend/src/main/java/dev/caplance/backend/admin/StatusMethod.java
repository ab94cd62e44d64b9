package dev.caplance.backend.admin;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.caplance.backend.drain.DrainStatus;
import dev.caplance.backend.health.HealthCheckStatus;
import dev.caplance.backend.session.LoadBalancerSessions;
import dev.caplance.backend.session.SessionStatus;
import dev.caplance.control.Caller;
import dev.caplance.control.ControlException;
import dev.caplance.control.ControlMethod;
import dev.caplance.packet.Disposition;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TrafficCounters;
import dev.caplance.session.Intent;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** {@code status} and {@code health}: the application, sessions and packets at one moment. */
final class StatusMethod implements ControlMethod {

  private final Identity identity;
  private final Instant startedAt;
  private final Supplier<CompletableFuture<LoadBalancerSessions.Status>> sessions;
  private final Supplier<List<HealthCheckStatus>> checks;
  private final Supplier<Optional<DrainStatus>> drain;
  private final Supplier<TrafficCounters.Snapshot> traffic;
  private final LongSupplier allocatedBytes;

  /**
   * The status of this backend.
   *
   * @param startedAt when the daemon was started
   * @param drain the last one, if there was any
   * @param allocatedBytes by the thread that carries packets, since its start
   */
  StatusMethod(
      Identity identity,
      Instant startedAt,
      Supplier<CompletableFuture<LoadBalancerSessions.Status>> sessions,
      Supplier<List<HealthCheckStatus>> checks,
      Supplier<Optional<DrainStatus>> drain,
      Supplier<TrafficCounters.Snapshot> traffic,
      LongSupplier allocatedBytes) {
    this.identity = identity;
    this.startedAt = startedAt;
    this.sessions = sessions;
    this.checks = checks;
    this.drain = drain;
    this.traffic = traffic;
    this.allocatedBytes = allocatedBytes;
  }

  @Override
  public JsonElement call(JsonObject params, Caller caller)
      throws ControlException, InterruptedException {
    LoadBalancerSessions.Status status = Waiting.forResult(sessions.get());
    JsonObject health = new JsonObject();
    health.addProperty("code", status.health().code());
    health.addProperty("reason", status.health().reason());
    JsonObject json = new JsonObject();
    json.addProperty("name", identity.settings().name());
    json.addProperty("address", IpAddresses.format(identity.settings().dataAddress()));
    json.addProperty("intent", status.intent().word());
    json.add("health", health);
    JsonArray checksJson = new JsonArray();
    checks.get().forEach(check -> checksJson.add(check(check)));
    json.add("checks", checksJson);
    json.add("drain", drain.get().<JsonElement>map(DrainMethod::json).orElse(JsonNull.INSTANCE));
    json.add("vips", addresses(identity.vips()));
    JsonArray services = new JsonArray();
    identity.settings().services().forEach(services::add);
    json.add("services", services);
    json.addProperty("weight", identity.settings().weight());
    OptionalInt mtu = identity.settings().mtu();
    json.addProperty("mtu", mtu.isPresent() ? mtu.getAsInt() : null);
    json.addProperty("version", identity.version());
    json.addProperty("startedAt", startedAt.toString());
    JsonArray loadBalancers = new JsonArray();
    status.loadBalancers().forEach(session -> loadBalancers.add(session(session)));
    json.add("loadBalancers", loadBalancers);
    json.add("packets", packets());
    return json;
  }

  private static JsonArray addresses(List<InetAddress> addresses) {
    JsonArray json = new JsonArray();
    addresses.forEach(address -> json.add(IpAddresses.format(address)));
    return json;
  }

  private static JsonObject check(HealthCheckStatus check) {
    JsonObject json = new JsonObject();
    json.addProperty("type", check.target().type());
    json.addProperty("target", check.target().name());
    json.addProperty("state", check.state().word());
    json.addProperty("since", check.since().toString());
    json.addProperty("lastError", check.lastError().orElse(null));
    return json;
  }

  private static JsonObject session(SessionStatus session) {
    JsonObject json = new JsonObject();
    json.addProperty("address", IpAddresses.format(session.loadBalancer().address()));
    json.addProperty("port", session.loadBalancer().port());
    json.addProperty("protocol", session.legacy() ? "2019" : "2");
    json.addProperty("state", session.state().word());
    json.addProperty("since", session.since().toString());
    json.addProperty(
        "lastAckAgeMillis", session.sinceLastAck().map(Duration::toMillis).orElse(null));
    json.addProperty("from", session.from().map(IpAddresses::format).orElse(null));
    json.addProperty("operatorIntent", session.operatorIntent().map(Intent::word).orElse(null));
    json.addProperty("lastError", session.lastError().orElse(null));
    json.addProperty(
        "nextAttemptInMillis", session.untilNextAttempt().map(Duration::toMillis).orElse(null));
    return json;
  }

  private JsonObject packets() {
    TrafficCounters.Snapshot counters = traffic.get();
    JsonObject refused = new JsonObject();
    counters
        .verdicts()
        .forEach(
            (verdict, count) -> {
              if (verdict != Disposition.FORWARD && verdict != Disposition.SANITY_CHECK) {
                refused.addProperty(verdict.label(), count);
              }
            });
    JsonObject json = new JsonObject();
    json.addProperty("received", counters.received() - counters.of(Disposition.SANITY_CHECK));
    json.addProperty("delivered", counters.of(Disposition.FORWARD));
    json.add("refused", refused);
    json.addProperty("bytes", counters.bytes());
    json.addProperty("allocatedBytes", allocatedBytes.getAsLong());
    return json;
  }
}
