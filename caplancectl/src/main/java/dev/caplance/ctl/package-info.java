/**
 * The operator's command line: calls a daemon's control methods and lays out what they answer.
 *
 * <p>The results of the methods are JSON objects of the following shapes. A daemon may be older or
 * newer than the command: members that are missing or {@code null} are left out of the output, and
 * members that are unknown are ignored. Times are ISO 8601 in UTC, counts and bytes are whole
 * numbers since the daemon's start, a {@code …Millis} is an age or a time left in milliseconds.
 *
 * <p>Backend daemon, {@code status} and {@code health} (the same result):
 *
 * <pre>{@code
 * {"name": "web-1", "address": "10.0.0.11", "vips": ["10.0.0.50"],
 *  "intent": "active" | "draining" | "paused" | "deregistered",
 *  "health": {"code": 200, "reason": ""},
 *  "checks": [
 *    {"type": "tcp" | "http" | "command", "target": "10.0.0.50:80/health",
 *     "state": "unknown" | "fit" | "unfit", "since": "2026-01-01T12:00:01Z",
 *     "lastError": "http 10.0.0.50:80/health answered 500, expected 200" | null}],
 *  "drain": null | {                                  the last one, also when it is over
 *    "state": "draining" | "drained" | "deadline" | "cancelled",
 *    "connections": 17 | null, "remainingMillis": 220000 | null,
 *    "text": "17 connections left, 3m40s to the deadline"},
 *  "services": ["web"],                               empty: all
 *  "weight": 1, "mtu": 1500 | null,
 *  "version": "0.1.0", "startedAt": "2026-01-01T12:00:00Z",
 *  "loadBalancers": [
 *    {"address": "10.0.0.2", "port": 1338, "protocol": "2" | "2019",
 *     "state": "connecting" | "registering" | "registered" | "waiting" | "deregistered",
 *     "since": "2026-01-01T12:00:01Z",
 *     "lastAckAgeMillis": 1234 | null,
 *     "from": "10.0.0.2" | null,                      where its packets come from
 *     "operatorIntent": "active" | "draining" | "paused" | null,
 *     "lastError": "Connection refused" | null,
 *     "nextAttemptInMillis": 4000 | null}],
 *  "packets": {"received": 12345, "delivered": 12340, "bytes": 9876543,
 *              "refused": {"not from a load balancer": 5}}}
 * }</pre>
 *
 * <p>Backend daemon, {@code pause}, {@code resume}, {@code deregister} and {@code drain}; {@code
 * answer} is what the load balancer said, or why it said nothing. Drain takes the parameters {@code
 * deadlineMillis} (a number or null) and {@code wait} (whether to answer only when it is over), and
 * adds the {@code drain} of the status. A drain that was under way gets the new deadline, and there
 * are no answers of load balancers, for which nothing changes:
 *
 * <pre>{@code
 * {"name": "web-1", "intent": "paused",
 *  "loadBalancers": [
 *    {"address": "10.0.0.2", "port": 1338, "confirmed": true | false, "answer": "PAUSED"}]}
 * }</pre>
 *
 * <p>Load balancer, {@code status}:
 *
 * <pre>{@code
 * {"version": "0.1.0", "startedAt": "2026-01-01T12:00:00Z",
 *  "services": [
 *    {"name": "web", "vip": "10.0.0.50", "ports": "tcp/80, udp/443", "legacy": false,
 *     "state": "balancing" | "all unfit" | "no backend",
 *     "backends": 3,                                  that get new flows
 *     "keeping": 1}],                                 that only keep those that they have
 *  "backends": [
 *    {"name": "web-1", "address": "10.0.0.11", "version": "2",
 *     "intent": "active" | "draining" | "paused",
 *     "health": {"state": "unknown" | "fit" | "unfit", "code": 200, "reason": ""},
 *     "takesNewFlows": true, "weight": 1, "mtu": 1500,
 *     "services": ["web"],                            empty: all
 *     "session": "10.0.0.11:41234", "lastWordAgeMillis": 1234,
 *     "registeredAt": "2026-01-01T12:00:01Z", "packets": 12345, "bytes": 9876543}],
 *  "packets": {"received": 12345, "forwarded": 12340, "bytes": 9876543,
 *              "dropped": {"no backend": 5}},
 *  "otherTraffic": [                                  of no service, where the host does not get it
 *    {"vip": "10.0.0.50", "dropped": 12}],
 *  "workers": [{"queue": 0, "packets": 12345, "batches": 321, "verdicts": 321,
 *               "flows": 1234, "flowsNotKept": 0, "allocatedBytes": 0}]}
 * }</pre>
 *
 * <p>Load balancer, {@code explain} with the parameter {@code flow}, such as {@code tcp
 * 198.51.100.7:40000 -> 10.0.0.50:80}; what the flow does not have is {@code null}:
 *
 * <pre>{@code
 * {"flow": "tcp 198.51.100.7:40000 -> 10.0.0.50:80", "service": "web",
 *  "slot": 12345, "slots": 65537, "backend": "web-1", "address": "10.0.0.11",
 *  "why": "flow table" | "drain" | "unfit" | "table" | "all unfit" | "no backend" | "no service"
 *         | "own source",
 *  "detail": "a new flow goes where its slot says"}
 * }</pre>
 *
 * <p>Load balancer, {@code whatif} with the parameters {@code change} (remove, add or weight),
 * {@code name}, {@code weight} and {@code service}; counts are slots of the service's table, those
 * between others are moved from and to backends that the change does not name:
 *
 * <pre>{@code
 * {"service": "web", "slots": 65537, "moved": 21893, "movedBetweenOthers": 131,
 *  "backends": [{"name": "web-1", "before": 21845, "after": 32768}]}
 * }</pre>
 */
package dev.caplance.ctl;
