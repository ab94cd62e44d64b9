package dev.caplance.packet;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The Internet checksum (RFC 1071). */
public final class Checksum {

  /**
   * Words in the byte order of nearly all machines. The sum of swapped words is the swapped sum
   * (RFC 1071, section 2 B), so only the result is swapped.
   */
  private static final VarHandle WORDS =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Checksum() {}

  /**
   * The complement of the ones' complement sum: the value of a checksum field that is zero in the
   * bytes; zero if the bytes include their correct checksum.
   *
   * @param b in network byte order
   * @param length bytes; an odd last one counts as if a zero followed
   */
  public static int of(ByteBuffer b, int at, int length) {
    return of(b, at, length, 0);
  }

  /**
   * The same with a 16-bit word more, 0 to 65535 and a little: what a pseudo-header has beside its
   * addresses.
   */
  static int of(ByteBuffer b, int at, int length, int more) {
    return finish(sum(b, at, length) + more);
  }

  /**
   * A part of a sum, for {@link #finish}: parts that begin at even places can be added, up to a
   * megabyte in all.
   */
  static long sum(ByteBuffer b, int at, int length) {
    long words = 0;
    int i = at;
    for (int end = at + (length & ~7); i < end; i += 8) {
      words += halves((long) WORDS.get(b, i));
    }
    long sum = Short.toUnsignedLong(Short.reverseBytes((short) fold(words)));
    if ((length & 4) != 0) {
      sum += Integer.toUnsignedLong(b.getInt(i));
      i += 4;
    }
    if ((length & 2) != 0) {
      sum += (long) Short.toUnsignedInt(b.getShort(i)) << 16;
      i += 2;
    }
    if ((length & 1) != 0) {
      int shift = (length & 2) != 0 ? 8 : 24;
      sum += (long) (b.get(i) & 0xff) << shift;
    }
    return sum;
  }

  private static long halves(long word) {
    return (word >>> 32) + (word & 0xffff_ffffL);
  }

  /** The checksum of a sum: its complement in 16 bits. */
  static int finish(long sum) {
    return ~fold(sum) & 0xffff;
  }

  /** A sum in 16 bits. */
  static int fold(long sum) {
    long folded = (sum >>> 32) + (sum & 0xffff_ffffL);
    folded = (folded >>> 32) + (folded & 0xffff_ffffL);
    int half = (int) (folded >>> 16) + (int) (folded & 0xffff);
    return (half >>> 16) + (half & 0xffff);
  }
}
