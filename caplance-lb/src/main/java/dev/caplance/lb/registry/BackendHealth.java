package dev.caplance.lb.registry;

import dev.caplance.session.Message;

/**
 * What a backend last said of its health.
 *
 * @param code of its HEALTH, 0 when there was none yet
 * @param reason of its HEALTH; may be empty
 */
public record BackendHealth(Condition condition, int code, String reason) {

  /** Before the first HEALTH: no packets go there. */
  public static final BackendHealth UNKNOWN = new BackendHealth(Condition.UNKNOWN, 0, "");

  /** Whether new flows may go there. */
  public enum Condition {
    UNKNOWN,
    HEALTHY,
    UNHEALTHY
  }

  static BackendHealth of(Message.Health health) {
    return new BackendHealth(
        health.healthy() ? Condition.HEALTHY : Condition.UNHEALTHY, health.code(), health.reason());
  }
}
