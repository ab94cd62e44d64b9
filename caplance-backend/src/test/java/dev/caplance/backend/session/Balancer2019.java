package dev.caplance.backend.session;

import dev.caplance.session.Communicator;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;

/**
 * A load balancer of 2019 as far as backends meet it, with its faults: it takes out of its sorted
 * table whatever stands where the name would stand. It reads lines in the order in which they were
 * sent, over all connections, but one only when it is told to work: it can be as slow as a test
 * wants.
 */
final class Balancer2019 {

  private static final String END = "\n";

  private final List<String> table = new ArrayList<>();
  private final Deque<Runnable> toDo = new ArrayDeque<>();
  private int tokens;

  Balancer2019(String... neighbours) {
    table.addAll(List.of(neighbours));
    Collections.sort(table);
  }

  /** The names that get packets. */
  List<String> table() {
    return List.copyOf(table);
  }

  /** Reads one line, or the end of one connection; false when there is none. */
  boolean work() {
    Runnable next = toDo.poll();
    if (next != null) {
      next.run();
    }
    return next != null;
  }

  private boolean add(String name) {
    int at = Collections.binarySearch(table, name);
    if (at >= 0) {
      return false;
    }
    table.add(-at - 1, name);
    return true;
  }

  private boolean remove(String name) {
    int at = Collections.binarySearch(table, name);
    int found = at >= 0 ? at : -at - 1;
    if (found == table.size()) {
      return false;
    }
    table.remove(found);
    return true;
  }

  /** One connection: the backend's end, and what the load balancer does with it. */
  final class Link implements Communicator {

    private final Deque<String> toBackend = new ArrayDeque<>();
    private String name;
    private String token;
    private boolean registered;
    private boolean over;
    private boolean closed;

    /** The token of the only sanity check of this connection; null while there is none. */
    String token() {
      return token;
    }

    private void read(String line) {
      if (over) {
        return;
      }
      if (name == null) {
        register(line);
      } else if (!registered) {
        prove(line);
      } else {
        monitor(line);
      }
    }

    private void register(String line) {
      if (line.equals(END) || !add(line.split(" ")[1])) {
        hangUp();
        return;
      }
      name = line.split(" ")[1];
      token = "TOKEN" + tokens++;
    }

    private void prove(String line) {
      if (line.equals("SANE " + token)) {
        registered = true;
        toBackend.add("REGISTERED " + name + " 10.0.0.11");
        return;
      }
      if (line.equals(END)) {
        remove(name);
      }
      remove(name);
      toBackend.add("INVALID bad sanity check url");
      hangUp();
    }

    private void monitor(String line) {
      switch (line.split(" ")[0]) {
        case "PAUSE" ->
            toBackend.add(remove(name) ? "PAUSED " + name : "INVALID backend already paused");
        case "RESUME" ->
            toBackend.add(add(name) ? "RESUMED " + name : "INVALID backend already active");
        case "HEALTH" -> toBackend.add("HEALTHACK 200");
        case "DEREGISTER", END -> {
          remove(name);
          toBackend.add("DEREGISTERED " + name + " client requested deregistration");
          hangUp();
        }
        default -> toBackend.add("INVALID first token of message (" + line + ") is not an option");
      }
    }

    private void hangUp() {
      over = true;
      toBackend.add(END);
    }

    @Override
    public String readLine() throws IOException {
      if (closed || toBackend.isEmpty()) {
        return null;
      }
      if (toBackend.peek().equals(END)) {
        throw new EOFException("the peer closed the session");
      }
      return toBackend.poll();
    }

    @Override
    public void writeLine(String line) {
      if (!closed) {
        toDo.add(() -> read(line));
      }
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        toDo.add(() -> read(END));
      }
    }

    @Override
    public InetSocketAddress peer() {
      throw new UnsupportedOperationException("sessions know whom they talk to");
    }
  }
}
