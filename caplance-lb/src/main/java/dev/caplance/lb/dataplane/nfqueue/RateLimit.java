package dev.caplance.lb.dataplane.nfqueue;

/** So many in a second and no more. Belongs to one thread. */
final class RateLimit {

  private final int most;
  private int second;
  private int taken;

  /** A limit of {@code most} in each second. */
  RateLimit(int most) {
    this.most = most;
  }

  /**
   * Takes one.
   *
   * @param now in seconds, of a clock that never goes back
   * @return false when none is left in this second
   */
  boolean take(int now) {
    if (now != second) {
      second = now;
      taken = 0;
    }
    if (taken == most) {
      return false;
    }
    taken++;
    return true;
  }
}
