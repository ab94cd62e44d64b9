package dev.caplance.linux;

import java.nio.ByteBuffer;

/**
 * An array of {@code struct mmsghdr}, each with one {@code struct iovec}, as {@code recvmmsg} and
 * {@code sendmmsg} take them. Written once where values never change, then only where they do.
 *
 * <pre>
 * struct mmsghdr { struct msghdr hdr; unsigned int len; }                                64 bytes
 *   0 void  *msg_name      8 socklen_t msg_namelen    16 struct iovec *msg_iov  24 size_t msg_iovlen
 *  32 void  *msg_control  40 size_t msg_controllen    48 int msg_flags          56 unsigned int len
 * struct iovec { void *base; size_t len; }                                               16 bytes
 * </pre>
 */
final class MessageHeaders implements AutoCloseable {

  private static final int HEADER = 64;
  private static final int NAME_LENGTH = 8;
  private static final int IOV = 16;
  private static final int IOV_COUNT = 24;
  private static final int CONTROL = 32;
  private static final int CONTROL_LENGTH = 40;
  private static final int FLAGS = 48;
  private static final int LENGTH = 56;
  private static final int IOVEC = 16;

  private final NativeMemory memory;
  private final ByteBuffer bytes;
  private final int iovecs;

  MessageHeaders(int capacity) {
    iovecs = capacity * HEADER;
    memory = NativeMemory.allocate(capacity * (HEADER + IOVEC));
    bytes = memory.nativeBytes();
    for (int i = 0; i < capacity; i++) {
      bytes.putLong(i * HEADER + IOV, memory.address() + iovecs + (long) i * IOVEC);
      bytes.putLong(i * HEADER + IOV_COUNT, 1);
    }
  }

  /** Where header {@code index} lies. */
  long address(int index) {
    return memory.address() + (long) index * HEADER;
  }

  void setName(int index, long address, int length) {
    bytes.putLong(index * HEADER, address);
    bytes.putInt(index * HEADER + NAME_LENGTH, length);
  }

  void setNameLength(int index, int length) {
    bytes.putInt(index * HEADER + NAME_LENGTH, length);
  }

  void setData(int index, long address, int length) {
    bytes.putLong(iovecs + index * IOVEC, address);
    bytes.putLong(iovecs + index * IOVEC + 8, length);
  }

  void setControl(int index, long address, int length) {
    bytes.putLong(index * HEADER + CONTROL, address);
    bytes.putLong(index * HEADER + CONTROL_LENGTH, length);
  }

  int flags(int index) {
    return bytes.getInt(index * HEADER + FLAGS);
  }

  /** Bytes that the last call received or sent in message {@code index}. */
  int transferred(int index) {
    return bytes.getInt(index * HEADER + LENGTH);
  }

  @Override
  public void close() {
    memory.close();
  }
}
