package dev.caplance.linux;

/**
 * Where the bytes of one datagram lie outside the heap: in one place, or the header in one place
 * and the payload in another. One object describes datagram after datagram. For one thread.
 */
public final class Datagram {

  /** The most places that a datagram lies in. */
  static final int MAX_PIECES = 2;

  private long first;
  private int firstLength;
  private long second;
  private int secondLength;

  /** Describes a datagram of {@code length} bytes that begins at {@code address}. */
  public Datagram set(long address, int length) {
    first = address;
    firstLength = length;
    secondLength = 0;
    return this;
  }

  /** Describes a datagram whose header and payload, neither of them empty, lie apart. */
  public Datagram set(long header, int headerLength, long payload, int payloadLength) {
    first = header;
    firstLength = headerLength;
    second = payload;
    secondLength = payloadLength;
    return this;
  }

  /** Bytes of the datagram. */
  public int length() {
    return firstLength + secondLength;
  }

  /** Whether the header and the payload lie apart. */
  boolean divided() {
    return secondLength > 0;
  }

  long first() {
    return first;
  }

  int firstLength() {
    return firstLength;
  }

  long second() {
    return second;
  }

  int secondLength() {
    return secondLength;
  }
}
