package dev.caplance.backend.session;

import dev.caplance.session.Communicator;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A connection whose other end is the test. */
final class FakeConnection implements Communicator {

  private final Deque<String> incoming = new ArrayDeque<>();
  private final List<String> sent = new ArrayList<>();
  private IOException failure;
  private boolean established;
  private boolean closed;

  Membership.Connector.PendingConnection asConnection() {
    return new Membership.Connector.PendingConnection(this, () -> established);
  }

  /** The TCP connection is established. */
  FakeConnection establish() {
    established = true;
    return this;
  }

  /** What comes after the lines that were given. */
  void breakWith(IOException cause) {
    failure = cause;
  }

  void give(String line) {
    incoming.add(line);
  }

  /** The lines that were written since the last call. */
  List<String> takeSent() {
    List<String> taken = List.copyOf(sent);
    sent.clear();
    return taken;
  }

  boolean closed() {
    return closed;
  }

  @Override
  public String readLine() throws IOException {
    if (closed) {
      return null;
    }
    String line = incoming.poll();
    if (line == null && failure != null) {
      throw failure;
    }
    return line;
  }

  @Override
  public void writeLine(String line) {
    if (!closed) {
      sent.add(line);
    }
  }

  @Override
  public void close() {
    closed = true;
  }

  @Override
  public InetSocketAddress peer() {
    throw new UnsupportedOperationException("sessions know whom they talk to");
  }
}
