package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.time.Duration;

/**
 * What all sessions of this backend have in common.
 *
 * @param name what the load balancers call this backend, see {@link Message.Register}
 * @param dataAddress where encapsulated packets come to
 * @param healthInterval between two HEALTH lines, within the bounds of {@link Message.Register}
 * @param reconnectInitial the pause before a lost session is tried again
 * @param reconnectMax what the pause grows to while that fails
 */
public record SessionSettings(
    String name,
    InetAddress dataAddress,
    Duration healthInterval,
    Duration reconnectInitial,
    Duration reconnectMax) {

  /**
   * @throws IllegalArgumentException when the protocol does not allow one of the values
   */
  public SessionSettings {
    Message.Register.of(name, dataAddress, healthInterval, Intent.ACTIVE);
    if (reconnectInitial.isNegative()
        || reconnectInitial.isZero()
        || reconnectInitial.compareTo(reconnectMax) > 0) {
      throw new IllegalArgumentException(
          "the pause before reconnecting cannot grow from "
              + reconnectInitial
              + " to "
              + reconnectMax);
    }
  }
}
