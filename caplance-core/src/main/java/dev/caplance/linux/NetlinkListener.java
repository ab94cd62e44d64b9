package dev.caplance.linux;

import java.util.function.Predicate;

/**
 * A thread that waits for multicast messages of netlink(7) and says when one came that matters. Any
 * thread may call {@link #close}.
 */
public final class NetlinkListener implements AutoCloseable {

  /** How soon the thread sees that it is no longer wanted. */
  private static final int PATIENCE_MILLIS = 500;

  private final NetlinkSocket socket;
  private final Predicate<NetlinkSocket.Received> matters;
  private final Runnable onChange;
  private final Thread thread;
  private volatile boolean closed;

  private NetlinkListener(
      String name,
      NetlinkSocket socket,
      Predicate<NetlinkSocket.Received> matters,
      Runnable onChange) {
    this.socket = socket;
    this.matters = matters;
    this.onChange = onChange;
    this.thread = new Thread(this::run, name);
  }

  /**
   * Starts a listener.
   *
   * @param name of the thread
   * @param protocol see {@link NetlinkSocket#open}
   * @param groups see {@link NetlinkSocket#open}
   * @param matters whether a message does
   * @param onChange called by the thread, once for messages that came together; returns soon
   */
  public static NetlinkListener start(
      String name,
      int protocol,
      int[] groups,
      Predicate<NetlinkSocket.Received> matters,
      Runnable onChange)
      throws LinuxException {
    NetlinkSocket socket = NetlinkSocket.open(protocol, groups);
    try {
      socket.setReceiveTimeout(PATIENCE_MILLIS);
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
    NetlinkListener listener = new NetlinkListener(name, socket, matters, onChange);
    listener.thread.setDaemon(true);
    listener.thread.start();
    return listener;
  }

  private void run() {
    try (socket) {
      while (!closed) {
        if (await()) {
          onChange.run();
        }
      }
    }
  }

  private boolean await() {
    boolean[] found = new boolean[1];
    try {
      socket.receive("recv(netlink)", message -> found[0] |= matters.test(message));
    } catch (LinuxException e) {
      return true;
    }
    return found[0];
  }

  /** Returns at once; the thread ends soon. */
  @Override
  public void close() {
    closed = true;
  }
}
