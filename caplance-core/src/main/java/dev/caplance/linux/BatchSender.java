package dev.caplance.linux;

/**
 * A socket and the messages that wait to go out through it in one system call. Belongs to one
 * thread, allocates nothing after it was made.
 */
public final class BatchSender implements AutoCloseable {

  private final LinuxSocket socket;
  private final SendBatch batch;

  /** Told what became of each message, in their order. */
  public interface Outcome {

    /** Message {@code index} of the batch, of {@code length} bytes, was handed to the kernel. */
    void sent(int index, int length);

    /** The kernel refused message {@code index} with this error number. */
    void refused(int index, int errno);
  }

  /**
   * Takes over a socket.
   *
   * @param capacity messages between two calls of {@link #flush}, 1 to 1024
   */
  public BatchSender(LinuxSocket socket, int capacity) {
    this.socket = socket;
    this.batch = new SendBatch(capacity);
  }

  /**
   * Appends a message; see {@link SendBatch#add}.
   *
   * @return its index in the batch
   */
  public int add(long data, int length, SocketAddress to, int trafficClass) {
    batch.add(data, length, to, trafficClass);
    return batch.count() - 1;
  }

  /**
   * Appends a whole packet for a raw socket.
   *
   * @param high and {@code low}: the halves of the destination's 16-byte form in network order,
   *     IPv4 as ::ffff:a.b.c.d
   */
  public void addRaw(long data, int length, boolean ipv4, long high, long low) {
    batch.add(data, length, ipv4, high, low);
  }

  /** Messages that wait. */
  public int count() {
    return batch.count();
  }

  /** Sends what waits. A message that the kernel refuses stops no other. */
  public void flush(Outcome outcome) {
    int next = 0;
    while (next < batch.count()) {
      int sent = socket.send(batch, next);
      if (sent > 0) {
        for (int end = next + sent; next < end; next++) {
          outcome.sent(next, batch.length(next));
        }
      } else {
        outcome.refused(next, -sent);
        next++;
      }
    }
    batch.clear();
  }

  @Override
  public void close() {
    socket.close();
    batch.close();
  }
}
