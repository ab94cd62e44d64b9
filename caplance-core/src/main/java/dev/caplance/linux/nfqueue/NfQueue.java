package dev.caplance.linux.nfqueue;

import com.sun.jna.Native;
import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.linux.NativeMemory;
import dev.caplance.linux.ReceiveBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Two queues of the kernel, bound to this process, and a socket and a batch that both share. Owns
 * all of them.
 *
 * <p>The first queue gives packets as they would go over a wire. The second one is for TCP: there
 * the kernel does not segment what it has joined, and leaves out checksums that a network card
 * would compute ({@code NFQA_CFG_F_GSO}). Joined UDP cannot be divided again, so it must not go
 * there.
 *
 * <p>For one thread from the first {@link #receive} on. Needs CAP_NET_ADMIN. When the process ends
 * without {@link #close}, the kernel unbinds the queues and drops what is in them.
 */
public final class NfQueue implements PacketSource {

  /** The most that the kernel copies of a packet ({@code NFQNL_MAX_COPY_RANGE}). */
  private static final int COPY_RANGE = 0xffff - 4;

  private static final int ATTRIBUTES_ROOM = 1024;
  private static final int SOCKET_BUFFER = 32 << 20;
  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_NO_ENOBUFS = 5;
  private static final int NFQA_CFG_F_GSO = 4;

  /** The two queues. */
  private static final int QUEUES = 2;

  private static final int TCP = 1;

  private final AtomicLong handle;
  private final int[] numbers;
  private final long[] queues = new long[QUEUES];
  private final LinuxSocket socket;
  private final ReceiveBatch batch;
  private final NativeMemory verdict = NativeMemory.allocate(QUEUES * QueueMessages.VERDICT_LENGTH);
  private final ByteBuffer verdictBytes = verdict.networkBytes();
  private final NativeMemory accept = NativeMemory.allocate(QUEUES * QueueMessages.VERDICT_LENGTH);
  private final ByteBuffer acceptBytes = accept.networkBytes();
  private final QueueMessages message = new QueueMessages();

  private int received;
  private int position;
  private int current;
  private boolean joins;

  /** Packets of the batch that each queue waits for a verdict on. */
  private final int[] undecided = new int[QUEUES];

  private int refusedVerdicts;
  private int refusalErrno;

  private NfQueue(long handle, int[] numbers, int batchSize) {
    this.handle = new AtomicLong(handle);
    this.numbers = numbers;
    this.socket = LinuxSocket.borrowed(NetfilterQueueLibrary.nfq_fd(handle));
    this.batch = ReceiveBatch.ofKernelMessages(batchSize, COPY_RANGE + ATTRIBUTES_ROOM);
    for (int i = 0; i < QUEUES; i++) {
      int at = i * QueueMessages.VERDICT_LENGTH;
      QueueMessages.writeVerdictBatch(verdictBytes, at, numbers[i], QueueMessages.DROP);
      QueueMessages.writeSingleVerdict(acceptBytes, at, numbers[i], QueueMessages.ACCEPT);
    }
  }

  /**
   * Binds two queues and has packets delivered from now on.
   *
   * @param number of the queue for packets as they are, 0 to 65535
   * @param tcpNumber of the other, for TCP
   * @param length packets that the kernel keeps in each while nobody reads; more are dropped by it
   * @param batchSize packets of a batch, 1 to 1024
   * @param receiveTimeoutMillis how long {@link #receive} waits when no packet comes
   * @throws IOException when the library is missing, the queue is taken or permission is lacking;
   *     the message says which and what would help
   */
  public static NfQueue open(
      int number, int tcpNumber, int length, int batchSize, int receiveTimeoutMillis)
      throws IOException {
    long handle = openLibrary();
    NfQueue opened = new NfQueue(handle, new int[] {number, tcpNumber}, batchSize);
    try {
      for (int i = 0; i < QUEUES; i++) {
        opened.queues[i] = bind(handle, opened.numbers[i]);
      }
      opened.configure(length, receiveTimeoutMillis);
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
    return opened;
  }

  /**
   * Binds a queue for a moment.
   *
   * @throws IOException as {@link #open}
   */
  public static void probe(int number) throws IOException {
    long handle = openLibrary();
    try {
      NetfilterQueueLibrary.nfq_destroy_queue(bind(handle, number));
    } finally {
      NetfilterQueueLibrary.nfq_close(handle);
    }
  }

  private static long bind(long handle, int number) throws IOException {
    long queue = NetfilterQueueLibrary.nfq_create_queue(handle, number, 0, 0);
    if (queue == 0) {
      int errno = Native.getLastError();
      throw new IOException(
          whyNotBound(number, errno),
          new LinuxException("nfq_create_queue(" + number + ")", errno));
    }
    return queue;
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

  private void configure(int length, int receiveTimeoutMillis) throws IOException {
    socket.setReceiveBuffer(SOCKET_BUFFER);
    socket.set(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1);
    socket.setReceiveTimeout(receiveTimeoutMillis);
    for (long queue : queues) {
      if (NetfilterQueueLibrary.nfq_set_queue_maxlen(queue, length) < 0) {
        throw LinuxException.last("nfq_set_queue_maxlen(" + length + ")");
      }
    }
    joins =
        NetfilterQueueLibrary.nfq_set_queue_flags(queues[TCP], NFQA_CFG_F_GSO, NFQA_CFG_F_GSO) >= 0;
    for (int number : numbers) {
      askForPackets(number);
    }
  }

  @Override
  public int number() {
    return numbers[0];
  }

  @Override
  public boolean joins() {
    return joins;
  }

  /**
   * The library would wait for an acknowledgement, and give up when the first packets, which this
   * very message calls for, come before it.
   */
  private void askForPackets(int number) throws LinuxException {
    try (NativeMemory memory = NativeMemory.allocate(QueueMessages.COPY_MODE_LENGTH)) {
      QueueMessages.writeCopyMode(memory.networkBytes(), number, COPY_RANGE);
      int sent = socket.write(memory.address(), QueueMessages.COPY_MODE_LENGTH);
      if (sent < 0) {
        throw new LinuxException("send(NFQNL_MSG_CONFIG)", -sent);
      }
    }
  }

  @Override
  public int receive(int most) {
    position = -1;
    refusedVerdicts = 0;
    Arrays.fill(undecided, 0);
    int count = socket.receive(batch, most);
    received = Math.max(count, 0);
    return count;
  }

  @Override
  public boolean next() {
    while (++position < received) {
      int offset = batch.offset(position);
      int length = batch.length(position);
      if (message.read(batch.bytes(), offset, length)) {
        current = message.queue() == numbers[TCP] ? TCP : 0;
        undecided[current]++;
        QueueMessages.setPacket(
            verdictBytes, current * QueueMessages.VERDICT_LENGTH, message.packetId());
        return true;
      }
      int errno = QueueMessages.errno(batch.bytes(), offset, length);
      if (errno != 0) {
        refusedVerdicts++;
        refusalErrno = errno;
      }
    }
    return false;
  }

  @Override
  public int refusedVerdicts() {
    return refusedVerdicts;
  }

  @Override
  public int refusalErrno() {
    return refusalErrno;
  }

  @Override
  public ByteBuffer bytes() {
    return batch.bytes();
  }

  @Override
  public int packetOffset() {
    return message.payloadOffset();
  }

  @Override
  public long packetAddress() {
    return batch.address() + message.payloadOffset();
  }

  @Override
  public int packetLength() {
    return message.payloadLength();
  }

  @Override
  public boolean packetWhole() {
    return message.whole();
  }

  @Override
  public boolean packetAggregate() {
    return message.aggregate();
  }

  @Override
  public boolean packetChecksumReady() {
    return message.checksumReady();
  }

  @Override
  public long packetTicket() {
    return (long) current << 32 | Integer.toUnsignedLong(message.packetId());
  }

  /**
   * {@inheritDoc}
   *
   * <p>One message for each queue ({@code NFQNL_MSG_VERDICT_BATCH}), both in one system call. There
   * is none for a queue whose packets were all accepted: the kernel would answer with an error.
   */
  @Override
  public int dropBatch() {
    boolean first = undecided[0] > 0;
    boolean second = undecided[TCP] > 0;
    if (!first && !second) {
      return 0;
    }
    int at = first ? 0 : QueueMessages.VERDICT_LENGTH;
    int end = second ? QUEUES * QueueMessages.VERDICT_LENGTH : QueueMessages.VERDICT_LENGTH;
    return socket.write(verdict.address() + at, end - at);
  }

  @Override
  public int accept(long ticket) {
    int queue = (int) (ticket >>> 32);
    int at = queue * QueueMessages.VERDICT_LENGTH;
    QueueMessages.setPacket(acceptBytes, at, (int) ticket);
    int written = socket.write(accept.address() + at, QueueMessages.VERDICT_LENGTH);
    if (written >= 0) {
      undecided[queue]--;
    }
    return written;
  }

  /** Unbinds both queues; the kernel drops what is in them. Only once no thread uses them. */
  @Override
  public void close() {
    long open = handle.getAndSet(0);
    if (open == 0) {
      return;
    }
    for (long queue : queues) {
      if (queue != 0) {
        NetfilterQueueLibrary.nfq_destroy_queue(queue);
      }
    }
    NetfilterQueueLibrary.nfq_close(open);
    batch.close();
    verdict.close();
    accept.close();
  }
}
