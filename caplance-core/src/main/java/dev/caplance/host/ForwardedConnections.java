package dev.caplance.host;

import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.NetlinkMessages;
import dev.caplance.linux.NetlinkSocket;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;

/**
 * Counts the TCP connections to certain addresses that this machine passes on to others (DNAT), as
 * for the published port of a container. Their sockets are in the container, but connection
 * tracking knows them: its table is read over netlink (nfnetlink_conntrack.h), which takes
 * CAP_NET_ADMIN. Any thread may call.
 */
public final class ForwardedConnections {

  private static final Path TRACKING = Path.of("/proc/sys/net/netfilter");

  /** A message of the subsystem 1 (ctnetlink), IPCTNL_MSG_CT_GET. */
  private static final int GET = 1 << 8 | 1;

  private static final int DONE = 3;

  /** {@code struct nfgenmsg}: family, version, resource. */
  private static final int HEADER = 4;

  private static final int TUPLE_ORIGINAL = 1;
  private static final int TUPLE_REPLY = 2;
  private static final int PROTOCOL_STATE = 4;
  private static final int TIMEOUT = 7;
  private static final int TUPLE_IP = 1;
  private static final int TUPLE_PROTOCOL = 2;
  private static final int PROTOCOL_NUMBER = 1;
  private static final int TCP = 1;
  private static final int TCP_STATE = 1;
  private static final int IPPROTO_TCP = 6;

  /** In which data may still arrive: SYN_RECV (2), ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK. */
  private static final int FIRST_OPEN = 2;

  private static final int LAST_OPEN = 6;

  /**
   * Seconds; what has less left (nf_conntrack_tcp_timeout_max_retrans, …_unacknowledged) waits for
   * an answer and ends by itself.
   */
  private static final long SOON = 300;

  private final Set<InetAddress> addresses;

  /**
   * A counter.
   *
   * @param addresses to which clients connect
   */
  public ForwardedConnections(Collection<InetAddress> addresses) {
    this.addresses = Set.copyOf(addresses);
  }

  /**
   * Counts; takes longer with very many connections of any kind.
   *
   * @param heardWithin connections without a packet for longer than this do not count
   * @throws IOException when the table cannot be read
   */
  public int count(Duration heardWithin) throws IOException {
    Optional<Long> lifetime = read("nf_conntrack_tcp_timeout_established");
    if (lifetime.isEmpty() || read("nf_conntrack_count").orElse(0L) == 0) {
      return 0;
    }
    int count = 0;
    try (NetlinkSocket socket = NetlinkSocket.open(NetlinkSocket.NETFILTER)) {
      for (boolean ipv4 : new boolean[] {true, false}) {
        if (addresses.stream().anyMatch(address -> IpAddresses.isIpv4(address) == ipv4)) {
          count += new Dump(ipv4, lifetime.get() - heardWithin.toSeconds()).read(socket);
        }
      }
    }
    return count;
  }

  private static Optional<Long> read(String name) throws IOException {
    try {
      return Optional.of(KernelParameter.number(TRACKING.resolve(name)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /** One reading of the table of a family. */
  private final class Dump {

    private final boolean ipv4;
    private final long leastLeft;
    private int count;
    private int error;
    private boolean done;

    /**
     * Nothing read yet.
     *
     * @param leastLeft seconds; with less left, a connection has been silent for too long
     */
    Dump(boolean ipv4, long leastLeft) {
      this.ipv4 = ipv4;
      this.leastLeft = leastLeft;
    }

    int read(NetlinkSocket socket) throws IOException {
      String call = "reading the connection tracking";
      NetlinkMessages request = new NetlinkMessages();
      byte[] header = {(byte) (ipv4 ? 2 : 10), 0, 0, 0};
      request.message(GET, NetlinkMessages.REQUEST | NetlinkMessages.DUMP, 1, header, () -> {});
      socket.send(request);
      while (!done) {
        if (!socket.receive(call, this::take)) {
          throw new LinuxException(call, Errno.EAGAIN);
        }
        if (error != 0) {
          throw new LinuxException(call, error);
        }
      }
      return count;
    }

    private void take(NetlinkSocket.Received message) {
      error = error == 0 ? message.error() : error;
      done |= message.type() == DONE;
      if (message.type() == GET - 1 && counts(message)) {
        count++;
      }
    }

    private boolean counts(NetlinkSocket.Received message) {
      Optional<NetlinkSocket.Received> original = message.nested(HEADER, TUPLE_ORIGINAL);
      Optional<NetlinkSocket.Received> reply = message.nested(HEADER, TUPLE_REPLY);
      Optional<ByteBuffer> left = message.attribute(HEADER, TIMEOUT);
      if (original.isEmpty() || reply.isEmpty() || left.isEmpty() || !isTcp(original.get())) {
        return false;
      }
      Optional<InetAddress> target = address(original.get(), destination());
      return target.filter(addresses::contains).isPresent()
          && !address(original.get(), source()).filter(addresses::contains).isPresent()
          && !address(reply.get(), source()).equals(target)
          && isOpen(message)
          && isHeard(Integer.toUnsignedLong(left.get().getInt(0)));
    }

    private boolean isHeard(long left) {
      return left <= SOON || left >= leastLeft;
    }

    private static boolean isTcp(NetlinkSocket.Received tuple) {
      return tuple
          .nested(0, TUPLE_PROTOCOL)
          .flatMap(protocol -> protocol.attribute(0, PROTOCOL_NUMBER))
          .filter(number -> number.get(0) == IPPROTO_TCP)
          .isPresent();
    }

    private static boolean isOpen(NetlinkSocket.Received message) {
      return message
          .nested(HEADER, PROTOCOL_STATE)
          .flatMap(state -> state.nested(0, TCP))
          .flatMap(tcp -> tcp.attribute(0, TCP_STATE))
          .filter(state -> FIRST_OPEN <= state.get(0) && state.get(0) <= LAST_OPEN)
          .isPresent();
    }

    /** CTA_IP_V4_SRC, CTA_IP_V6_SRC; the destination comes next. */
    private int source() {
      return ipv4 ? 1 : 3;
    }

    private int destination() {
      return source() + 1;
    }

    private Optional<InetAddress> address(NetlinkSocket.Received tuple, int type) {
      return tuple
          .nested(0, TUPLE_IP)
          .flatMap(ip -> ip.attribute(0, type))
          .map(ForwardedConnections::address);
    }
  }

  private static InetAddress address(ByteBuffer bytes) {
    byte[] address = new byte[bytes.remaining()];
    bytes.get(address);
    try {
      return InetAddress.getByAddress(address);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address of " + address.length + " bytes", e);
    }
  }
}
