package dev.caplance.linux;

/**
 * A socket and the messages that wait to go out through it in one system call. Belongs to one
 * thread, allocates nothing after it was made.
 */
public final class BatchSender implements AutoCloseable {

  /** The most datagrams of a run. */
  public static final int MAX_RUN = SendBatch.MAX_RUN;

  /** The most bytes of a run. */
  public static final int MAX_RUN_BYTES = SendBatch.MAX_RUN_BYTES;

  private final LinuxSocket socket;
  private final SendBatch batch;

  /** Told what became of each message, in their order. */
  public interface Outcome {

    /** Datagrams of message {@code index} of the batch were handed to the kernel, so many bytes. */
    void sent(int index, int datagrams, int bytes);

    /** The kernel refused datagrams of message {@code index} with this error number. */
    void refused(int index, int datagrams, int errno);

    /**
     * The kernel refused to cut the run of message {@code index}, whose datagrams are now sent one
     * by one: the interface has no checksum offload, or its MTU is too small.
     */
    default void runRefused(int index, int errno) {}
  }

  /**
   * Takes over a socket.
   *
   * @param capacity messages between two calls of {@link #flush}, 1 to 1024
   * @param runs whether a message may have more than one datagram, only with UDP, or be lengthened
   */
  public BatchSender(LinuxSocket socket, int capacity, boolean runs) {
    this.socket = socket;
    this.batch = new SendBatch(capacity, runs);
  }

  /**
   * Appends a message of one datagram.
   *
   * @param data where it lies, outside the heap
   * @param length its bytes
   * @param to where it goes
   * @param trafficClass the value of the TOS or traffic-class byte of the outer header, 0 to 255;
   *     means nothing to raw sockets that bring their own header
   * @return its index in the batch
   */
  public int add(long data, int length, SocketAddress to, int trafficClass) {
    int index = batch.add(to, trafficClass);
    batch.addDatagram(index, data, length);
    return index;
  }

  /** The same for a datagram in two places. */
  public int add(
      long header,
      int headerLength,
      long payload,
      int payloadLength,
      SocketAddress to,
      int trafficClass) {
    int index = batch.add(to, trafficClass);
    batch.addDatagram(index, header, headerLength, payload, payloadLength);
    return index;
  }

  /**
   * Appends a whole packet for a raw socket.
   *
   * @param high and {@code low}: the halves of the destination's 16-byte form in network order,
   *     IPv4 as ::ffff:a.b.c.d
   */
  public void addRaw(long data, int length, boolean ipv4, long high, long low) {
    batch.addDatagram(batch.add(ipv4, high, low), data, length);
  }

  /**
   * Appends a datagram to the run of message {@code index}: as long as its first one, or shorter
   * and then the last. The caller keeps to {@link #MAX_RUN} and {@link #MAX_RUN_BYTES}.
   */
  public void extend(int index, long data, int length) {
    batch.addDatagram(index, data, length);
  }

  /** The same for a datagram in two places. */
  public void extend(int index, long header, int headerLength, long payload, int payloadLength) {
    batch.addDatagram(index, header, headerLength, payload, payloadLength);
  }

  /** Appends bytes to the only datagram of message {@code index}: up to {@link #MAX_RUN} times. */
  public void lengthen(int index, long data, int length) {
    batch.lengthen(index, data, length);
  }

  /** Messages that wait. */
  public int count() {
    return batch.count();
  }

  /** Datagrams of message {@code index} that waits. */
  public int datagrams(int index) {
    return batch.datagrams(index);
  }

  /** Bytes of message {@code index} that waits. */
  public int length(int index) {
    return batch.length(index);
  }

  /** Sends what waits. A message that the kernel refuses stops no other. */
  public void flush(Outcome outcome) {
    int next = 0;
    while (next < batch.count()) {
      int sent = socket.send(batch, next);
      for (int end = next + Math.max(sent, 0); next < end; next++) {
        outcome.sent(next, batch.datagrams(next), batch.length(next));
      }
      if (sent <= 0) {
        refused(next, -sent, outcome);
        next++;
      }
    }
    batch.clear();
  }

  private void refused(int index, int errno, Outcome outcome) {
    boolean asRun = errno == Errno.EINVAL || errno == Errno.EMSGSIZE || errno == Errno.EIO;
    if (batch.datagrams(index) > 1 && asRun) {
      outcome.runRefused(index, errno);
      sendOneByOne(index, outcome);
    } else {
      outcome.refused(index, batch.datagrams(index), errno);
    }
  }

  private void sendOneByOne(int index, Outcome outcome) {
    for (int piece = 0; piece < batch.pieces(index); ) {
      piece = batch.takeDatagram(index, piece);
      int sent = socket.sendSpare(batch);
      if (sent > 0) {
        outcome.sent(index, 1, batch.length(batch.spare()));
      } else {
        outcome.refused(index, 1, -sent);
      }
    }
  }

  @Override
  public void close() {
    socket.close();
    batch.close();
  }
}
