package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.time.Instant;

/**
 * A registered backend: what is known of it now, and the session that speaks for it. It outlives a
 * session that is superseded by the next. Owned by the registry's thread.
 */
final class Backend {

  private BackendSession session;
  private BackendView view;

  /**
   * A backend that has just registered.
   *
   * @param target with its index and generation; weight and MTU are as registered
   */
  Backend(Target target, BackendSession session, Message.Register register, Instant now) {
    this.session = session;
    this.view =
        new BackendView(
            target,
            register.version(),
            register.intent(),
            BackendHealth.UNKNOWN,
            false,
            register.services(),
            session.peer(),
            now);
  }

  /**
   * From now on this session speaks for the backend. What was known of its health stays true until
   * the new session's first HEALTH: a reconnection interrupts no traffic.
   *
   * @param mtu bytes of the largest outer packet on the path to it
   */
  void attach(BackendSession newSession, Message.Register register, int mtu) {
    session = newSession;
    view =
        new BackendView(
            view.target().with(register.weight(), mtu),
            register.version(),
            register.intent(),
            view.health(),
            view.admitted(),
            register.services(),
            newSession.peer(),
            view.registeredAt());
  }

  BackendView view() {
    return view;
  }

  String name() {
    return view.name();
  }

  InetAddress dataAddress() {
    return view.dataAddress();
  }

  BackendSession session() {
    return session;
  }

  Intent intent() {
    return view.intent();
  }

  /** Whether it may ask to become that: drain only when active, else whatever it is not yet. */
  boolean mayBecome(Intent to) {
    return to == Intent.DRAINING ? intent() == Intent.ACTIVE : intent() != to;
  }

  void setIntent(Intent intent) {
    view = view.withIntent(intent);
  }

  BackendHealth health() {
    return view.health();
  }

  void setHealth(BackendHealth health) {
    if (!health.equals(view.health())) {
      view = view.withHealth(health);
    }
  }

  BackendRegistry.Entry entry() {
    return new BackendRegistry.Entry(view, session.silence());
  }

  /** Name and data address, for log lines. */
  @Override
  public String toString() {
    return name() + " (" + IpAddresses.format(dataAddress()) + ")";
  }
}
