package dev.caplance.linux;

import java.nio.ByteBuffer;

/**
 * An array of {@code struct mmsghdr}, each with its {@code struct iovec}s, as {@code recvmmsg} and
 * {@code sendmmsg} take them. Owns that memory, and neither the names, the control messages nor the
 * data that it points to. For one thread.
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
  private static final int NAME = 0;
  private static final int NAME_LENGTH = 8;
  private static final int IOV = 16;
  private static final int IOV_COUNT = 24;
  private static final int CONTROL = 32;
  private static final int CONTROL_LENGTH = 40;
  private static final int FLAGS = 48;
  private static final int LENGTH = 56;

  private static final int IOVEC = 16;
  private static final int IOVEC_BASE = 0;
  private static final int IOVEC_LENGTH = 8;

  private final NativeMemory memory;
  private final ByteBuffer bytes;
  private final int iovecs;
  private final int maxPieces;

  /**
   * Headers of messages without names and control messages.
   *
   * @param maxPieces stretches of memory that the data of one message may lie in
   */
  MessageHeaders(int capacity, int maxPieces) {
    this.maxPieces = maxPieces;
    iovecs = capacity * HEADER;
    memory = NativeMemory.allocate(capacity * (HEADER + maxPieces * IOVEC));
    bytes = memory.nativeBytes();
    for (int i = 0; i < capacity; i++) {
      selectPieces(i, 0, 1);
    }
  }

  private int iovec(int index, int piece) {
    return iovecs + (index * maxPieces + piece) * IOVEC;
  }

  /** Where header {@code index} lies. */
  long address(int index) {
    return memory.address() + (long) index * HEADER;
  }

  void setName(int index, long address, int length) {
    bytes.putLong(index * HEADER + NAME, address);
    setNameLength(index, length);
  }

  void setNameLength(int index, int length) {
    bytes.putInt(index * HEADER + NAME_LENGTH, length);
  }

  /** Sets a piece, which is the last of its message until the next one is set. */
  void setPiece(int index, int piece, long address, int length) {
    if (piece >= maxPieces) {
      throw new IllegalStateException(
          "a message of " + maxPieces + " pieces has no piece " + piece);
    }
    int iovec = iovec(index, piece);
    bytes.putLong(iovec + IOVEC_BASE, address);
    bytes.putLong(iovec + IOVEC_LENGTH, length);
    bytes.putLong(index * HEADER + IOV_COUNT, piece + 1);
  }

  int pieceLength(int index, int piece) {
    return (int) bytes.getLong(iovec(index, piece) + IOVEC_LENGTH);
  }

  /** Makes a message consist of {@code count} of the pieces that were set, from one of them on. */
  void selectPieces(int index, int first, int count) {
    bytes.putLong(index * HEADER + IOV, memory.address() + iovec(index, first));
    bytes.putLong(index * HEADER + IOV_COUNT, count);
  }

  void setControl(int index, long address, int length) {
    bytes.putLong(index * HEADER + CONTROL, address);
    setControlLength(index, length);
  }

  void setControlLength(int index, int length) {
    bytes.putLong(index * HEADER + CONTROL_LENGTH, length);
  }

  /** Bytes of control messages that the last call received with message {@code index}. */
  int controlLength(int index) {
    return (int) bytes.getLong(index * HEADER + CONTROL_LENGTH);
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
