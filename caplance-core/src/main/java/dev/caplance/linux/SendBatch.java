package dev.caplance.linux;

import java.nio.ByteBuffer;

/**
 * The messages of one {@code sendmmsg}: each a stretch of memory outside the heap that stays where
 * it is until {@link LinuxSocket#send(SendBatch, int)} has returned, and an address. Belongs to one
 * thread.
 */
final class SendBatch implements AutoCloseable {

  /**
   * {@code struct cmsghdr { size_t len; int level; int type; }} and an {@code int}, padded to 24
   * bytes.
   */
  private static final int CONTROL = 24;

  private static final int CONTROL_DATA = 16;
  private static final int CONTROL_DATA_LENGTH = 4;

  final MessageHeaders headers;

  private final NativeMemory extras;
  private final ByteBuffer extraBytes;
  private final int controls;
  private final int[] lengths;
  private int count;

  /** Allocates a batch of 1 to 1024 messages. */
  SendBatch(int capacity) {
    this.headers = new MessageHeaders(capacity);
    this.controls = capacity * SocketAddress.MAX_LENGTH;
    this.extras = NativeMemory.allocate(capacity * (SocketAddress.MAX_LENGTH + CONTROL));
    this.extraBytes = extras.nativeBytes();
    this.lengths = new int[capacity];
  }

  /**
   * Appends a message. The caller sees to it that there are never more than the capacity.
   *
   * @param data where the message lies, outside the heap
   * @param length its bytes
   * @param to where it goes
   * @param trafficClass the value of the TOS or traffic-class byte of the outer header, 0 to 255;
   *     means nothing to raw sockets that bring their own header
   */
  void add(long data, int length, SocketAddress to, int trafficClass) {
    to.writeTo(extraBytes, count * SocketAddress.MAX_LENGTH);
    int index = append(data, length, to.length);
    if (trafficClass == 0) {
      headers.setControl(index, 0, 0);
    } else {
      addTrafficClass(index, to.family == Libc.AF_INET, trafficClass);
    }
  }

  /**
   * Appends a message for a raw socket.
   *
   * @param high and {@code low}: the halves of the destination's 16-byte form in network order
   */
  void add(long data, int length, boolean ipv4, long high, long low) {
    int name = count * SocketAddress.MAX_LENGTH;
    append(data, length, SocketAddress.write(extraBytes, name, ipv4, high, low));
    headers.setControl(count - 1, 0, 0);
  }

  private int append(long data, int length, int nameLength) {
    int index = count++;
    headers.setName(index, extras.address() + (long) index * SocketAddress.MAX_LENGTH, nameLength);
    headers.setData(index, data, length);
    lengths[index] = length;
    return index;
  }

  private void addTrafficClass(int index, boolean ipv4, int trafficClass) {
    int at = controls + index * CONTROL;
    extraBytes.putLong(at, CONTROL_DATA + CONTROL_DATA_LENGTH);
    extraBytes.putInt(at + 8, ipv4 ? Libc.IPPROTO_IP : Libc.IPPROTO_IPV6);
    extraBytes.putInt(at + 12, ipv4 ? Libc.IP_TOS : Libc.IPV6_TCLASS);
    extraBytes.putInt(at + CONTROL_DATA, trafficClass);
    headers.setControl(index, extras.address() + at, CONTROL);
  }

  /** Messages that wait to be sent. */
  int count() {
    return count;
  }

  /** Bytes of message {@code index}. */
  int length(int index) {
    return lengths[index];
  }

  /** Forgets all messages. */
  void clear() {
    count = 0;
  }

  @Override
  public void close() {
    headers.close();
    extras.close();
  }
}
