package dev.caplance.backend;

import dev.caplance.session.Message;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports when the MTU of the interface with the data address is no longer the one that the load
 * balancers and the MSS rules go by, or is too small for a backend. Any thread may call.
 */
final class MtuWatch {

  private static final Logger LOG = LoggerFactory.getLogger(MtuWatch.class);

  private final Source source;
  private final Consumer<Optional<String>> onUnusable;
  private int applied;
  private int seen;

  /** Where the current MTU comes from. */
  @FunctionalInterface
  interface Source {
    /** Bytes; empty if unknown. */
    OptionalInt mtu() throws IOException;
  }

  /**
   * A watch; {@link #apply} comes first.
   *
   * @param onUnusable told at each {@link #check} why the MTU is too small; empty if it is not
   */
  MtuWatch(Source source, Consumer<Optional<String>> onUnusable) {
    this.source = source;
    this.onUnusable = onUnusable;
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
    onUnusable.accept(problemOf(now));
    if (now.isEmpty() || now.getAsInt() == seen) {
      return;
    }
    seen = now.getAsInt();
    if (problemOf(now).isPresent()) {
      LOG.warn("{}; this backend counts as unhealthy until it is raised", problemOf(now).get());
    } else if (seen == applied) {
      LOG.info("the MTU of the interface is {} again", seen);
    } else {
      LOG.warn(
          "the MTU of the interface is now {}, but the load balancers were told {}: restart this"
              + " daemon so that packets are sized for it, or set mtu: in the configuration",
          seen,
          applied);
    }
  }

  private static Optional<String> problemOf(OptionalInt mtu) {
    return mtu.isPresent() && mtu.getAsInt() < Message.Register.MIN_MTU
        ? Optional.of(
            "the MTU of the interface is "
                + mtu.getAsInt()
                + " bytes, and at least "
                + Message.Register.MIN_MTU
                + " are needed")
        : Optional.empty();
  }
}
