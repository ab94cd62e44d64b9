package dev.caplance.backend.session;

import dev.caplance.session.Communicator;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.BooleanSupplier;

/** Makes connections. */
@FunctionalInterface
interface Connector {

  /**
   * Begins to connect.
   *
   * @param listener called whenever there is something new to read, but not before this returns
   * @throws IOException when there is no socket to be had
   */
  Connection connect(InetSocketAddress address, Runnable listener) throws IOException;

  /**
   * A connection that may still be under way.
   *
   * @param made whether it stands by now
   */
  record Connection(Communicator communicator, BooleanSupplier made) {}
}
