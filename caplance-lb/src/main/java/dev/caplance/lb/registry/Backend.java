package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.EventLoop;
import dev.caplance.session.Intent;
import dev.caplance.session.Message;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A registered backend: its current state, the session that speaks for it and the watch over its
 * path. It outlives a session that a reconnection replaces, and for a while one that has ended
 * without a word. Owned by the registry's thread.
 */
final class Backend implements PathWatch.Owner {

  private static final Logger LOG = LoggerFactory.getLogger(Backend.class);

  /** How long a backend without a session keeps its flows if its path is not probed. */
  static final Duration UNPROBED_RETURN = Duration.ofSeconds(10);

  /** How long it keeps them at least: a restart of its daemon takes a moment. */
  static final Duration MIN_RETURN = Duration.ofSeconds(5);

  private final EventLoop loop;
  private final Owner owner;
  private final LimitedLog log;
  private BackendSession session;
  private BackendView view;
  private PathWatch watch;
  private EventLoop.Timer returnTimeout;

  /** Hears of what happens to a backend by itself. */
  interface Owner {

    /** It changed in a way that may affect forwarding. */
    void changed();

    /** Nothing was heard of it for so long that it is to be removed. */
    void gone(Backend backend);
  }

  /**
   * Creates a backend that has just registered.
   *
   * @param target with its index and generation; weight, MTU and source are as registered
   */
  Backend(
      EventLoop loop,
      Owner owner,
      Target target,
      BackendSession session,
      Message.Register register,
      ServedServices services,
      Instant now) {
    this.loop = loop;
    this.owner = owner;
    this.log = new LimitedLog(LOG, loop::nanoTime, 20, Duration.ofSeconds(1));
    this.session = session;
    this.view =
        new BackendView(
            target,
            register.version(),
            register.intent(),
            BackendView.Health.UNKNOWN,
            pathOf(register, BackendView.Path.UNPROVEN),
            false,
            false,
            services,
            session.peer(),
            now);
  }

  /**
   * Hands the backend over to a new session. The last known health stays valid until the new
   * session's first HEALTH, so a reconnection does not interrupt traffic; so does what is known of
   * the path. A returning backend goes on returning until then.
   *
   * @param target the same index and generation, otherwise as registered
   */
  void attach(
      BackendSession newSession,
      Message.Register register,
      Target target,
      ServedServices services) {
    session = newSession;
    cancelReturnTimeout();
    BackendView.Path known =
        view.path().state() == BackendView.Path.State.UNPROBED
            ? BackendView.Path.UNPROVEN
            : view.path();
    view =
        new BackendView(
            target,
            register.version(),
            register.intent(),
            view.reported(),
            pathOf(register, known),
            view.returning(),
            view.admitted(),
            services,
            newSession.peer(),
            view.registeredAt());
  }

  private static BackendView.Path pathOf(Message.Register register, BackendView.Path ifProbed) {
    return register.probe() ? ifProbed : BackendView.Path.UNPROBED;
  }

  /** Replaces the watch over the path; null if the backend answers no probes. */
  void watch(PathWatch newWatch) {
    if (watch != null) {
      watch.stop();
    }
    watch = newWatch;
    if (watch != null) {
      watch.start();
    }
  }

  /**
   * Lets the backend keep its flows without a session, until it is back or nothing is heard of it
   * any more.
   */
  void awaitReturn() {
    view = view.asReturning();
    returnTimeout =
        loop.schedule(watch == null ? UNPROBED_RETURN : MIN_RETURN, this::returnTimedOut);
  }

  private void returnTimedOut() {
    returnTimeout = null;
    leaveIfSilent();
  }

  /** Whether its session has ended, and no other has taken over. */
  boolean lacksSession() {
    return session.state() == BackendSession.State.CLOSED;
  }

  private void leaveIfSilent() {
    boolean silent = watch == null || watch.unanswered() >= PathWatch.PROBES;
    if (silent && returnTimeout == null && lacksSession()) {
      owner.gone(this);
    }
  }

  /** Ends what goes on by itself, because the backend has been removed. */
  void end() {
    cancelReturnTimeout();
    watch(null);
  }

  private void cancelReturnTimeout() {
    if (returnTimeout != null) {
      returnTimeout.cancel();
      returnTimeout = null;
    }
  }

  @Override
  public Target target() {
    return view.target();
  }

  @Override
  public void judged() {
    BackendView.Path before = view.path();
    BackendView.Path now = watch.judge(before);
    if (!now.equals(before)) {
      view = view.withPath(now);
      logPath(before, now);
      owner.changed();
    }
    leaveIfSilent();
  }

  private void logPath(BackendView.Path before, BackendView.Path now) {
    if (now.state() == BackendView.Path.State.LOST) {
      log.log(
          Level.WARN,
          this
              + ": unhealthy: "
              + now.reason()
              + "; "
              + PathWatch.PROBES
              + " probes in a row were not answered");
    } else if (before.state() == BackendView.Path.State.LOST) {
      log.log(Level.INFO, this + ": the data path works again");
    }
  }

  @Override
  public void narrowed(int mtu) {
    log.log(Level.WARN, this + ": the path carries packets of at most " + mtu + " bytes by now");
    view = view.withTarget(view.target().with(view.target().weight(), mtu, view.target().source()));
    owner.changed();
  }

  /** A reply to a probe has arrived on the session. */
  void answered(String token) {
    if (watch != null) {
      watch.answered(token);
    }
  }

  /** Whether probes were negotiated. */
  boolean probed() {
    return watch != null;
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

  /** Takes note of a report, which ends a return; returns whether that may affect forwarding. */
  boolean report(BackendView.Health report, ServedServices services) {
    BackendView before = view;
    if (!report.equals(before.reported())
        || before.returning()
        || !services.equals(before.services())) {
      view = view.withReport(report, services);
    }
    if (watch != null) {
      watch.begin();
    }
    return !view.equals(before);
  }

  /** The backend as queries of the registry report it. */
  BackendRegistry.Entry entry() {
    return new BackendRegistry.Entry(
        view, session.silence(), Optional.ofNullable(watch).map(PathWatch::age));
  }

  /** Name and data address, for log lines. */
  @Override
  public String toString() {
    return name() + " (" + IpAddresses.format(dataAddress()) + ")";
  }
}
