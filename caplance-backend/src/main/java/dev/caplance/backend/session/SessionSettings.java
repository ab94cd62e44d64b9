package dev.caplance.backend.session;

import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.net.InetAddress;
import java.time.Duration;

/**
 * What all sessions of this backend have in common.
 *
 * @param name what the load balancers call this backend, see {@link Message.Register}
 * @param dataAddress where encapsulated packets come to
 * @param offer what this backend offers
 * @param healthInterval between two HEALTH lines, within the bounds of {@link Message.Register}
 * @param reconnectInitial the pause before a lost session is tried again
 * @param reconnectMax what the pause grows to while that fails
 */
public record SessionSettings(
    String name,
    InetAddress dataAddress,
    Offer offer,
    Duration healthInterval,
    Duration reconnectInitial,
    Duration reconnectMax) {

  /**
   * @throws IllegalArgumentException when the protocol does not allow one of the values
   */
  public SessionSettings {
    MessageCodec.format(register(name, dataAddress, offer, healthInterval, Intent.DRAINING));
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

  /** The line that asks a load balancer to register this backend. */
  Message.Register register(Duration interval, Intent intent) {
    return register(name, dataAddress, offer, interval, intent);
  }

  private static Message.Register register(
      String name, InetAddress dataAddress, Offer offer, Duration interval, Intent intent) {
    return offer.addTo(Message.Register.of(name, dataAddress, interval, intent));
  }
}
