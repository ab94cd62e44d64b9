package dev.caplance.session;

import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * One end of a session: reads and writes lines, never blocking. Owned by the thread of one event
 * loop; no other thread may call.
 */
public interface Communicator {

  /**
   * The next line without its line end; null if no complete line has arrived yet or this end is
   * closed. The owner reads until null whenever it is notified that there is something to read.
   *
   * @throws FramingException when the bytes are not lines; the owner closes
   * @throws java.io.EOFException when the peer has ended the session
   * @throws IOException when the session is broken in any other way, also because the peer does not
   *     read what it is sent
   */
  String readLine() throws IOException;

  /**
   * Queues a line for the peer. Failures are reported by the next {@link #readLine}, for which the
   * owner is notified; after {@link #close} nothing happens.
   *
   * @param line without line end
   */
  void writeLine(String line);

  /** Sends as much of the queued lines as is possible without waiting, and closes. Idempotent. */
  void close();

  /** The address of the other end; known before the connection is made and after it is closed. */
  InetSocketAddress peer();
}
