package dev.caplance.backend;

import java.io.IOException;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports when the MTU of the interface with the data address is no longer the one that the load
 * balancers and the MSS rules go by. Any thread may call.
 */
final class MtuWatch {

  private static final Logger LOG = LoggerFactory.getLogger(MtuWatch.class);

  private final Source source;
  private int applied;
  private int seen;

  /** Where the current MTU comes from. */
  @FunctionalInterface
  interface Source {
    /** Bytes; empty if unknown. */
    OptionalInt mtu() throws IOException;
  }

  /** A watch; {@link #apply} comes first. */
  MtuWatch(Source source) {
    this.source = source;
  }

  /**
   * The load balancers and the MSS rules go by this MTU from now on.
   *
   * @param mtu bytes
   */
  synchronized void apply(int mtu) {
    applied = mtu;
    seen = mtu;
  }

  /** Reads the MTU; logs a change. */
  synchronized void check() throws IOException {
    OptionalInt now = source.mtu();
    if (now.isEmpty() || now.getAsInt() == seen) {
      return;
    }
    seen = now.getAsInt();
    if (seen == applied) {
      LOG.info("the MTU of the interface is {} again", seen);
    } else {
      LOG.warn(
          "the MTU of the interface is now {}, but the load balancers were told {}: restart this"
              + " daemon so that packets are sized for it, or set mtu: in the configuration",
          seen,
          applied);
    }
  }
}
