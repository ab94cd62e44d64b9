package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.linux.BatchSender;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.NativeMemory;
import dev.caplance.packet.FlowKey;
import dev.caplance.packet.IpHeader;
import dev.caplance.packet.IpProtocol;
import dev.caplance.packet.Reply;
import java.nio.ByteBuffer;

/**
 * Tells clients why their packets go no further, as a router would, but of each kind not more often
 * than a thousand times a second: whose source is forged gets answers that he did not ask for.
 * Belongs to one worker. Allocates nothing after it was made.
 */
final class Responder implements BatchSender.Outcome, AutoCloseable {

  private static final int IN_A_SECOND = 1000;
  private static final int SLOTS = 64;

  /**
   * A reply begins where it begins in memory, so each slot is written through a view of its own.
   */
  private final NativeMemory memory = NativeMemory.allocate(SLOTS * Reply.MAX_LENGTH);

  private final ByteBuffer[] slots = new ByteBuffer[SLOTS];
  private final BatchSender ipv4;
  private final BatchSender ipv6;

  private final RateLimit sizes;
  private final RateLimit refusals;
  private int used;

  Responder() throws LinuxException {
    this(new BatchSender(LinuxSocket.rawIpv4(), SLOTS, false), openIpv6(), IN_A_SECOND);
  }

  /**
   * Takes over the ways out.
   *
   * @param ipv6 null without IPv6
   * @param inASecond the most answers of each kind
   */
  Responder(BatchSender ipv4, BatchSender ipv6, int inASecond) {
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    sizes = new RateLimit(inASecond);
    refusals = new RateLimit(inASecond);
    for (int i = 0; i < SLOTS; i++) {
      slots[i] = memory.networkBytes().slice(i * Reply.MAX_LENGTH, Reply.MAX_LENGTH);
    }
  }

  /** A kernel may be without IPv6; no packet that needs an answer by it comes then. */
  private static BatchSender openIpv6() {
    try {
      return new BatchSender(LinuxSocket.rawIpv6(), SLOTS, false);
    } catch (LinuxException e) {
      return null;
    }
  }

  /**
   * Tells that a packet is too big.
   *
   * @param mtu the largest packet that would have gone on
   * @param now in seconds
   */
  void tooBig(IpHeader header, ByteBuffer packet, int at, int length, int mtu, int now) {
    if (canReply(header) && sizes.take(now)) {
      int size = Reply.tooBig(header, packet, at, length, mtu, slots[used]);
      send(header, size);
    }
  }

  /** Tells that nobody serves: a reset for a SYN, port unreachable for UDP, nothing else. */
  void nobody(IpHeader header, FlowKey flow, ByteBuffer packet, int at, int length, int now) {
    boolean udp = flow.protocol() == IpProtocol.UDP;
    if ((udp || flow.isSyn()) && !flow.isError() && canReply(header) && refusals.take(now)) {
      int size =
          udp
              ? Reply.unreachable(header, packet, at, length, slots[used])
              : Reply.reset(header, packet, at, slots[used]);
      send(header, size);
    }
  }

  private boolean canReply(IpHeader header) {
    return header.ipv4() || ipv6 != null;
  }

  private void send(IpHeader header, int size) {
    long address = memory.address() + (long) used * Reply.MAX_LENGTH;
    BatchSender sender = header.ipv4() ? ipv4 : ipv6;
    sender.addRaw(address, size, header.ipv4(), header.sourceHigh(), header.sourceLow());
    if (++used == SLOTS) {
      flush();
    }
  }

  /** Sends what is to be said. */
  void flush() {
    if (used > 0) {
      ipv4.flush(this);
      if (ipv6 != null) {
        ipv6.flush(this);
      }
      used = 0;
    }
  }

  @Override
  public void sent(int index, int datagrams, int bytes) {}

  /** What could not be said is not said: the client tries again. */
  @Override
  public void refused(int index, int datagrams, int errno) {}

  @Override
  public void close() {
    ipv4.close();
    if (ipv6 != null) {
      ipv6.close();
    }
    memory.close();
  }
}
