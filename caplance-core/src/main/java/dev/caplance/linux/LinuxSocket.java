package dev.caplance.linux;

import com.sun.jna.Native;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A datagram socket that sends and receives in batches. It owns its descriptor, unless that was
 * {@link #borrowed}; whoever opened it closes it. One thread may receive and one may send. {@link
 * #close} may be called by any thread and more than once; calls that come later fail with EBADF.
 */
public final class LinuxSocket implements SendBatch.Sink {

  private static final int CLOSED = -1;

  /** Nothing is sent to it. */
  private static final int ANY_PORT = 9;

  /** Bytes of {@code struct timeval { long seconds; long microseconds; }}. */
  private static final int TIMEVAL = 16;

  private static final int TIMEVAL_MICROS = 8;

  private final AtomicInteger fd;
  private final boolean owned;

  private LinuxSocket(int fd, boolean owned) {
    this.fd = new AtomicInteger(fd);
    this.owned = owned;
  }

  /**
   * A UDP socket of the address's family whose packets may be fragmented: what they carry comes
   * from others and cannot be made smaller here.
   *
   * @param local the address that it is bound to; the unspecified one for any
   * @param port 0 to have the kernel choose one
   */
  public static LinuxSocket udp(InetAddress local, int port) throws LinuxException {
    return udp(local, port, Libc.IP_PMTUDISC_DONT);
  }

  /**
   * The same, but its packets are never fragmented: those that exceed the path MTU that this
   * machine knows are refused ({@link Errno#EMSGSIZE}), and routers drop those that exceed theirs.
   */
  public static LinuxSocket udpUnfragmented(InetAddress local, int port) throws LinuxException {
    return udp(local, port, Libc.IP_PMTUDISC_DO);
  }

  private static LinuxSocket udp(InetAddress local, int port, int mtuDiscovery)
      throws LinuxException {
    SocketAddress address = SocketAddress.of(local, port);
    LinuxSocket socket = open(address.family, Libc.SOCK_DGRAM, 0, "socket(udp)");
    try {
      if (address.family == Libc.AF_INET) {
        socket.set(Libc.IPPROTO_IP, Libc.IP_MTU_DISCOVER, mtuDiscovery);
      } else {
        socket.set(Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 1);
        socket.set(Libc.IPPROTO_IPV6, Libc.IPV6_MTU_DISCOVER, mtuDiscovery);
      }
      socket.bind(address, "bind(" + local.getHostAddress() + ", " + port + ")");
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
    return socket;
  }

  /**
   * The path MTU to an address in bytes, as far as this machine knows it ({@code IP_MTU} of ip(7)):
   * that of the interface, of the route, or what a router has reported.
   */
  public static int pathMtu(InetAddress to) throws LinuxException {
    SocketAddress address = SocketAddress.of(to, ANY_PORT);
    boolean ipv4 = address.family == Libc.AF_INET;
    try (LinuxSocket socket = open(address.family, Libc.SOCK_DGRAM, 0, "socket(udp)");
        NativeMemory name = NativeMemory.allocate(SocketAddress.MAX_LENGTH)) {
      address.writeTo(name.nativeBytes(), 0);
      if (Libc.connect(socket.fd.get(), name.address(), address.length) < 0) {
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

  /** A socket of a descriptor that another library opened and closes. */
  public static LinuxSocket borrowed(int fd) {
    return new LinuxSocket(fd, false);
  }

  static LinuxSocket open(int family, int type, int protocol, String call) throws LinuxException {
    int fd = Libc.socket(family, type | Libc.SOCK_CLOEXEC, protocol);
    if (fd < 0) {
      throw LinuxException.last(call);
    }
    return new LinuxSocket(fd, true);
  }

  /** Returns this socket with an option switched on, or closes it when that fails. */
  private LinuxSocket with(int level, int option) throws LinuxException {
    try {
      set(level, option, 1);
    } catch (LinuxException e) {
      close();
      throw e;
    }
    return this;
  }

  void bind(SocketAddress address, String call) throws LinuxException {
    try (NativeMemory name = NativeMemory.allocate(SocketAddress.MAX_LENGTH)) {
      address.writeTo(name.nativeBytes(), 0);
      if (Libc.bind(fd.get(), name.address(), address.length) < 0) {
        throw LinuxException.last(call);
      }
    }
  }

  void sendOne(byte[] message, SocketAddress to) throws LinuxException {
    try (NativeMemory data = NativeMemory.allocate(message.length);
        NativeMemory name = NativeMemory.allocate(SocketAddress.MAX_LENGTH)) {
      data.nativeBytes().put(message);
      to.writeTo(name.nativeBytes(), 0);
      long sent =
          Libc.sendto(fd.get(), data.address(), message.length, 0, name.address(), to.length);
      if (sent < 0) {
        throw LinuxException.last("sendto(..)");
      }
    }
  }

  /**
   * Waits for a message, at most as long as {@link #setReceiveTimeout} says, and takes what else
   * has come by then. Allocates nothing.
   *
   * @param most messages to take; never more than the batch has room for
   * @return how many messages lie in the batch, or the negative error number; {@code -}{@link
   *     Errno#EAGAIN} when none came in time
   */
  public int receive(ReceiveBatch batch, int most) {
    batch.restoreRoom();
    int count =
        Libc.recvmmsg(
            fd.get(),
            batch.headers.address(0),
            Math.min(most, batch.capacity()),
            Libc.MSG_WAITFORONE,
            0);
    batch.received(Math.max(count, 0));
    return count < 0 ? -Native.getLastError() : count;
  }

  /** The same with as many messages as the batch has room for. */
  public int receive(ReceiveBatch batch) {
    return receive(batch, batch.capacity());
  }

  @Override
  public int send(long messages, int count) {
    int sent = Libc.sendmmsg(fd.get(), messages, count, Libc.MSG_DONTWAIT);
    return sent < 0 ? -Native.getLastError() : sent;
  }

  /**
   * Sends bytes outside the heap to the kernel, as netlink sockets do. Allocates nothing.
   *
   * @return {@code length}, or a negative error number
   */
  public int write(long address, int length) {
    return Libc.sendto(fd.get(), address, length, 0, 0, 0) < 0 ? -Native.getLastError() : length;
  }

  /**
   * Waits for one message, at most as long as {@link #setReceiveTimeout} says, and writes it to
   * memory outside the heap.
   *
   * @return its length, at most {@code length}, or a negative error number
   */
  int read(long address, int length) {
    long count = Libc.recv(fd.get(), address, length, 0);
    return count < 0 ? -Native.getLastError() : (int) count;
  }

  /**
   * Whether the kernel can send GSO batches (Linux 4.18, {@code UDP_SEGMENT} of udp(7)). An
   * interface may still refuse them.
   */
  public boolean supportsGso() {
    return tries(Libc.UDP_SEGMENT, 0);
  }

  /**
   * Has datagrams that came together received as one message, a GRO batch (Linux 5.0, {@code
   * UDP_GRO} of udp(7)); see {@link ReceiveBatch#datagramSize}.
   *
   * @return false when the kernel cannot
   */
  public boolean enableGro() {
    return tries(Libc.UDP_GRO, 1);
  }

  private boolean tries(int udpOption, int value) {
    try {
      set(Libc.IPPROTO_UDP, udpOption, value);
      return true;
    } catch (LinuxException e) {
      return false;
    }
  }

  /** How long {@link #receive} waits before it returns with {@link Errno#EAGAIN}. */
  public void setReceiveTimeout(int millis) throws LinuxException {
    try (NativeMemory timeval = NativeMemory.allocate(TIMEVAL)) {
      ByteBuffer bytes = timeval.nativeBytes();
      bytes.putLong(0, millis / 1000);
      bytes.putLong(TIMEVAL_MICROS, millis % 1000 * 1000L);
      set(Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, timeval, TIMEVAL);
    }
  }

  /**
   * Sets the receive buffer in bytes. Past the system's limit (net.core.rmem_max) only with
   * CAP_NET_ADMIN over the whole machine, which a container of its own user namespace lacks.
   */
  public void setReceiveBuffer(int bytes) throws LinuxException {
    setBuffer(Libc.SO_RCVBUFFORCE, Libc.SO_RCVBUF, bytes);
  }

  /** The same for the send buffer (net.core.wmem_max). */
  public void setSendBuffer(int bytes) throws LinuxException {
    setBuffer(Libc.SO_SNDBUFFORCE, Libc.SO_SNDBUF, bytes);
  }

  private void setBuffer(int force, int within, int bytes) throws LinuxException {
    try {
      set(Libc.SOL_SOCKET, force, bytes);
    } catch (LinuxException e) {
      if (e.errno() != Errno.EPERM) {
        throw e;
      }
      set(Libc.SOL_SOCKET, within, bytes);
    }
  }

  /**
   * Sends and receives through one interface only ({@code SO_BINDTODEVICE} of socket(7)), whatever
   * other routes say. Needs CAP_NET_RAW.
   */
  public void bindToDevice(String name) throws LinuxException {
    byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
    try (NativeMemory memory = NativeMemory.allocate(bytes.length)) {
      memory.nativeBytes().put(bytes);
      if (Libc.setsockopt(
              fd.get(), Libc.SOL_SOCKET, Libc.SO_BINDTODEVICE, memory.address(), bytes.length)
          < 0) {
        throw LinuxException.last("setsockopt(SO_BINDTODEVICE, " + name + ")");
      }
    }
  }

  /** Sets an option whose value is an {@code int}. */
  public void set(int level, int name, int value) throws LinuxException {
    try (NativeMemory memory = NativeMemory.allocate(Integer.BYTES)) {
      memory.nativeBytes().putInt(0, value);
      set(level, name, memory, Integer.BYTES);
    }
  }

  void set(int level, int name, NativeMemory value, int length) throws LinuxException {
    if (Libc.setsockopt(fd.get(), level, name, value.address(), length) < 0) {
      throw LinuxException.last("setsockopt(" + level + ", " + name + ")");
    }
  }

  private int get(int level, int name) throws LinuxException {
    try (NativeMemory memory = NativeMemory.allocate(2 * Integer.BYTES)) {
      memory.nativeBytes().putInt(Integer.BYTES, Integer.BYTES);
      long length = memory.address() + Integer.BYTES;
      if (Libc.getsockopt(fd.get(), level, name, memory.address(), length) < 0) {
        throw LinuxException.last("getsockopt(" + level + ", " + name + ")");
      }
      return memory.nativeBytes().getInt(0);
    }
  }

  /** The port that the socket is bound to. */
  public int localPort() throws LinuxException {
    try (NativeMemory name = NativeMemory.allocate(SocketAddress.MAX_LENGTH + Integer.BYTES)) {
      name.nativeBytes().putInt(SocketAddress.MAX_LENGTH, SocketAddress.MAX_LENGTH);
      long length = name.address() + SocketAddress.MAX_LENGTH;
      if (Libc.getsockname(fd.get(), name.address(), length) < 0) {
        throw LinuxException.last("getsockname(..)");
      }
      return Short.toUnsignedInt(name.networkBytes().getShort(SocketAddress.PORT));
    }
  }

  @Override
  public void close() {
    int open = fd.getAndSet(CLOSED);
    if (owned && open != CLOSED) {
      Libc.close(open);
    }
  }
}
