package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Endpoint;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;

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
  private int weight;
  private Set<String> services;
  private BackendHealth health = BackendHealth.UNKNOWN;
  private boolean gateOpen;
  private ForwardingBackend forwarding;

  Backend(String name, InetAddress dataAddress, Endpoint endpoint, Instant registeredSince) {
    this.name = name;
    this.dataAddress = dataAddress;
    this.endpoint = endpoint;
    this.registeredSince = registeredSince;
  }

  /**
   * From now on this session speaks for the backend. What was known of its health stays true until
   * the new session's first HEALTH: a reconnection interrupts no traffic.
   *
   * @param mtu bytes of the largest outer packet on the way to it
   */
  void attach(BackendSession newSession, Message.Register register, int mtu) {
    session = newSession;
    version = register.version();
    intent = register.intent();
    weight = register.weight();
    services = register.services();
    endpoint.setMtu(mtu);
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

  /** The first time that it is fit opens the gate: no packets go there before. */
  void setHealth(BackendHealth health) {
    this.health = health;
    gateOpen |= fit();
  }

  /** Whether it has said after its registration what it wants to be and how it is. */
  boolean hasReturned() {
    return intent == Intent.PAUSED || health.condition() != BackendHealth.Condition.UNKNOWN;
  }

  /** Whether packets may go there, at least those of flows that it has. */
  boolean mayKeepFlows() {
    return gateOpen && intent != Intent.PAUSED;
  }

  /** Whether it is a choice for new flows. */
  boolean takesNewFlows() {
    return intent == Intent.ACTIVE && fit();
  }

  private boolean fit() {
    return health.condition() == BackendHealth.Condition.FIT;
  }

  /**
   * What the data plane is to know of it: the same object until that changes, so that a change of
   * one backend does not replace thousands of old objects, which is what full collections come of.
   */
  ForwardingBackend toForwarding() {
    ForwardingBackend current =
        new ForwardingBackend(
            name,
            dataAddress,
            version == Message.VERSION_2019,
            weight,
            services,
            takesNewFlows(),
            intent == Intent.DRAINING,
            endpoint);
    if (!current.equals(forwarding)) {
      forwarding = current;
    }
    return forwarding;
  }

  BackendStatus status() {
    Duration silence = session.silence();
    return new BackendStatus(
        name,
        dataAddress,
        version,
        intent,
        health,
        takesNewFlows(),
        weight,
        services,
        endpoint.mtu(),
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
