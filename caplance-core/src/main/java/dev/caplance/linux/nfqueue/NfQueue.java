package dev.caplance.linux.nfqueue;

import com.sun.jna.Native;
import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.ReceiveBatch;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * One queue of the kernel, bound to this process: {@link #receive} takes a batch of packets, {@link
 * #next} steps through it, {@link #dropBatch} settles the whole batch with one message.
 *
 * <p>Belongs to one thread from the first {@link #receive} on. Needs CAP_NET_ADMIN. When the
 * process ends without {@link #close}, the kernel unbinds the queue and drops what is in it.
 */
public final class NfQueue implements AutoCloseable {

  /** The most that the kernel copies of a packet ({@code NFQNL_MAX_COPY_RANGE}). */
  private static final int COPY_RANGE = 0xffff - 4;

  private static final int ATTRIBUTES_ROOM = 1024;
  private static final int SOCKET_BUFFER = 32 << 20;
  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_NO_ENOBUFS = 5;

  private final long handle;
  private final long queue;
  private final LinuxSocket socket;
  private final ReceiveBatch batch;
  private final NativeMemory verdict = NativeMemory.allocate(QueueMessages.VERDICT_LENGTH);
  private final ByteBuffer verdictBytes = verdict.networkBytes();
  private final NativeMemory accept = NativeMemory.allocate(QueueMessages.VERDICT_LENGTH);
  private final ByteBuffer acceptBytes = accept.networkBytes();
  private final QueueMessages message = new QueueMessages();

  private int received;
  private int position;

  private NfQueue(long handle, long queue, int number, int batchSize) {
    this.handle = handle;
    this.queue = queue;
    this.socket = LinuxSocket.borrowed(NetfilterQueueLibrary.nfq_fd(handle));
    this.batch = ReceiveBatch.ofKernelMessages(batchSize, COPY_RANGE + ATTRIBUTES_ROOM);
    QueueMessages.writeVerdictBatch(verdictBytes, number, QueueMessages.DROP);
    QueueMessages.writeSingleVerdict(acceptBytes, number, QueueMessages.ACCEPT);
  }

  /**
   * Binds a queue and has packets delivered from now on.
   *
   * @param number 0 to 65535
   * @param length packets that the kernel keeps while nobody reads; more are dropped by it
   * @param batchSize packets of a batch, 1 to 1024
   * @param receiveTimeoutMillis how long {@link #receive} waits when no packet comes
   * @throws IOException when the library is missing, the queue is taken or permission is lacking;
   *     the message says which and what would help
   */
  public static NfQueue open(int number, int length, int batchSize, int receiveTimeoutMillis)
      throws IOException {
    long handle = openLibrary();
    long queue = NetfilterQueueLibrary.nfq_create_queue(handle, number, 0, 0);
    if (queue == 0) {
      int errno = Native.getLastError();
      NetfilterQueueLibrary.nfq_close(handle);
      throw new IOException(
          whyNotBound(number, errno),
          new LinuxException("nfq_create_queue(" + number + ")", errno));
    }
    NfQueue opened = new NfQueue(handle, queue, number, batchSize);
    try {
      opened.configure(number, length, receiveTimeoutMillis);
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
    return opened;
  }

  private static long openLibrary() throws IOException {
    long handle;
    try {
      handle = NetfilterQueueLibrary.nfq_open();
    } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
      throw new IOException(
          "libnetfilter_queue is missing: install it (Debian: apt install libnetfilter-queue1)", e);
    }
    if (handle == 0) {
      throw LinuxException.last("nfq_open()");
    }
    return handle;
  }

  /** The kernel gives the same error number for both reasons. */
  private static String whyNotBound(int number, int errno) {
    return switch (errno) {
      case Errno.EBUSY, Errno.EPERM, Errno.EACCES ->
          "NFQUEUE "
              + number
              + " is taken by another process (root sees its port id in"
              + " /proc/net/netfilter/nfnetlink_queue), or this one lacks CAP_NET_ADMIN: stop that"
              + " process, choose other queues, or grant the capability";
      default -> "NFQUEUE " + number + " cannot be bound";
    };
  }

  private void configure(int number, int length, int receiveTimeoutMillis) throws IOException {
    socket.setReceiveBuffer(SOCKET_BUFFER);
    socket.set(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
    socket.setReceiveTimeout(receiveTimeoutMillis);
    if (NetfilterQueueLibrary.nfq_set_queue_maxlen(queue, length) < 0) {
      throw LinuxException.last("nfq_set_queue_maxlen(" + length + ")");
    }
    askForPackets(number);
  }

  /**
   * The library would wait for an acknowledgement, and give up when the first packets, which this
   * very message calls for, come before it.
   */
  private void askForPackets(int number) throws LinuxException {
    try (NativeMemory memory = NativeMemory.allocate(QueueMessages.COPY_MODE_LENGTH)) {
      QueueMessages.writeCopyMode(memory.networkBytes(), number, COPY_RANGE);
      int sent = socket.send(memory.address(), QueueMessages.COPY_MODE_LENGTH);
      if (sent < 0) {
        throw new LinuxException("send(NFQNL_MSG_CONFIG)", -sent);
      }
    }
  }

  /**
   * Waits for packets and takes a batch.
   *
   * @return how many messages there are for {@link #next}, or a negative error number, {@code
   *     -}{@link Errno#EAGAIN} when no packet came in time
   */
  public int receive() {
    position = -1;
    int count = socket.receive(batch);
    received = Math.max(count, 0);
    return count;
  }

  /**
   * Steps to the next packet of the batch.
   *
   * @return false at the end of it
   */
  public boolean next() {
    while (++position < received) {
      if (message.read(batch.bytes(), batch.offset(position), batch.length(position))) {
        QueueMessages.setPacket(verdictBytes, message.packetId());
        return true;
      }
    }
    return false;
  }

  /** The memory that all packets of a batch lie in, network byte order; absolute access only. */
  public ByteBuffer bytes() {
    return batch.bytes();
  }

  /** Where the current packet begins in {@link #bytes}. */
  public int packetOffset() {
    return message.payloadOffset();
  }

  /** Where the current packet begins in memory; it stays there until the next {@link #receive}. */
  public long packetAddress() {
    return batch.address() + message.payloadOffset();
  }

  /** Bytes of the current packet, as far as they were copied. */
  public int packetLength() {
    return message.payloadLength();
  }

  /** Whether the current packet was copied whole. A packet over 65,531 bytes is not. */
  public boolean packetWhole() {
    return message.whole();
  }

  /**
   * Drops every packet of the batch up to the one that {@link #next} gave last, in one message
   * ({@code NFQNL_MSG_VERDICT_BATCH}): its copy has gone where it had to go.
   *
   * @return a negative error number on failure
   */
  public int dropBatch() {
    return socket.send(verdict.address(), QueueMessages.VERDICT_LENGTH);
  }

  /**
   * Lets the current packet go on its way through this machine, as if there were no queue.
   *
   * @return a negative error number on failure
   */
  public int acceptPacket() {
    QueueMessages.setPacket(acceptBytes, message.packetId());
    return socket.send(accept.address(), QueueMessages.VERDICT_LENGTH);
  }

  /** Unbinds the queue; the kernel drops what is in it. Only when no thread uses it any more. */
  @Override
  public void close() {
    NetfilterQueueLibrary.nfq_destroy_queue(queue);
    NetfilterQueueLibrary.nfq_close(handle);
    batch.close();
    verdict.close();
    accept.close();
  }
}
