package dev.caplance.backend.session;

import java.time.Duration;

/**
 * Judges by the path probes of one load balancer whether its packets arrive. The path counts as
 * lost when three probes in a row are missing although the load balancer was heard on the session
 * at the time: one that stands still sends no probes either, and says nothing about the path. Times
 * are nanoseconds of one clock. One thread owns it.
 */
final class PathWatch {

  private static final int MISSING = 3;

  private final Duration interval;
  private final long intervalNanos;
  private long lastProbe;
  private boolean probeDue;
  private long heard;
  private boolean lost;

  /** A path that has just been proven. */
  PathWatch(Duration interval, long now) {
    this.interval = interval;
    this.intervalNanos = interval.toNanos();
    this.lastProbe = now;
  }

  /** Between two probes of the load balancer. */
  Duration interval() {
    return interval;
  }

  boolean lost() {
    return lost;
  }

  Duration sinceLastProbe(long now) {
    return Duration.ofNanos(now - lastProbe);
  }

  /** A probe has arrived; returns whether the path was lost before. */
  boolean probed(long now) {
    boolean wasLost = lost;
    lastProbe = now;
    probeDue = false;
    lost = false;
    return wasLost;
  }

  /** The load balancer has said something, so it could also have sent a probe. */
  void heard(long now) {
    if (!probeDue && now - lastProbe >= (MISSING - 1) * intervalNanos) {
      probeDue = true;
      heard = now;
    }
  }

  /** Returns whether the path is lost from now on. */
  boolean judge(long now) {
    boolean judged = untilJudged(now) <= 0;
    lost |= judged;
    return judged;
  }

  /** Nanoseconds until {@link #judge} has something to say; {@code Long.MAX_VALUE} for never. */
  long untilJudged(long now) {
    return lost || !probeDue
        ? Long.MAX_VALUE
        : Math.max(lastProbe + MISSING * intervalNanos - now, heard + intervalNanos - now);
  }
}
