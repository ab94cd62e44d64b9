package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.session.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Proves the path to a registered backend again and again: at each interval it sends a probe with a
 * fresh token, alternately as large as the path allows and as small as possible, and counts those
 * that no reply came to. A late reply proves the path as well. For the event loop's thread.
 *
 * <p>Time in which the load balancer itself stood still counts for nothing.
 */
final class PathWatch {

  /** The path is lost when as many probes in a row have no reply, or as many large ones. */
  static final int PROBES = 3;

  private final EventLoop loop;
  private final DataPath dataPath;
  private final PathProbes probes;
  private final long intervalNanos;
  private final Owner owner;
  private final Deque<Probe> underWay = new ArrayDeque<>();
  private EventLoop.Timer next;
  private long sentNanos;
  private long answeredNanos;
  private boolean nextIsLarge = true;
  private int unanswered;
  private int unansweredLarge;

  /** Hears what the probes have shown. */
  interface Owner {

    /** The backend whose path it is. */
    Target target();

    /** Another probe had a reply, or has had none for an interval. */
    void judged();

    /** Smaller packets are known to fit the path than so far. */
    void narrowed(int mtu);
  }

  private static final class Probe {
    final String token;
    final boolean large;
    boolean answered;

    Probe(String token, boolean large) {
      this.token = token;
      this.large = large;
    }
  }

  PathWatch(EventLoop loop, DataPath dataPath, PathProbes probes, Duration interval, Owner owner) {
    this.loop = loop;
    this.dataPath = dataPath;
    this.probes = probes;
    this.intervalNanos = interval.toNanos();
    this.owner = owner;
    this.answeredNanos = loop.attentiveNanos();
  }

  /** Begins, with the first probe after an interval. */
  void start() {
    sentNanos = loop.attentiveNanos();
    next = loop.schedule(Duration.ofNanos(intervalNanos), this::tick);
  }

  /** Sends the first probe now, if it has not been sent. */
  void begin() {
    if (underWay.isEmpty() && next != null) {
      next.cancel();
      send();
    }
  }

  /** Ends; replies that are still to come are nobody's. */
  void stop() {
    if (next != null) {
      next.cancel();
      next = null;
    }
    underWay.forEach(probe -> probes.end(probe.token));
    underWay.clear();
  }

  /** Takes note of a reply, by a datagram or on the session; unknown tokens are ignored. */
  void answered(String token) {
    for (Probe probe : underWay) {
      if (probe.token.equals(token) && !probe.answered) {
        probe.answered = true;
        probes.end(token);
        answeredNanos = loop.attentiveNanos();
        unanswered = 0;
        if (probe.large) {
          unansweredLarge = 0;
        }
        owner.judged();
        return;
      }
    }
  }

  /** How many probes in a row have had no reply. */
  int unanswered() {
    return unanswered;
  }

  /** Time since the last reply or, if there was none, since this was created. */
  Duration age() {
    return Duration.ofNanos(loop.attentiveNanos() - answeredNanos);
  }

  /** What the probes have shown so far, given what was known before. */
  BackendView.Path judge(BackendView.Path before) {
    if (unanswered >= PROBES) {
      return BackendView.Path.lost("data path");
    }
    if (unansweredLarge >= PROBES) {
      return BackendView.Path.lost(
          "data path: packets of " + owner.target().mtu() + " bytes are lost");
    }
    return unanswered == 0 && underWay.stream().anyMatch(probe -> probe.answered)
        ? BackendView.Path.PROVEN
        : before;
  }

  private void tick() {
    long left = sentNanos + intervalNanos - loop.attentiveNanos();
    if (left > 0) {
      next = loop.schedule(Duration.ofNanos(left), this::tick);
      return;
    }
    Probe last = underWay.peekLast();
    if (last != null && !last.answered) {
      unanswered++;
      if (last.large) {
        unansweredLarge++;
        narrow();
      }
      owner.judged();
    }
    // The owner may have stopped this.
    if (next != null) {
      send();
    }
  }

  private void send() {
    if (underWay.size() == PROBES) {
      probes.end(underWay.poll().token);
    }
    Probe probe = new Probe(probes.begin(this), nextIsLarge);
    underWay.add(probe);
    sentNanos = loop.attentiveNanos();
    next = loop.schedule(Duration.ofNanos(intervalNanos), this::tick);
    boolean sent = dataPath.probe(owner.target(), probe.token, probe.large);
    if (!sent && probe.large) {
      narrow();
    }
    nextIsLarge = !nextIsLarge;
  }

  /** Adopts the MTU that the kernel knows by now, if it is smaller. */
  private void narrow() {
    int mtu = dataPath.mtu(owner.target().address());
    if (mtu < owner.target().mtu()) {
      unansweredLarge = 0;
      owner.narrowed(mtu);
    }
  }
}
