package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.time.Instant;

/**
 * A registered backend: its current state and the session that speaks for it. It outlives a session
 * that a reconnection replaces. Owned by the registry's thread.
 */
final class Backend {

  private BackendSession session;
  private BackendView view;

  /**
   * Creates a backend that has just registered.
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
            BackendView.Health.UNKNOWN,
            false,
            register.services(),
            session.peer(),
            now);
  }

  /**
   * Hands the backend over to a new session. The last known health stays valid until the new
   * session's first HEALTH, so a reconnection does not interrupt traffic.
   *
   * @param route the path to the backend
   */
  void attach(BackendSession newSession, Message.Register register, DataPath.Route route) {
    session = newSession;
    view =
        new BackendView(
            view.target().with(register.weight(), route.mtu(), route.source()),
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

  /**
   * Whether it may change to an intent: to draining only from active, to the others from any but
   * the same.
   */
  boolean mayBecome(Intent to) {
    return to == Intent.DRAINING ? intent() == Intent.ACTIVE : intent() != to;
  }

  void setIntent(Intent intent) {
    view = view.withIntent(intent);
  }

  BackendView.Health health() {
    return view.health();
  }

  void setHealth(BackendView.Health health) {
    if (!health.equals(view.health())) {
      view = view.withHealth(health);
    }
  }

  /** The backend as queries of the registry report it. */
  BackendRegistry.Entry entry() {
    return new BackendRegistry.Entry(view, session.silence());
  }

  /** Name and data address, for log lines. */
  @Override
  public String toString() {
    return name() + " (" + IpAddresses.format(dataAddress()) + ")";
  }
}
