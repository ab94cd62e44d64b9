package dev.caplance.session;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts TCP connections on an {@link EventLoop}. If the process has no file descriptor left for
 * one, it pauses instead of retrying in a busy loop; the connections wait in the kernel's backlog.
 */
public final class TcpListener implements AutoCloseable {

  /** How long it waits after a connection could not be accepted. */
  static final Duration PAUSE = Duration.ofSeconds(1);

  private static final Logger LOG = LoggerFactory.getLogger(TcpListener.class);
  private static final int BACKLOG = 1024;
  private static final int MAX_ACCEPTED_PER_TURN = 64;

  private final EventLoop loop;
  private final ServerSocketChannel server;
  private final Consumer<SocketChannel> accepted;
  private SelectionKey key;
  private boolean failing;

  private TcpListener(
      EventLoop loop, ServerSocketChannel server, Consumer<SocketChannel> accepted) {
    this.loop = loop;
    this.server = server;
    this.accepted = accepted;
  }

  /**
   * Begins to listen.
   *
   * @param accepted takes over each connection, on the loop's thread
   * @throws IOException when the address cannot be bound
   */
  public static TcpListener open(
      EventLoop loop, InetSocketAddress address, Consumer<SocketChannel> accepted)
      throws IOException {
    // Without the family, 0.0.0.0 would stand for all IPv6 addresses, too.
    ServerSocketChannel server =
        ServerSocketChannel.open(
            IpAddresses.isIpv4(address.getAddress())
                ? StandardProtocolFamily.INET
                : StandardProtocolFamily.INET6);
    try {
      server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      server.bind(address, BACKLOG);
      TcpListener listener = new TcpListener(loop, server, accepted);
      listener.key = loop.register(server, SelectionKey.OP_ACCEPT, ready -> listener.accept());
      return listener;
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  /** The address on which it listens. */
  public InetSocketAddress address() {
    return (InetSocketAddress) server.socket().getLocalSocketAddress();
  }

  /** Stops listening; connections that were accepted stay. On the loop's thread. */
  @Override
  public void close() throws IOException {
    server.close();
  }

  private void accept() {
    for (int i = 0; i < MAX_ACCEPTED_PER_TURN; i++) {
      try {
        SocketChannel channel = server.accept();
        if (channel == null) {
          return;
        }
        failing = false;
        hand(channel);
      } catch (IOException e) {
        pause(e);
        return;
      }
    }
  }

  private void hand(SocketChannel channel) throws IOException {
    try {
      accepted.accept(channel);
    } catch (RuntimeException e) {
      LOG.error("closing a connection after an unexpected failure", e);
      channel.close();
    }
  }

  private void pause(IOException cause) {
    if (!failing) {
      failing = true;
      LOG.warn(
          "cannot accept connections to {}, they have to wait: {}", address(), cause.getMessage());
    }
    key.interestOps(0);
    loop.schedule(
        PAUSE,
        () -> {
          if (key.isValid()) {
            key.interestOps(SelectionKey.OP_ACCEPT);
          }
        });
  }
}
