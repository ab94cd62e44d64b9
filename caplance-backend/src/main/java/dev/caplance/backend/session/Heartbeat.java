package dev.caplance.backend.session;

import dev.caplance.backend.session.Requests.Reply;
import dev.caplance.session.Message;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What repeats in a registered {@link Session}: HEALTH at intervals, the path probes that arrive,
 * and how long the load balancer has been silent. One thread owns it.
 */
final class Heartbeat {

  private static final int SILENT_INTERVALS = 3;

  private static final Message.Health DATA_PATH = new Message.Health(503, "data path");

  private final SessionSettings settings;
  private final PeerState peer;
  private final Requests requests;
  private final LongSupplier nanoClock;
  private final SessionNews news;
  private Message.Health application;
  private Optional<PathWatch> path = Optional.empty();
  private long lastHeard;
  private long due;

  /**
   * For a session that is about to begin.
   *
   * @param application its health
   */
  Heartbeat(
      SessionSettings settings,
      PeerState peer,
      Requests requests,
      LongSupplier nanoClock,
      SessionNews news,
      Message.Health application) {
    this.settings = settings;
    this.peer = peer;
    this.requests = requests;
    this.nanoClock = nanoClock;
    this.news = news;
    this.application = application;
  }

  /** Has the load balancer's path probes watched from now on; it was proven just now. */
  void watchPath(Duration interval) {
    path = Optional.of(new PathWatch(interval, nanoClock.getAsLong()));
  }

  Optional<PathWatch> path() {
    return path;
  }

  /** This is the health of the application from now on. */
  void application(Message.Health health) {
    application = health;
  }

  /** Sends HEALTH; the next one is due an interval later. */
  void send() {
    due = nanoClock.getAsLong() + interval().toNanos();
    boolean pathLost = application.healthy() && path.filter(PathWatch::lost).isPresent();
    requests.send(pathLost ? DATA_PATH : application, Reply.NOBODY);
  }

  /** A line has come from the load balancer. */
  void heard() {
    lastHeard = nanoClock.getAsLong();
    path.ifPresent(watch -> watch.heard(lastHeard));
  }

  /** A path probe of the load balancer has arrived; returns whether any were agreed on. */
  boolean probed() {
    if (path.isPresent() && path.get().probed(nanoClock.getAsLong())) {
      news.pathRestored();
      send();
    }
    return path.isPresent();
  }

  /** Sends what is due. */
  void tick() {
    long now = nanoClock.getAsLong();
    if (path.isPresent() && path.get().judge(now)) {
      news.pathLost(path.get().sinceLastProbe(now));
      send();
    } else if (due - now <= 0) {
      send();
    }
  }

  /** Nanoseconds until {@link #tick} has something to do. */
  long untilDue() {
    long now = nanoClock.getAsLong();
    return Math.min(due - now, path.map(watch -> watch.untilJudged(now)).orElse(Long.MAX_VALUE));
  }

  /** Nanoseconds until the load balancer has been silent for {@link #silence}. */
  long untilSilent() {
    return lastHeard + silence().toNanos() - nanoClock.getAsLong();
  }

  /** After which it is given up. */
  Duration silence() {
    return interval().multipliedBy(SILENT_INTERVALS);
  }

  private Duration interval() {
    return settings.healthInterval(peer.legacy());
  }
}
