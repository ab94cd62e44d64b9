package dev.caplance.backend;

import java.io.IOException;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says when the MTU of the interface with the data address is not the one any more that the load
 * balancers and the MSS rules were told at the start. Used by one thread at a time.
 */
final class MtuWatch {

  private static final Logger LOG = LoggerFactory.getLogger(MtuWatch.class);

  private final Source source;
  private final int told;
  private int seen;

  /** Where the MTU of now is known. */
  @FunctionalInterface
  interface Source {
    /** Bytes; empty when it cannot be known. */
    OptionalInt mtu() throws IOException;
  }

  /**
   * A watch that has seen no change yet.
   *
   * @param told bytes
   */
  MtuWatch(Source source, int told) {
    this.source = source;
    this.told = told;
    this.seen = told;
  }

  /** Looks; logs what is new. */
  void look() throws IOException {
    OptionalInt now = source.mtu();
    if (now.isEmpty() || now.getAsInt() == seen) {
      return;
    }
    seen = now.getAsInt();
    if (seen == told) {
      LOG.info("the MTU of the interface is {} again", seen);
    } else {
      LOG.warn(
          "the MTU of the interface has become {}, the load balancers were told {}: restart this"
              + " daemon so that packets are sized for it, or set mtu: in the configuration",
          seen,
          told);
    }
  }
}
