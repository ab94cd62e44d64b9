package dev.caplance.lb.registry;

import dev.caplance.session.Message;

/**
 * The last health report of a backend.
 *
 * @param condition what the report means for forwarding
 * @param code status code of the HEALTH line, 200 if healthy; 0 before the first one
 * @param reason text of the HEALTH line; may be empty
 */
public record BackendHealth(Condition condition, int code, String reason) {

  /** Before the first HEALTH: the backend gets no packets. */
  public static final BackendHealth UNKNOWN = new BackendHealth(Condition.UNKNOWN, 0, "");

  /** What a health report means for forwarding. */
  public enum Condition {
    /** No HEALTH has arrived yet. */
    UNKNOWN,
    /** New flows may go to the backend. */
    HEALTHY,
    /** The backend keeps its flows and gets new ones only as a last resort. */
    UNHEALTHY
  }

  /** The health that a HEALTH line reports. */
  static BackendHealth of(Message.Health health) {
    return new BackendHealth(
        health.healthy() ? Condition.HEALTHY : Condition.UNHEALTHY, health.code(), health.reason());
  }
}
