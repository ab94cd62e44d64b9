package dev.caplance.backend.session;

import dev.caplance.session.Communicator;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.BooleanSupplier;

/** Opens TCP connections. */
@FunctionalInterface
interface Connector {

  /**
   * Begins to connect.
   *
   * @param onReadable called whenever there is something new to read, but not before this returns
   * @throws IOException if no socket is available
   */
  PendingConnection connect(InetSocketAddress address, Runnable onReadable) throws IOException;

  /**
   * A connection that may not be established yet.
   *
   * @param established whether it is by now
   */
  record PendingConnection(Communicator communicator, BooleanSupplier established) {}
}
