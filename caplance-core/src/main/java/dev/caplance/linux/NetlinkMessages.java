package dev.caplance.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Messages of netlink(7), one after another, that {@link NetlinkSocket#send} hands to the kernel at
 * once.
 *
 * <pre>
 * struct nlmsghdr { u32 len; u16 type; u16 flags; u32 seq; u32 pid; }   then the protocol's header
 * struct nlattr   { u16 len; u16 type; }                                then the value
 * </pre>
 *
 * <p>Messages and attributes begin at multiples of four bytes. Used by one thread.
 */
public final class NetlinkMessages {

  /** Flags of a message ({@code linux/netlink.h}). */
  public static final int REQUEST = 1;

  public static final int ACK = 4;
  public static final int DUMP = 0x300;
  public static final int CREATE = 0x400;

  static final int HEADER = 16;
  static final int TYPE = 4;
  static final int FLAGS = 6;
  static final int SEQUENCE = 8;

  private static final int ATTRIBUTE_HEADER = 4;
  private static final int NESTED = 0x8000;
  private static final int ALIGNMENT = 4;

  private ByteBuffer bytes = ByteBuffer.allocate(4096).order(ByteOrder.nativeOrder());

  /** Writes what a message or an attribute holds. */
  @FunctionalInterface
  public interface Content {
    void write();
  }

  /**
   * Adds a message.
   *
   * @param header of the protocol, behind the one of netlink
   * @param attributes adds them
   */
  public void message(int type, int flags, int sequence, byte[] header, Content attributes) {
    int start = bytes.position();
    room(HEADER);
    bytes.position(start + HEADER);
    put(header);
    attributes.write();
    bytes.putInt(start, bytes.position() - start);
    bytes.putShort(start + TYPE, (short) type);
    bytes.putShort(start + FLAGS, (short) flags);
    bytes.putInt(start + SEQUENCE, sequence);
  }

  /** Adds an attribute to the message that is being written. */
  public void attribute(int type, byte[] value) {
    attribute(type, () -> put(value));
  }

  /** An attribute that is an integer of 32 bits in network order. */
  public void attribute(int type, int value) {
    attribute(type, ByteBuffer.allocate(Integer.BYTES).putInt(value).array());
  }

  /** An attribute that is a string with a NUL at its end. */
  public void attribute(int type, String value) {
    byte[] text = value.getBytes(StandardCharsets.US_ASCII);
    attribute(type, Arrays.copyOf(text, text.length + 1));
  }

  /** An attribute that holds attributes. */
  public void nested(int type, Content content) {
    attribute(type | NESTED, content);
  }

  private void attribute(int type, Content content) {
    int start = bytes.position();
    room(ATTRIBUTE_HEADER);
    bytes.position(start + ATTRIBUTE_HEADER);
    content.write();
    int length = bytes.position() - start;
    bytes.putShort(start, (short) length);
    bytes.putShort(start + Short.BYTES, (short) type);
    put(new byte[-length & ALIGNMENT - 1]);
  }

  private void put(byte[] value) {
    room(value.length);
    bytes.put(value);
  }

  private void room(int more) {
    if (bytes.remaining() < more) {
      ByteBuffer larger =
          ByteBuffer.allocate(2 * (bytes.capacity() + more)).order(ByteOrder.nativeOrder());
      bytes = larger.put(bytes.flip());
    }
  }

  /** What was written so far. */
  byte[] toBytes() {
    return Arrays.copyOf(bytes.array(), bytes.position());
  }
}
