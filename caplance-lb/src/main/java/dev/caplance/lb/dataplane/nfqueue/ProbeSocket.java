package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.Datagram;
import dev.caplance.linux.FailureWatch;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.ReceiveBatch;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.linux.SendBatch;
import dev.caplance.linux.SocketAddress;
import dev.caplance.linux.SourceAddress;
import dev.caplance.packet.Encapsulation;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.PathProbe;
import java.net.InetAddress;
import java.util.function.BiConsumer;

/**
 * The socket for path probes of one IP version. Probes are sent encapsulated from it, and name its
 * port as the one that replies go to: a firewall that lets the probe out expects the reply there.
 * One thread sends; the loop's thread receives. Owns the socket and its memory.
 */
final class ProbeSocket implements ReceiveLoop.Duty, AutoCloseable {

  private static final int REPLIES = 32;

  /** Bytes of a reply that are kept; longer ones are none. */
  private static final int LONGEST_REPLY = 256;

  private final LinuxSocket socket;
  private final int port;
  private final int dataPort;
  private final BiConsumer<InetAddress, String> replies;
  private final FailureWatch receiving;
  private final NativeMemory packet = NativeMemory.allocate(Encapsulation.MAX_PACKET);
  private final SendBatch batch = new SendBatch(1, SendBatch.DATAGRAM_PIECES);
  private final ReceiveBatch received = ReceiveBatch.ofDatagrams(REPLIES, LONGEST_REPLY);
  private final Datagram datagram = new Datagram();

  private ProbeSocket(
      LinuxSocket socket,
      int dataPort,
      BiConsumer<InetAddress, String> replies,
      ReceiveLoop.Owner owner)
      throws LinuxException {
    this.socket = socket;
    this.port = socket.localPort();
    this.dataPort = dataPort;
    this.replies = replies;
    this.receiving = new FailureWatch("recvmmsg(path probes)", owner);
  }

  /**
   * Opens the socket.
   *
   * @param any the unspecified address of the IP version
   * @param dataPort the UDP port of backends
   * @param replies takes the sender and the token of each datagram that has the form of a reply;
   *     called by the loop's thread
   */
  static ProbeSocket open(
      InetAddress any,
      int dataPort,
      BiConsumer<InetAddress, String> replies,
      ReceiveLoop.Owner owner)
      throws LinuxException {
    LinuxSocket socket = LinuxSocket.udpUnfragmented(any, 0);
    try {
      socket.setReceiveTimeout(ReceiveLoop.RECEIVE_TIMEOUT_MILLIS);
      return new ProbeSocket(socket, dataPort, replies, owner);
    } catch (LinuxException e) {
      socket.close();
      throw e;
    }
  }

  /** See {@link dev.caplance.lb.dataplane.Dataplane#probe}. */
  boolean send(Target target, String token, boolean padded) {
    int length =
        PathProbe.write(
            target.source(),
            port,
            target.address(),
            dataPort,
            token,
            padded
                ? target.mtu() - Encapsulation.overhead(IpAddresses.isIpv4(target.address()))
                : 0,
            packet.networkBytes());
    batch.add(
        datagram.set(packet.address(), length),
        SocketAddress.of(target.address(), dataPort),
        SourceAddress.of(target.source()),
        0);
    Outcome outcome = new Outcome();
    batch.flush(socket, outcome);
    return outcome.sent;
  }

  private static final class Outcome implements SendBatch.Listener {
    private boolean sent;

    @Override
    public void sent(int index, int datagrams, int bytes) {
      sent = true;
    }

    @Override
    public void failed(int index, int datagrams, int errno) {}
  }

  @Override
  public int carryBatch() {
    int count = socket.receive(received);
    if (receiving.failed(count)) {
      return 0;
    }
    for (int i = 0; i < count; i++) {
      InetAddress sender = received.sender(i);
      PathProbe.replyToken(received.bytes(), received.offset(i), received.length(i))
          .ifPresent(token -> replies.accept(sender, token));
    }
    return Math.max(count, 0);
  }

  /** Called once the loop has ended and nothing is sent any more. */
  @Override
  public void close() {
    socket.close();
    packet.close();
    batch.close();
    received.close();
  }
}
