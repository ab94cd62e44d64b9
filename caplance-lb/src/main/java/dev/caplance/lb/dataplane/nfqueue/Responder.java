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
 * Answers packets that go no further, as a router would. Each kind of answer is limited to a
 * thousand in a second: if the source of a packet is forged, its answer goes to someone who sent
 * nothing. Owns its sockets. For the worker's thread. Allocates nothing once it is made.
 */
final class Responder implements SendBatch.Listener, AutoCloseable {

  private static final int PER_SECOND = 1000;
  private static final int SLOTS = 64;

  private final NativeMemory memory = NativeMemory.allocate(SLOTS * ErrorReply.MAX_LENGTH);

  /** Replies are written to the beginning of a buffer, so each slot has a view of its own. */
  private final ByteBuffer[] slots = new ByteBuffer[SLOTS];

  private final SendBatch.Sink ipv4;
  private final SendBatch.Sink ipv6;
  private final SendBatch ipv4Batch = new SendBatch(SLOTS, SendBatch.DATAGRAM_PIECES);
  private final SendBatch ipv6Batch = new SendBatch(SLOTS, SendBatch.DATAGRAM_PIECES);
  private final Datagram datagram = new Datagram();
  private final ErrorReply reply = new ErrorReply();
  private final LongSupplier nanoClock;
  private final TokenBucket sizes;
  private final TokenBucket refusals;
  private int used;

  /** Opens raw sockets. Needs CAP_NET_RAW. */
  Responder() throws LinuxException {
    this(LinuxSocket.rawIpv4(), openIpv6(), PER_SECOND, System::nanoTime);
  }

  /**
   * Takes over sockets.
   *
   * @param ipv6 null without IPv6
   * @param perSecond the most answers of each kind
   */
  Responder(SendBatch.Sink ipv4, SendBatch.Sink ipv6, int perSecond, LongSupplier nanoClock) {
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    this.nanoClock = nanoClock;
    sizes = TokenBucket.perSecond(perSecond, nanoClock.getAsLong());
    refusals = TokenBucket.perSecond(perSecond, nanoClock.getAsLong());
    for (int i = 0; i < SLOTS; i++) {
      slots[i] = memory.networkBytes().slice(i * ErrorReply.MAX_LENGTH, ErrorReply.MAX_LENGTH);
    }
  }

  /** Null when the kernel is without IPv6: no IPv6 packet that needs an answer comes then. */
  private static LinuxSocket openIpv6() {
    try {
      return LinuxSocket.rawIpv6();
    } catch (LinuxException e) {
      return null;
    }
  }

  /**
   * Answers that a packet is too big.
   *
   * @param mtu the largest packet that would have gone on
   */
  void tooBig(IpHeader header, ByteBuffer packet, int at, int length, int mtu) {
    if (canReply(header) && sizes.take(nanoClock.getAsLong())) {
      send(header, reply.about(header, packet, at, length).tooBig(mtu, slots[used]));
    }
  }

  /** Answers that nobody serves: a reset for a SYN, port unreachable for UDP, else nothing. */
  void unreachable(IpHeader header, FlowKey flow, ByteBuffer packet, int at, int length) {
    boolean udp = flow.protocol() == IpProtocol.UDP;
    if ((udp || flow.isSyn())
        && !flow.isError()
        && canReply(header)
        && refusals.take(nanoClock.getAsLong())) {
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

  /** Sends the answers that wait. */
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

  /** An answer that cannot be sent is given up: the client tries again. */
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
