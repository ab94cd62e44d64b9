package dev.caplance.packet;

/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of a {@link FlowKey}: source, destination (16 bytes
 * each), source port, destination port, protocol; 37 bytes in network order. Where only the client
 * matters, ports and protocol are zero. Without the key, nobody can choose flows for their hash, or
 * find two with the same one. Immutable.
 */
public final class FlowHash {

  /** Bytes of the key. */
  public static final int KEY_LENGTH = 16;

  private static final long INPUT_LENGTH = 37;

  private final long k0;
  private final long k1;

  /**
   * Takes the key.
   *
   * @param key 16 bytes
   */
  public FlowHash(byte[] key) {
    if (key.length != KEY_LENGTH) {
      throw new IllegalArgumentException("a hash key has 16 bytes, not " + key.length);
    }
    k0 = littleEndian(key, 0);
    k1 = littleEndian(key, 8);
  }

  private static long littleEndian(byte[] bytes, int at) {
    long word = 0;
    for (int i = 7; i >= 0; i--) {
      word = word << 8 | (bytes[at + i] & 0xff);
    }
    return word;
  }

  /** The hash, 64 bits, unsigned. */
  public long of(FlowKey flow) {
    return of(flow, lastWord(flow), null);
  }

  /** The 128-bit variant of the hash, which identifies a flow. */
  public void of(FlowKey flow, Fingerprint fingerprint) {
    fingerprint.high = of(flow, lastWord(flow), fingerprint);
  }

  /** The hash of source and destination only. */
  public long ofClient(FlowKey flow) {
    return of(flow, lastWord(0, 0), null);
  }

  /**
   * The 128-bit variant of the hash of source and destination, which identifies a client of a
   * service; no flow has the same one.
   *
   * @param service distinguishes the services of a destination
   */
  public void ofClient(FlowKey flow, int service, Fingerprint fingerprint) {
    fingerprint.high = of(flow, lastWord(Integer.toUnsignedLong(service), 0), fingerprint);
  }

  private long of(FlowKey flow, long lastWord, Fingerprint wide) {
    return of(
        Long.reverseBytes(flow.sourceHigh()),
        Long.reverseBytes(flow.sourceLow()),
        Long.reverseBytes(flow.destinationHigh()),
        Long.reverseBytes(flow.destinationLow()),
        lastWord,
        wide);
  }

  /** The last five bytes, and the length of the input on top. */
  private static long lastWord(FlowKey flow) {
    return lastWord((long) flow.sourcePort() << 16 | flow.destinationPort(), flow.protocol());
  }

  private static long lastWord(long ports, long protocol) {
    return Long.reverseBytes(ports << 32 | protocol << 24) | INPUT_LENGTH << 56;
  }

  /** The 128 bits of a flow. One object serves flow after flow. */
  public static final class Fingerprint {
    private long high;
    private long low;

    /** The first half of the hash's output. */
    public long high() {
      return high;
    }

    /** The second half of the hash's output. */
    public long low() {
      return low;
    }
  }

  /**
   * Over five words as SipHash sees them, little-endian. Two rounds for each word, then four to
   * finish, which are those of two words more that are zero, and for the wide variant four again.
   *
   * @param wide takes the second half of the wide variant's output; null for the narrow variant
   * @return the output, or its first half
   */
  long of(long m0, long m1, long m2, long m3, long m4, Fingerprint wide) {
    long v0 = k0 ^ 0x736f6d6570736575L;
    long v1 = k1 ^ 0x646f72616e646f6dL ^ (wide == null ? 0 : 0xee);
    long v2 = k0 ^ 0x6c7967656e657261L;
    long v3 = k1 ^ 0x7465646279746573L;
    long first = 0;
    int words = wide == null ? 7 : 9;
    for (int word = 0; word < words; word++) {
      long m =
          switch (word) {
            case 0 -> m0;
            case 1 -> m1;
            case 2 -> m2;
            case 3 -> m3;
            case 4 -> m4;
            default -> 0;
          };
      if (word == 5) {
        v2 ^= wide == null ? 0xff : 0xee;
      } else if (word == 7) {
        first = v0 ^ v1 ^ v2 ^ v3;
        v1 ^= 0xdd;
      }
      v3 ^= m;
      for (int round = 0; round < 2; round++) {
        v0 += v1;
        v2 += v3;
        v1 = Long.rotateLeft(v1, 13) ^ v0;
        v3 = Long.rotateLeft(v3, 16) ^ v2;
        v0 = Long.rotateLeft(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = Long.rotateLeft(v1, 17) ^ v2;
        v3 = Long.rotateLeft(v3, 21) ^ v0;
        v2 = Long.rotateLeft(v2, 32);
      }
      v0 ^= m;
    }
    long last = v0 ^ v1 ^ v2 ^ v3;
    if (wide == null) {
      return last;
    }
    wide.low = last;
    return first;
  }
}
