package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.linux.Datagram;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.SendBatch;
import dev.caplance.packet.ErrorReply;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.TokenBucket;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;

/**
 * Replies to packets that are not forwarded, as a router would. Each kind of reply is limited to a
 * thousand per second, because the reply to a packet with a forged source hits a bystander. Owns
 * its sockets. Allocates nothing once it is created. For the worker's thread.
 */
final class Responder implements SendBatch.Listener, AutoCloseable {

  private static final int PER_SECOND = 1000;
  private static final int SLOTS = 64;

  private final NativeMemory memory = NativeMemory.allocate(SLOTS * ErrorReply.MAX_LENGTH);

  /** A view for each reply, because replies are written to the start of a buffer. */
  private final ByteBuffer[] slots = new ByteBuffer[SLOTS];

  private final SendBatch.Sink ipv4;
  private final SendBatch.Sink ipv6;
  private final SendBatch ipv4Batch = new SendBatch(SLOTS, SendBatch.DATAGRAM_PIECES);
  private final SendBatch ipv6Batch = new SendBatch(SLOTS, SendBatch.DATAGRAM_PIECES);
  private final Datagram datagram = new Datagram();
  private final ErrorReply reply = new ErrorReply();
  private final LongSupplier nanoClock;
  private final TokenBucket tooBigLimit;
  private final TokenBucket unreachableLimit;
  private int used;

  /** Opens raw sockets. Needs CAP_NET_RAW. */
  Responder() throws LinuxException {
    this(LinuxSocket.rawIpv4(), openIpv6(), PER_SECOND, System::nanoTime);
  }

  /**
   * Creates a responder on given sockets, which it closes.
   *
   * @param ipv6 null if the kernel has no IPv6
   * @param perSecond the most replies of each kind per second
   */
  Responder(SendBatch.Sink ipv4, SendBatch.Sink ipv6, int perSecond, LongSupplier nanoClock) {
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    this.nanoClock = nanoClock;
    tooBigLimit = TokenBucket.perSecond(perSecond, nanoClock.getAsLong());
    unreachableLimit = TokenBucket.perSecond(perSecond, nanoClock.getAsLong());
    for (int i = 0; i < SLOTS; i++) {
      slots[i] = memory.networkBytes().slice(i * ErrorReply.MAX_LENGTH, ErrorReply.MAX_LENGTH);
    }
  }

  /** Returns null if the kernel has no IPv6: no IPv6 packet arrives then. */
  private static LinuxSocket openIpv6() {
    try {
      return LinuxSocket.rawIpv6();
    } catch (LinuxException e) {
      return null;
    }
  }

  /**
   * Replies that a packet is too big (RFC 1191, RFC 4443).
   *
   * @param at offset of the packet in the buffer
   * @param length bytes of the packet
   * @param mtu bytes of the largest packet that would have been forwarded
   */
  void tooBig(IpHeader header, ByteBuffer packet, int at, int length, int mtu) {
    if (canReply(header) && tooBigLimit.take(nanoClock.getAsLong())) {
      send(header, reply.about(header, packet, at, length).tooBig(mtu, slots[used]));
    }
  }

  /**
   * Replies that no backend takes the flow: a reset to TCP but to a reset, port unreachable to UDP,
   * and nothing to an error.
   */
  void unreachable(IpHeader header, FlowKey flow, ByteBuffer packet, int at, int length) {
    boolean udp = flow.protocol() == IpProtocol.UDP;
    if (!flow.isError()
        && !flow.isReset()
        && canReply(header)
        && unreachableLimit.take(nanoClock.getAsLong())) {
      reply.about(header, packet, at, length);
      send(header, udp ? reply.portUnreachable(slots[used]) : reply.reset(slots[used]));
    }
  }

  private boolean canReply(IpHeader header) {
    return header.ipv4() || ipv6 != null;
  }

  private void send(IpHeader header, int length) {
    datagram.set(memory.address() + (long) used * ErrorReply.MAX_LENGTH, length);
    SendBatch batch = header.ipv4() ? ipv4Batch : ipv6Batch;
    batch.addRaw(datagram, header.ipv4(), header.sourceHigh(), header.sourceLow());
    if (++used == SLOTS) {
      flush();
    }
  }

  /** Sends the replies that are waiting. */
  void flush() {
    if (used > 0) {
      ipv4Batch.flush(ipv4, this);
      if (ipv6 != null) {
        ipv6Batch.flush(ipv6, this);
      }
      used = 0;
    }
  }

  @Override
  public void sent(int index, int datagrams, int bytes) {}

  /** A reply that cannot be sent is dropped: the client tries again. */
  @Override
  public void failed(int index, int datagrams, int errno) {}

  @Override
  public void close() {
    ipv4.close();
    if (ipv6 != null) {
      ipv6.close();
    }
    ipv4Batch.close();
    ipv6Batch.close();
    memory.close();
  }
}
