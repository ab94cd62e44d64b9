package dev.caplance.ctl;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;

/** Answers of daemons, and the time at which they are read. */
final class Samples {

  static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-01-02T15:24:00Z"), ZoneId.of("Europe/Berlin"));

  static final String BACKEND =
      """
      {"name": "web-1", "address": "10.0.0.11", "vips": ["10.0.0.50", "2001:db8::50"],
       "intent": "active", "health": {"code": 200, "reason": ""},
       "checks": [
         {"type": "http", "target": "10.0.0.50:80/health", "state": "fit",
          "since": "2026-01-02T13:03:11Z",
          "lastError": "http 10.0.0.50:80/health answered 500, expected 200"},
         {"type": "tcp", "target": "[2001:db8::50]:80", "state": "fit",
          "since": "2026-01-02T13:03:12Z", "lastError": null}],
       "drain": null, "services": [], "weight": 1, "mtu": 1500,
       "version": "0.1.0", "startedAt": "2026-01-02T12:12:00Z",
       "loadBalancers": [
         {"address": "10.0.0.2", "port": 1338, "protocol": "2", "state": "registered",
          "since": "2026-01-02T13:03:11.5Z", "lastAckAgeMillis": 1234, "from": "10.0.0.2",
          "operatorIntent": "active", "lastError": null, "nextAttemptInMillis": null},
         {"address": "10.0.0.3", "port": 1400, "protocol": "2019", "state": "registered",
          "since": "2026-01-01T13:03:00Z", "lastAckAgeMillis": 400, "from": "10.0.0.3",
          "operatorIntent": "paused", "lastError": null, "nextAttemptInMillis": null},
         {"address": "2001:db8::4", "port": 1339, "protocol": "2", "state": "waiting",
          "since": "2026-01-02T15:23:55Z", "lastAckAgeMillis": null, "from": null,
          "operatorIntent": null, "lastError": "Connection refused",
          "nextAttemptInMillis": 4000}],
       "packets": {"received": 12345, "delivered": 12340, "bytes": 9876543,
                   "refused": {"not from a load balancer": 3, "too short": 0, "no VIP of ours": 2}}}
      """;

  static final String LOAD_BALANCER =
      """
      {"version": "0.1.0", "startedAt": "2026-01-02T12:12:00Z",
       "services": [
         {"name": "web", "vip": "10.0.0.50", "ports": "tcp/80, udp/443", "legacy": false,
          "state": "balancing", "backends": 2, "keeping": 1},
         {"name": "old", "vip": "10.0.0.51", "ports": "tcp, udp", "legacy": true,
          "state": "no backend", "backends": 0, "keeping": 0}],
       "backends": [
         {"name": "web-1", "address": "10.0.0.11", "version": 2, "intent": "active",
          "health": {"state": "fit", "code": 200, "reason": ""}, "takesNewFlows": true,
          "weight": 1, "services": [], "mtu": 1500,
          "session": "10.0.0.11:41234", "lastWordAgeMillis": 1234,
          "registeredAt": "2026-01-02T13:03:11Z", "packets": 12345, "bytes": 9876543},
         {"name": "web-22", "address": "10.0.0.12", "version": 2, "intent": "paused",
          "health": {"state": "unfit", "code": 503, "reason": "no workers"}, "takesNewFlows": false,
          "weight": 10, "services": ["web", "old"], "mtu": 1500,
          "session": "10.0.0.12:41235", "lastWordAgeMillis": 12345,
          "registeredAt": "2026-01-01T12:00:01Z", "packets": 5, "bytes": 98},
         {"name": "web-3", "address": "10.0.0.13", "version": 2019, "intent": "active",
          "health": {"state": "unknown", "code": 0, "reason": ""}, "takesNewFlows": false,
          "weight": 1, "services": [], "mtu": 1500,
          "session": "10.0.0.13:41236", "lastWordAgeMillis": 20,
          "registeredAt": "2026-01-02T15:24:00Z", "packets": 0, "bytes": 0}],
       "packets": {"received": 12350, "forwarded": 12345, "bytes": 9876641,
                   "dropped": {"no backend": 5}},
       "otherTraffic": [{"vip": "10.0.0.50", "dropped": 1234}],
       "workers": [{"queue": 0, "packets": 12350, "batches": 321, "verdicts": 321,
                    "flows": 1234, "flowsNotKept": 0, "allocatedBytes": 0}]}
      """;

  static final String FLOW =
      """
      {"flow": "tcp 198.51.100.7:40000 -> 10.0.0.50:80", "service": "web", "slot": 12345,
       "slots": 65537, "backend": "web-1", "address": "10.0.0.11", "why": "flow table",
       "detail": "the flow is known and stays; a new one would go to web-2"}
      """;

  static final String CHANGE =
      """
      {"service": "web", "slots": 65537, "moved": 21976, "movedBetweenOthers": 131,
       "backends": [{"name": "web-1", "before": 21846, "after": 32769},
                    {"name": "web-2", "before": 21846, "after": 32768},
                    {"name": "web-3", "before": 21845, "after": 0}]}
      """;

  private Samples() {}

  static JsonElement json(String text) {
    return JsonParser.parseString(text);
  }
}
