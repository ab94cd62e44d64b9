package dev.caplance.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A netlink(7) socket. One thread at a time may send and receive; {@link #close} may be called by
 * any thread.
 */
public final class NetlinkSocket implements AutoCloseable {

  /** Interfaces and addresses, rtnetlink(7). */
  public static final int ROUTE = 0;

  /** nftables and others. */
  public static final int NETFILTER = 12;

  private static final int NLMSG_ERROR = 2;
  private static final int BUFFER = 1 << 16;
  private static final int ANSWER_TIMEOUT_MILLIS = 5000;

  private final LinuxSocket socket;
  private final NativeMemory buffer = NativeMemory.allocate(BUFFER);

  private NetlinkSocket(LinuxSocket socket) {
    this.socket = socket;
  }

  /** A message from the kernel. */
  public record Received(int type, int sequence, ByteBuffer payload) {

    /** The error number of an answer that refuses a request, 0 when this is none. */
    public int error() {
      return type == NLMSG_ERROR ? -payload.getInt(payload.position()) : 0;
    }

    /**
     * The value of the first attribute of a type.
     *
     * @param header bytes of the protocol's header, which stands before the attributes
     */
    public Optional<ByteBuffer> attribute(int header, int type) {
      int at = payload.position() + header;
      while (at + ATTRIBUTE_HEADER <= payload.limit()) {
        int length = Short.toUnsignedInt(payload.getShort(at));
        if (length < ATTRIBUTE_HEADER || at + length > payload.limit()) {
          return Optional.empty();
        }
        if ((payload.getShort(at + Short.BYTES) & TYPE_MASK) == type) {
          return Optional.of(payload.slice(at + ATTRIBUTE_HEADER, length - ATTRIBUTE_HEADER));
        }
        at += aligned(length);
      }
      return Optional.empty();
    }

    /** The attributes in the first attribute of a type. */
    public Optional<Received> nested(int header, int attribute) {
      return attribute(header, attribute)
          .map(value -> new Received(type, sequence, value.order(ByteOrder.nativeOrder())));
    }

    private static final int ATTRIBUTE_HEADER = 4;
    private static final int TYPE_MASK = 0x3fff;
  }

  /** Takes a message. */
  @FunctionalInterface
  public interface Reader {
    void accept(Received message);
  }

  /**
   * Opens a socket; the network namespace of this thread is the one that it belongs to.
   *
   * @param protocol {@link #ROUTE} or {@link #NETFILTER}
   * @param groups of multicast messages that it receives
   */
  public static NetlinkSocket open(int protocol, int... groups) throws LinuxException {
    LinuxSocket socket = openSocket(protocol);
    try {
      socket.setReceiveTimeout(ANSWER_TIMEOUT_MILLIS);
      for (int group : groups) {
        socket.set(Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, group);
      }
      return new NetlinkSocket(socket);
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * A netlink(7) socket of a protocol, with an identity: the kernel passes over sockets without one
   * when it tells of changes.
   */
  private static LinuxSocket openSocket(int protocol) throws LinuxException {
    LinuxSocket socket =
        LinuxSocket.open(
            Libc.AF_NETLINK, Libc.SOCK_RAW, protocol, "socket(netlink, " + protocol + ")");
    try {
      socket.bind(SocketAddress.netlink(), "bind(netlink)");
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
    return socket;
  }

  /** How long {@link #receive} waits; 5 s at first. */
  public void setReceiveTimeout(int millis) throws LinuxException {
    socket.setReceiveTimeout(millis);
  }

  /** Hands messages to the kernel. */
  public void send(NetlinkMessages messages) throws LinuxException {
    byte[] all = messages.toBytes();
    if (all.length > BUFFER) {
      socket.setSendBuffer(2 * all.length);
    }
    try (NativeMemory memory = NativeMemory.allocate(all.length)) {
      memory.nativeBytes().put(all);
      int sent = socket.write(memory.address(), all.length);
      if (sent < 0) {
        throw new LinuxException("send(netlink)", -sent);
      }
    }
  }

  /**
   * Hands messages to the kernel and waits for its answer to one of them.
   *
   * @param sequence of the message that the kernel answers, with {@link NetlinkMessages#ACK} or by
   *     what it is
   * @param call what it does, for the exception
   * @return the answer; one of type 2 is the mere acknowledgement
   * @throws LinuxException when the kernel refuses any of them
   */
  public Received request(NetlinkMessages messages, int sequence, String call)
      throws LinuxException {
    send(messages);
    List<Received> answers = new ArrayList<>();
    while (receive(call, answers::add)) {
      for (Received answer : answers) {
        if (answer.error() != 0) {
          throw new LinuxException(call, answer.error());
        }
        if (answer.sequence() == sequence) {
          return answer;
        }
      }
      answers.clear();
    }
    throw new LinuxException(call, Errno.EAGAIN);
  }

  /**
   * Waits for messages that came together and passes each to a reader. They are valid until the
   * next call.
   *
   * @param call what this is for, for the exception
   * @return false when none came in time
   * @throws LinuxException {@link Errno#ENOBUFS} when messages were lost, and others
   */
  public boolean receive(String call, Reader reader) throws LinuxException {
    int length = socket.read(buffer.address(), BUFFER);
    if (length == -Errno.EAGAIN || length == -Errno.EINTR) {
      return false;
    }
    if (length < 0) {
      throw new LinuxException(call, -length);
    }
    ByteBuffer bytes = buffer.nativeBytes();
    int at = 0;
    while (at + NetlinkMessages.HEADER <= length) {
      int size = bytes.getInt(at);
      if (size < NetlinkMessages.HEADER || at + size > length) {
        return true;
      }
      ByteBuffer payload =
          bytes
              .slice(at + NetlinkMessages.HEADER, size - NetlinkMessages.HEADER)
              .order(ByteOrder.nativeOrder());
      reader.accept(
          new Received(
              Short.toUnsignedInt(bytes.getShort(at + NetlinkMessages.TYPE)),
              bytes.getInt(at + NetlinkMessages.SEQUENCE),
              payload));
      at += aligned(size);
    }
    return true;
  }

  private static int aligned(int length) {
    return length + 3 & ~3;
  }

  @Override
  public void close() {
    socket.close();
    buffer.close();
  }
}
