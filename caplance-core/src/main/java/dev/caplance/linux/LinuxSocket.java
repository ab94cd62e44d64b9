package dev.caplance.linux;

import com.sun.jna.Native;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * A datagram socket that sends and receives in batches. Receiving belongs to one thread, sending to
 * one thread; {@link #close} may be called once both have ended.
 */
public final class LinuxSocket implements AutoCloseable {

  /** Nothing is sent to it. */
  private static final int ANY_PORT = 9;

  private final int fd;
  private final boolean owned;

  private LinuxSocket(int fd, boolean owned) {
    this.fd = fd;
    this.owned = owned;
  }

  /**
   * A UDP socket of the address's family whose packets may be fragmented on their way: they carry
   * what others sent, so nobody could make them smaller.
   *
   * @param local where it is bound; the unspecified address for any
   * @param port 0 for one that the kernel chooses
   */
  public static LinuxSocket udp(InetAddress local, int port) throws LinuxException {
    SocketAddress address = SocketAddress.of(local, port);
    LinuxSocket socket = open(address.family, Libc.SOCK_DGRAM, 0, "socket(udp)");
    try {
      if (address.family == Libc.AF_INET) {
        socket.set(Libc.IPPROTO_IP, Libc.IP_MTU_DISCOVER, Libc.IP_PMTUDISC_DONT);
      } else {
        socket.set(Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 1);
        socket.set(Libc.IPPROTO_IPV6, Libc.IPV6_MTU_DISCOVER, Libc.IP_PMTUDISC_DONT);
      }
      socket.bind(address, "bind(" + local.getHostAddress() + ", " + port + ")");
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
    return socket;
  }

  /**
   * Bytes of the largest packet that gets to an address whole, as far as this machine knows ({@code
   * IP_MTU} of ip(7)): that of the interface, of the route, or what a router has said.
   */
  public static int mtuOfWayTo(InetAddress to) throws LinuxException {
    SocketAddress address = SocketAddress.of(to, ANY_PORT);
    boolean ipv4 = address.family == Libc.AF_INET;
    try (LinuxSocket socket = open(address.family, Libc.SOCK_DGRAM, 0, "socket(udp)");
        NativeMemory name = NativeMemory.allocate(SocketAddress.MAX_LENGTH)) {
      address.writeTo(name.nativeBytes(), 0);
      if (Libc.connect(socket.fd, name.address(), address.length) < 0) {
        throw LinuxException.last("connect(" + to.getHostAddress() + ")");
      }
      return ipv4
          ? socket.get(Libc.IPPROTO_IP, Libc.IP_MTU)
          : socket.get(Libc.IPPROTO_IPV6, Libc.IPV6_MTU);
    }
  }

  /** A raw socket that sends whole IPv4 packets ({@code IP_HDRINCL}, raw(7)). Needs CAP_NET_RAW. */
  public static LinuxSocket rawIpv4() throws LinuxException {
    return open(Libc.AF_INET, Libc.SOCK_RAW, Libc.IPPROTO_RAW, "socket(raw IPv4)");
  }

  /** A raw socket that sends whole IPv6 packets ({@code IPV6_HDRINCL}). Needs CAP_NET_RAW. */
  public static LinuxSocket rawIpv6() throws LinuxException {
    return open(Libc.AF_INET6, Libc.SOCK_RAW, Libc.IPPROTO_RAW, "socket(raw IPv6)")
        .with(Libc.IPPROTO_IPV6, Libc.IPV6_HDRINCL);
  }

  /**
   * A socket that sends frames, each behind a {@code struct virtio_net_hdr} (packet(7), {@code
   * PACKET_VNET_HDR}). Needs CAP_NET_RAW.
   */
  static LinuxSocket frames() throws LinuxException {
    return open(Libc.AF_PACKET, Libc.SOCK_RAW, 0, "socket(packet)")
        .with(Libc.SOL_PACKET, Libc.PACKET_VNET_HDR);
  }

  /** A socket that another library opened and closes. */
  public static LinuxSocket borrowed(int fd) {
    return new LinuxSocket(fd, false);
  }

  /**
   * Sends one frame on the link behind an interface (packet(7)). Needs CAP_NET_RAW.
   *
   * @param destination the MAC it goes to, six bytes
   * @param payload the frame without its Ethernet header
   */
  public static void sendFrame(
      int interfaceIndex, int etherType, byte[] destination, byte[] payload) throws LinuxException {
    try (LinuxSocket socket = open(Libc.AF_PACKET, Libc.SOCK_DGRAM, 0, "socket(packet)")) {
      socket.sendOne(payload, SocketAddress.link(interfaceIndex, etherType, destination));
    }
  }

  private static LinuxSocket open(int family, int type, int protocol, String call)
      throws LinuxException {
    int fd = Libc.socket(family, type | Libc.SOCK_CLOEXEC, protocol);
    if (fd < 0) {
      throw LinuxException.last(call);
    }
    return new LinuxSocket(fd, true);
  }

  /** With an option switched on; closed when that fails. */
  private LinuxSocket with(int level, int option) throws LinuxException {
    try {
      set(level, option, 1);
    } catch (LinuxException e) {
      close();
      throw e;
    }
    return this;
  }

  private void bind(SocketAddress address, String call) throws LinuxException {
    try (NativeMemory name = NativeMemory.allocate(SocketAddress.MAX_LENGTH)) {
      address.writeTo(name.nativeBytes(), 0);
      if (Libc.bind(fd, name.address(), address.length) < 0) {
        throw LinuxException.last(call);
      }
    }
  }

  private void sendOne(byte[] message, SocketAddress to) throws LinuxException {
    try (NativeMemory data = NativeMemory.allocate(message.length);
        SendBatch batch = new SendBatch(1, false)) {
      data.nativeBytes().put(message);
      batch.addDatagram(batch.add(to, 0), data.address(), message.length);
      if (Libc.sendmmsg(fd, batch.headers.address(0), 1, 0) < 0) {
        throw LinuxException.last("sendmmsg(..)");
      }
    }
  }

  /**
   * Waits for the first message, at most as long as {@link #setReceiveTimeout} says, and takes what
   * else is there. Allocates nothing.
   *
   * @return how many messages lie in the batch, or the negative error number; {@code -}{@link
   *     Errno#EAGAIN} when the time ran out
   */
  public int receive(ReceiveBatch batch) {
    return receive(batch, batch.capacity());
  }

  /** The same with so many messages at most. */
  public int receive(ReceiveBatch batch, int most) {
    batch.restoreRoom();
    int count = Libc.recvmmsg(fd, batch.headers.address(0), most, Libc.MSG_WAITFORONE, 0);
    batch.received(Math.max(count, 0));
    return count < 0 ? -Native.getLastError() : count;
  }

  /**
   * Sends the messages of the batch from {@code first} on, without waiting for room. Allocates
   * nothing.
   *
   * @return how many were sent: fewer than there are when one failed, whose error the next call
   *     that begins with it gives; or the negative error number of message {@code first}
   */
  int send(SendBatch batch, int first) {
    int count =
        Libc.sendmmsg(fd, batch.headers.address(first), batch.count() - first, Libc.MSG_DONTWAIT);
    return count < 0 ? -Native.getLastError() : count;
  }

  /** Sends the message that {@link SendBatch#takeDatagram} made, like {@link #send}. */
  int sendSpare(SendBatch batch) {
    long message = batch.headers.address(batch.spare());
    int count = Libc.sendmmsg(fd, message, 1, Libc.MSG_DONTWAIT);
    return count < 0 ? -Native.getLastError() : count;
  }

  /**
   * Whether the kernel knows how to send runs of datagrams; an interface may refuse them yet (Linux
   * 4.18, {@code UDP_SEGMENT} of udp(7)).
   */
  public boolean takesRuns() {
    try {
      set(Libc.IPPROTO_UDP, Libc.UDP_SEGMENT, 0);
      return true;
    } catch (LinuxException e) {
      return false;
    }
  }

  /**
   * Asks for datagrams that came as a run to be received as one message (Linux 5.0, {@code UDP_GRO}
   * of udp(7)); see {@link ReceiveBatch#datagramSize}.
   *
   * @return false when the kernel cannot
   */
  public boolean joinDatagrams() {
    try {
      set(Libc.IPPROTO_UDP, Libc.UDP_GRO, 1);
      return true;
    } catch (LinuxException e) {
      return false;
    }
  }

  /** Sends bytes outside the heap to nobody in particular, as netlink sockets do. */
  public int send(long address, int length) {
    return Libc.sendto(fd, address, length, 0, 0, 0) < 0 ? -Native.getLastError() : length;
  }

  /** How long {@link #receive} waits before it returns with {@link Errno#EAGAIN}. */
  public void setReceiveTimeout(int millis) throws LinuxException {
    try (NativeMemory timeval = NativeMemory.allocate(16)) {
      ByteBuffer bytes = timeval.nativeBytes();
      bytes.putLong(0, millis / 1000);
      bytes.putLong(8, millis % 1000 * 1000L);
      set(Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeval, 16);
    }
  }

  /** Sets the receive buffer in bytes, past the system's limit. Needs CAP_NET_ADMIN. */
  public void setReceiveBuffer(int bytes) throws LinuxException {
    set(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, bytes);
  }

  /** Sets the send buffer in bytes, past the system's limit. Needs CAP_NET_ADMIN. */
  public void setSendBuffer(int bytes) throws LinuxException {
    set(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, bytes);
  }

  /** Sets an option whose value is an {@code int}. */
  public void set(int level, int name, int value) throws LinuxException {
    try (NativeMemory memory = NativeMemory.allocate(4)) {
      memory.nativeBytes().putInt(0, value);
      set(level, name, memory, 4);
    }
  }

  private void set(int level, int name, NativeMemory value, int length) throws LinuxException {
    if (Libc.setsockopt(fd, level, name, value.address(), length) < 0) {
      throw LinuxException.last("setsockopt(" + level + ", " + name + ")");
    }
  }

  private int get(int level, int name) throws LinuxException {
    try (NativeMemory memory = NativeMemory.allocate(8)) {
      memory.nativeBytes().putInt(4, 4);
      if (Libc.getsockopt(fd, level, name, memory.address(), memory.address() + 4) < 0) {
        throw LinuxException.last("getsockopt(" + level + ", " + name + ")");
      }
      return memory.nativeBytes().getInt(0);
    }
  }

  /** The port that the socket is bound to. */
  public int localPort() throws LinuxException {
    try (NativeMemory name = NativeMemory.allocate(SocketAddress.MAX_LENGTH + 8)) {
      name.nativeBytes().putInt(SocketAddress.MAX_LENGTH, SocketAddress.MAX_LENGTH);
      if (Libc.getsockname(fd, name.address(), name.address() + SocketAddress.MAX_LENGTH) < 0) {
        throw LinuxException.last("getsockname(..)");
      }
      return Short.toUnsignedInt(name.networkBytes().getShort(2));
    }
  }

  @Override
  public void close() {
    if (owned) {
      Libc.close(fd);
    }
  }
}
