package dev.caplance.linux;

import java.nio.ByteBuffer;

/**
 * An array of {@code struct mmsghdr}, each with its {@code struct iovec}s, as {@code recvmmsg} and
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
  private final int maxPieces;

  /**
   * Headers of messages without names and control messages, each with one piece.
   *
   * @param maxPieces into how many stretches of memory the data of one message may be divided
   */
  MessageHeaders(int capacity, int maxPieces) {
    this.maxPieces = maxPieces;
    iovecs = capacity * HEADER;
    memory = NativeMemory.allocate(capacity * (HEADER + maxPieces * IOVEC));
    bytes = memory.nativeBytes();
    for (int i = 0; i < capacity; i++) {
      bytes.putLong(i * HEADER + IOV, memory.address() + iovec(i, 0));
      bytes.putLong(i * HEADER + IOV_COUNT, 1);
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
    bytes.putLong(index * HEADER, address);
    bytes.putInt(index * HEADER + NAME_LENGTH, length);
  }

  void setNameLength(int index, int length) {
    bytes.putInt(index * HEADER + NAME_LENGTH, length);
  }

  /** Gives message {@code index} the name of {@code other}. */
  void copyName(int index, int other) {
    bytes.putLong(index * HEADER, bytes.getLong(other * HEADER));
    setNameLength(index, bytes.getInt(other * HEADER + NAME_LENGTH));
  }

  /** Sets a piece, which is the last of its message until the next one is set. */
  void setPiece(int index, int piece, long address, int length) {
    int iovec = iovec(index, piece);
    bytes.putLong(iovec, address);
    bytes.putLong(iovec + 8, length);
    bytes.putLong(index * HEADER + IOV_COUNT, piece + 1);
  }

  long pieceAddress(int index, int piece) {
    return bytes.getLong(iovec(index, piece));
  }

  int pieceLength(int index, int piece) {
    return (int) bytes.getLong(iovec(index, piece) + 8);
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
