package dev.caplance.lb.registry;

import dev.caplance.lb.routing.Endpoint;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;

/**
 * A registered backend: what it asked for, what it said of its health, and the session that speaks
 * for it. It outlives a session that is taken over by the next. Owned by the registry's thread.
 */
final class Backend {

  private final String name;
  private final InetAddress dataAddress;
  private final Endpoint endpoint;
  private final Instant registeredSince;
  private BackendSession session;
  private int version;
  private Intent intent;
  private BackendHealth health = BackendHealth.UNKNOWN;

  Backend(String name, InetAddress dataAddress, Endpoint endpoint, Instant registeredSince) {
    this.name = name;
    this.dataAddress = dataAddress;
    this.endpoint = endpoint;
    this.registeredSince = registeredSince;
  }

  /**
   * From now on this session speaks for the backend. What was known of its health stays true until
   * the new session's first HEALTH: a reconnection interrupts no traffic.
   */
  void attach(BackendSession newSession, Message.Register register) {
    session = newSession;
    version = register.version();
    intent = register.intent();
  }

  String name() {
    return name;
  }

  InetAddress dataAddress() {
    return dataAddress;
  }

  BackendSession session() {
    return session;
  }

  Intent intent() {
    return intent;
  }

  /** Whether it may ask to become that: drain only when active, else whatever it is not yet. */
  boolean mayBecome(Intent to) {
    return to == Intent.DRAINING ? intent == Intent.ACTIVE : intent != to;
  }

  void setIntent(Intent intent) {
    this.intent = intent;
  }

  BackendHealth health() {
    return health;
  }

  void setHealth(BackendHealth health) {
    this.health = health;
  }

  /** Whether packets go there. */
  boolean forwarding() {
    return intent == Intent.ACTIVE && health.condition() == BackendHealth.Condition.FIT;
  }

  ForwardingBackend toForwarding() {
    return new ForwardingBackend(name, dataAddress, version == Message.VERSION_2019, endpoint);
  }

  BackendStatus status() {
    Duration silence = session.silence();
    return new BackendStatus(
        name,
        dataAddress,
        version,
        intent,
        health,
        forwarding(),
        session.peer(),
        session.lastWord(),
        silence,
        registeredSince,
        endpoint.packets(),
        endpoint.bytes());
  }

  /** Name and data address, for log lines. */
  @Override
  public String toString() {
    return name + " (" + IpAddresses.format(dataAddress) + ")";
  }
}
