package dev.caplance.session;

import java.io.IOException;
import java.net.InetSocketAddress;

/**
 * One end of a session: lines in, lines out, never blocking. Owned by the thread of one event loop;
 * nothing here may be called from another.
 */
public interface Communicator {

  /**
   * The next line without its line end, or null when no whole line has come yet or this end was
   * closed. The owner reads until null whenever it is told that there is something to read.
   *
   * @throws FramingException when the bytes are no lines; the owner closes
   * @throws java.io.EOFException when the peer has ended the session
   * @throws IOException when the session is broken in any other way, among them that the peer does
   *     not read what it is sent
   */
  String readLine() throws IOException;

  /**
   * Queues a line for the peer. Trouble with the peer never shows here but at the next {@link
   * #readLine}, to which the owner is called; after {@link #close} nothing happens.
   *
   * @param line without line end
   */
  void writeLine(String line);

  /** Sends what the peer takes at once of the queued lines, and closes. Idempotent. */
  void close();

  /** The address of the other end; known before a connection is made and after it is closed. */
  InetSocketAddress peer();
}
