package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.linux.Errno;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.nfqueue.PacketSource;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A queue that a test fills, and that fails when the test wants it to. */
final class FakePackets implements PacketSource {

  private static final int SLOT = 70_000;
  private static final int SLOTS = 64;

  /** A packet, or the report of a refused verdict in place of one. */
  record Message(ByteBuffer packet, boolean whole, boolean aggregate, int refusal) {

    static Message of(byte[] packet) {
      return new Message(ByteBuffer.wrap(packet), true, false, 0);
    }

    /** A packet that the kernel joined from several. */
    static Message joined(byte[] packet) {
      return new Message(ByteBuffer.wrap(packet), true, true, 0);
    }

    /** A packet of which only the beginning was copied. */
    static Message cutShort(byte[] packet) {
      return new Message(ByteBuffer.wrap(packet), false, false, 0);
    }

    static Message refusal(int errno) {
      return new Message(ByteBuffer.allocate(0), true, false, errno);
    }
  }

  private final NativeMemory memory = NativeMemory.allocate(SLOT * SLOTS);
  private final ByteBuffer bytes = memory.networkBytes();

  /** What {@link #receive} does in turn: a batch, or an error number. */
  private final Deque<Object> receipts = new ArrayDeque<>();

  /** The most packets that each call of {@link #receive} asked for. */
  final List<Integer> asked = new ArrayList<>();

  final List<Long> accepted = new ArrayList<>();
  int drops;
  int dropResult;
  int acceptResult;
  boolean closed;

  private List<?> batch = List.of();
  private int position;
  private int refused;
  private int errno;

  void batch(Message... messages) {
    receipts.add(List.of(messages));
  }

  void failure(int number) {
    receipts.add(number);
  }

  private Message current() {
    return (Message) batch.get(position);
  }

  @Override
  public int number() {
    return 1000;
  }

  @Override
  public boolean joins() {
    return true;
  }

  @Override
  public int receive(int most) {
    asked.add(most);
    position = -1;
    refused = 0;
    Object next = receipts.isEmpty() ? (Object) Errno.EAGAIN : receipts.remove();
    batch = next instanceof List<?> messages ? messages : List.of();
    return next instanceof Integer number ? -number : batch.size();
  }

  @Override
  public boolean next() {
    while (++position < batch.size()) {
      if (current().refusal() == 0) {
        bytes.put(position * SLOT, current().packet(), 0, current().packet().capacity());
        return true;
      }
      refused++;
      errno = current().refusal();
    }
    return false;
  }

  @Override
  public int refusedVerdicts() {
    return refused;
  }

  @Override
  public int refusalErrno() {
    return errno;
  }

  @Override
  public ByteBuffer bytes() {
    return bytes;
  }

  @Override
  public int packetOffset() {
    return position * SLOT;
  }

  @Override
  public long packetAddress() {
    return memory.address() + packetOffset();
  }

  @Override
  public int packetLength() {
    return current().packet().capacity();
  }

  @Override
  public boolean packetWhole() {
    return current().whole();
  }

  @Override
  public boolean packetAggregate() {
    return current().aggregate();
  }

  @Override
  public boolean packetChecksumReady() {
    return true;
  }

  @Override
  public long packetTicket() {
    return position;
  }

  @Override
  public int dropBatch() {
    drops++;
    return dropResult;
  }

  @Override
  public int accept(long ticket) {
    accepted.add(ticket);
    return acceptResult;
  }

  @Override
  public void close() {
    closed = true;
    memory.close();
  }
}
