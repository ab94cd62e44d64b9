package dev.caplance.session;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;

/**
 * A session over TCP on an {@link EventLoop}. It owns its channel and two bounded buffers: input
 * for a line and a little more, output for a slow peer. A peer that lets the output fill up is
 * disconnected, so no peer can make it hold more.
 *
 * <p>Created by {@link #connecting} or {@link #accepted}, it does nothing until {@link #start} sets
 * its listener, which is called on the loop's thread whenever {@link #readLine} has something new:
 * lines, the end, or a failure.
 */
public final class TcpCommunicator implements Communicator {

  private static final int INPUT_BYTES = 2 * MessageCodec.MAX_LINE;
  private static final int MAX_OUTPUT_BYTES = 64 * 1024;
  private static final int MAX_DISCARDED_READS = 64;

  /** The input of a session with no unread bytes, as most have none most of the time. */
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final EventLoop loop;
  private final SocketChannel channel;
  private final InetSocketAddress peer;
  private ByteBuffer input = NOTHING;
  private final ArrayDeque<ByteBuffer> output = new ArrayDeque<>();
  private int outputBytes;
  private Runnable listener;
  private SelectionKey key;
  private boolean ended;
  private IOException failure;
  private boolean closed;

  private TcpCommunicator(EventLoop loop, SocketChannel channel, InetSocketAddress peer) {
    this.loop = loop;
    this.channel = channel;
    this.peer = peer;
  }

  /**
   * A session that {@link #start} will connect to a resolved address. There is no timeout but that
   * of the kernel; {@link #close} gives up.
   *
   * @throws IOException when no socket can be opened
   */
  public static TcpCommunicator connecting(EventLoop loop, InetSocketAddress peer)
      throws IOException {
    return new TcpCommunicator(loop, SocketChannel.open(), peer);
  }

  /**
   * A session over a connection that was accepted.
   *
   * @throws IOException when the connection is already gone; the channel is closed then
   */
  public static TcpCommunicator accepted(EventLoop loop, SocketChannel channel) throws IOException {
    try {
      return new TcpCommunicator(loop, channel, (InetSocketAddress) channel.getRemoteAddress());
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Begins. Lines may be written from now on, even while the connection is being established, after
   * which they are sent. That it cannot be established is reported like any other failure.
   */
  public void start(Runnable listener) {
    this.listener = listener;
    try {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      key = loop.register(channel, SelectionKey.OP_READ, new Handler());
      if (!channel.isConnected() && !channel.connect(peer)) {
        key.interestOps(SelectionKey.OP_CONNECT);
      }
    } catch (UnsupportedAddressTypeException e) {
      fail(new IOException("this machine has no sockets for addresses like " + peer, e));
    } catch (IOException e) {
      fail(e);
    }
  }

  @Override
  public String readLine() throws IOException {
    if (closed) {
      return null;
    }
    String line = nextLine();
    if (line == null && failure != null) {
      throw failure;
    }
    if (line == null && ended) {
      throw new EOFException("the peer closed the session");
    }
    return line;
  }

  @Override
  public void writeLine(String line) {
    if (closed || failure != null) {
      return;
    }
    byte[] bytes = (line + "\n").getBytes(StandardCharsets.US_ASCII);
    if (outputBytes + bytes.length > MAX_OUTPUT_BYTES) {
      fail(new IOException("the peer does not read what it is sent"));
      return;
    }
    output.add(ByteBuffer.wrap(bytes));
    outputBytes += bytes.length;
    flush();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      output.clear();
      closeChannel();
    }
  }

  @Override
  public InetSocketAddress peer() {
    return peer;
  }

  /** This end's address; null before there is a connection, and after it is closed. */
  public InetSocketAddress localAddress() {
    try {
      return channel.isConnected() ? (InetSocketAddress) channel.getLocalAddress() : null;
    } catch (IOException e) {
      return null;
    }
  }

  private final class Handler implements EventLoop.ChannelHandler {

    @Override
    public void ready(SelectionKey ready) {
      if (ready.isConnectable()) {
        finishConnect();
        return;
      }
      if (ready.isWritable()) {
        flush();
      }
      if (ready.isValid() && ready.isReadable()) {
        receive();
        listener.run();
      }
    }

    @Override
    public void failed(Throwable cause) {
      fail(new IOException("unexpected failure: " + cause, cause));
    }
  }

  private void finishConnect() {
    try {
      if (channel.finishConnect()) {
        key.interestOps(SelectionKey.OP_READ);
        flush();
      }
    } catch (IOException e) {
      fail(e);
    }
  }

  /** Reads once; the rest waits for the next turn, so that other sessions get their turn. */
  private void receive() {
    input = input.capacity() == 0 ? ByteBuffer.allocate(INPUT_BYTES) : input.compact();
    try {
      if (channel.read(input) < 0) {
        // The peer may still read: the replies to its last lines are sent.
        ended = true;
        key.interestOpsAnd(~SelectionKey.OP_READ);
      }
    } catch (IOException e) {
      fail(e);
    } finally {
      input.flip();
    }
  }

  private void flush() {
    if (key == null || !channel.isConnected()) {
      return;
    }
    try {
      while (!output.isEmpty()) {
        ByteBuffer line = output.peek();
        outputBytes -= channel.write(line);
        if (line.hasRemaining()) {
          key.interestOpsOr(SelectionKey.OP_WRITE);
          return;
        }
        output.remove();
      }
      key.interestOpsAnd(~SelectionKey.OP_WRITE);
    } catch (IOException e) {
      fail(e);
    }
  }

  /** Ends the connection because of the first failure, and notifies the owner in another turn. */
  private void fail(IOException cause) {
    if (closed || failure != null) {
      return;
    }
    failure = cause;
    output.clear();
    closeChannel();
    loop.execute(listener);
  }

  private void closeChannel() {
    try (channel) {
      // Unread input would turn the close into a reset, which may overtake the last lines.
      for (int reads = 0; channel.isConnected() && reads < MAX_DISCARDED_READS; reads++) {
        if (channel.read(ByteBuffer.allocate(INPUT_BYTES)) <= 0) {
          break;
        }
      }
    } catch (IOException e) {
      // The connection was already broken or closed; nobody is interested any more.
    }
  }

  private String nextLine() throws FramingException {
    for (int i = input.position(); i < input.limit(); i++) {
      byte b = input.get(i);
      int length = i - input.position();
      if (b == '\n') {
        return takeLine(length);
      }
      boolean mayEnd = b == '\r' && (i + 1 == input.limit() || input.get(i + 1) == '\n');
      if (!mayEnd && !Syntax.isPrintable(b)) {
        throw new FramingException(
            String.format(
                "byte 0x%02x is not printable ASCII; send lines of text that end in \\n", b));
      }
      if (!mayEnd && length >= MessageCodec.MAX_LINE) {
        throw new FramingException(
            "the line is longer than " + MessageCodec.MAX_LINE + " bytes; send shorter ones");
      }
    }
    if (!input.hasRemaining()) {
      input = NOTHING;
    }
    return null;
  }

  private String takeLine(int length) {
    byte[] bytes = new byte[length];
    input.get(bytes).get();
    int end = length > 0 && bytes[length - 1] == '\r' ? length - 1 : length;
    return new String(bytes, 0, end, StandardCharsets.US_ASCII);
  }
}
