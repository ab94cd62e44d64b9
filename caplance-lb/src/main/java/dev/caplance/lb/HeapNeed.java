package dev.caplance.lb;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much heap a load balancer needs at most, given the limits of its configuration. The numbers
 * are measured; {@code docs/architecture.md} has them.
 */
final class HeapNeed {

  private static final Logger LOG = LoggerFactory.getLogger(HeapNeed.class);

  private static final long MEGABYTE = 1 << 20;

  /** The classes, the clients of the control socket, and room to collect garbage in. */
  private static final long BASE = 24 * MEGABYTE;

  /** A registration with its session, and its part of a status that is being answered. */
  private static final long PER_BACKEND = 5 * 1024;

  /** A slot is a char, and the next table is built while the current one is in use. */
  private static final long PER_SLOT = 2 * Character.BYTES;

  private HeapNeed() {}

  /**
   * The most that is needed, in megabytes.
   *
   * @param backends that may be registered
   * @param services each of which may have backends of its own, and so a Maglev table
   * @param slots of each Maglev table
   */
  static long megabytes(int backends, int services, int slots) {
    return (BASE + backends * PER_BACKEND + (long) services * slots * PER_SLOT) / MEGABYTE;
  }

  /** Logs a warning if this process has less than the configuration allows to be used. */
  static void warnIfMoreThanThereIs(LbConfig config) {
    long available = Runtime.getRuntime().maxMemory() / MEGABYTE;
    long needed =
        megabytes(config.session().maxBackends(), config.services().size(), config.maglevSize());
    if (needed > available) {
      LOG.warn(
          "as many backends and services as the configuration allows can need a heap of {} MB, and"
              + " this process has {} MB; set -Xmx{}m in CAPLANCE_JAVA_OPTS",
          needed,
          available,
          needed);
    }
  }
}
