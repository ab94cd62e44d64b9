package dev.caplance.linux.nfqueue;

import java.nio.ByteBuffer;

/**
 * The netlink messages of NFQUEUE, read and written in place. Netlink is in the machine's byte
 * order (little-endian here), what netfilter adds to it in network order; buffers are in network
 * order.
 *
 * <pre>
 *  0 nlmsghdr  u32 length, u16 type, u16 flags, u32 sequence, u32 port
 * 16 nfgenmsg  u8 family, u8 version, be16 queue
 * 20 nlattr    u16 length, u16 type, value, padded to 4 bytes; and so on
 *
 * struct nfqnl_msg_verdict_hdr  { be32 verdict; be32 id; }
 * struct nfqnl_msg_config_params { be32 copy_range; u8 copy_mode; }
 * </pre>
 */
final class QueueMessages {

  static final int VERDICT_LENGTH = 32;
  static final int COPY_MODE_LENGTH = 32;

  /** {@code NF_DROP}: the kernel forgets the packet. */
  static final int DROP = 0;

  /** {@code NF_ACCEPT}: the packet goes on its way through this machine. */
  static final int ACCEPT = 1;

  private static final int LENGTH = 0;
  private static final int TYPE = 4;
  private static final int FLAGS = 6;
  private static final int SEQUENCE_AND_PORT = 8;
  private static final int FAMILY_AND_VERSION = 16;
  private static final int QUEUE = 18;
  private static final int HEADERS = 20;

  private static final int ATTRIBUTE_LENGTH = 0;
  private static final int ATTRIBUTE_TYPE = 2;
  private static final int ATTRIBUTE_HEADER = 4;
  private static final int ATTRIBUTE_TYPE_MASK = 0x3fff;
  private static final int ALIGNMENT = 4;

  /** The value of the only attribute of a message that is written here. */
  private static final int VALUE = HEADERS + ATTRIBUTE_HEADER;

  private static final int VERDICT = VALUE;
  private static final int VERDICT_PACKET = VALUE + 4;
  private static final int VERDICT_SIZE = 8;
  private static final int COPY_RANGE = VALUE;
  private static final int COPY_MODE = VALUE + 4;
  private static final int CONFIG_PARAMS_SIZE = 5;

  private static final int SUBSYSTEM_QUEUE = 3 << 8;
  private static final int TYPE_PACKET = SUBSYSTEM_QUEUE;
  private static final int TYPE_VERDICT = SUBSYSTEM_QUEUE | 1;
  private static final int TYPE_CONFIG = SUBSYSTEM_QUEUE | 2;
  private static final int TYPE_VERDICT_BATCH = SUBSYSTEM_QUEUE | 3;
  private static final int NLM_F_REQUEST = 1;
  private static final int NLMSG_ERROR = 2;

  /** Where {@code struct nlmsgerr} has the negative error number. */
  private static final int ERROR = 16;

  private static final int NFQA_PACKET_HDR = 1;
  private static final int NFQA_VERDICT_HDR = 2;
  private static final int NFQA_PAYLOAD = 10;
  private static final int NFQA_CAP_LEN = 13;
  private static final int NFQA_SKB_INFO = 14;
  private static final int NFQA_SKB_CSUMNOTREADY = 1;
  private static final int NFQA_SKB_GSO = 2;
  private static final int NFQA_CFG_PARAMS = 2;
  private static final int NFQNL_COPY_PACKET = 2;

  private int queue;
  private int packetId;
  private int payloadOffset;
  private int payloadLength;
  private boolean whole;
  private int offloads;

  /**
   * Reads a message.
   *
   * @return whether it is a packet with its bytes; what it holds can then be asked for until the
   *     next call
   */
  boolean read(ByteBuffer buffer, int offset, int length) {
    if (length < HEADERS || le16(buffer, offset + TYPE) != TYPE_PACKET) {
      return false;
    }
    boolean identified = false;
    payloadLength = -1;
    whole = true;
    offloads = 0;
    queue = Short.toUnsignedInt(buffer.getShort(offset + QUEUE));
    int end = offset + Math.min(length, le32(buffer, offset + LENGTH));
    int at = offset + HEADERS;
    while (at + ATTRIBUTE_HEADER <= end) {
      int attributeLength = le16(buffer, at + ATTRIBUTE_LENGTH);
      if (attributeLength < ATTRIBUTE_HEADER || at + attributeLength > end) {
        return false;
      }
      int value = at + ATTRIBUTE_HEADER;
      switch (le16(buffer, at + ATTRIBUTE_TYPE) & ATTRIBUTE_TYPE_MASK) {
        case NFQA_PACKET_HDR -> {
          packetId = buffer.getInt(value);
          identified = true;
        }
        case NFQA_PAYLOAD -> {
          payloadOffset = value;
          payloadLength = attributeLength - ATTRIBUTE_HEADER;
        }
        case NFQA_CAP_LEN -> whole = false;
        case NFQA_SKB_INFO -> offloads = buffer.getInt(value);
        default -> {}
      }
      at += (attributeLength + ALIGNMENT - 1) & -ALIGNMENT;
    }
    return identified && payloadLength >= 0;
  }

  /**
   * Reads a message that reports an error ({@code NLMSG_ERROR} of netlink(7)): the kernel has
   * refused a message of ours.
   *
   * @return the error number, or 0 when it is another message
   */
  static int errno(ByteBuffer buffer, int offset, int length) {
    return length >= ERROR + Integer.BYTES && le16(buffer, offset + TYPE) == NLMSG_ERROR
        ? -le32(buffer, offset + ERROR)
        : 0;
  }

  /** The queue that the packet is in. */
  int queue() {
    return queue;
  }

  /** The id that the kernel gave the packet; it grows by one from packet to packet. */
  int packetId() {
    return packetId;
  }

  int payloadOffset() {
    return payloadOffset;
  }

  int payloadLength() {
    return payloadLength;
  }

  /** Whether the payload is the whole packet and was not cut to the copy range. */
  boolean whole() {
    return whole;
  }

  /** Whether the kernel joined the packet from several, or has yet to segment it. */
  boolean aggregate() {
    return (offloads & NFQA_SKB_GSO) != 0;
  }

  /** Whether the packet's TCP checksum is complete and not left to a network card. */
  boolean checksumReady() {
    return (offloads & NFQA_SKB_CSUMNOTREADY) == 0;
  }

  /**
   * Writes {@code NFQNL_MSG_VERDICT_BATCH}, {@link #VERDICT_LENGTH} bytes. {@link #setPacket}
   * completes it.
   */
  static void writeVerdictBatch(ByteBuffer buffer, int at, int queue, int verdict) {
    writeVerdict(buffer, at, TYPE_VERDICT_BATCH, queue, verdict);
  }

  /** Writes {@code NFQNL_MSG_VERDICT}, which settles a single packet. */
  static void writeSingleVerdict(ByteBuffer buffer, int at, int queue, int verdict) {
    writeVerdict(buffer, at, TYPE_VERDICT, queue, verdict);
  }

  private static void writeVerdict(ByteBuffer buffer, int at, int type, int queue, int verdict) {
    writeHeaders(buffer, at, VERDICT_LENGTH, type, queue);
    writeAttributeHeader(buffer, at, VERDICT_SIZE, NFQA_VERDICT_HDR);
    buffer.putInt(at + VERDICT, verdict);
    buffer.putInt(at + VERDICT_PACKET, 0);
  }

  /** Sets the packet that a verdict settles; a verdict batch settles all before it too. */
  static void setPacket(ByteBuffer buffer, int at, int packetId) {
    buffer.putInt(at + VERDICT_PACKET, packetId);
  }

  /**
   * Writes {@code NFQNL_MSG_CONFIG} that asks for the first {@code range} bytes of each packet,
   * {@link #COPY_MODE_LENGTH} bytes with padding.
   */
  static void writeCopyMode(ByteBuffer buffer, int queue, int range) {
    writeHeaders(buffer, 0, COPY_MODE_LENGTH, TYPE_CONFIG, queue);
    writeAttributeHeader(buffer, 0, CONFIG_PARAMS_SIZE, NFQA_CFG_PARAMS);
    buffer.putInt(COPY_RANGE, range);
    buffer.put(COPY_MODE, (byte) NFQNL_COPY_PACKET);
  }

  private static void writeHeaders(ByteBuffer buffer, int at, int length, int type, int queue) {
    buffer.putInt(at + LENGTH, Integer.reverseBytes(length));
    buffer.putShort(at + TYPE, Short.reverseBytes((short) type));
    buffer.putShort(at + FLAGS, Short.reverseBytes((short) NLM_F_REQUEST));
    buffer.putLong(at + SEQUENCE_AND_PORT, 0);
    buffer.putShort(at + FAMILY_AND_VERSION, (short) 0);
    buffer.putShort(at + QUEUE, (short) queue);
  }

  private static void writeAttributeHeader(ByteBuffer buffer, int at, int valueSize, int type) {
    int attribute = at + HEADERS;
    short length = (short) (ATTRIBUTE_HEADER + valueSize);
    buffer.putShort(attribute + ATTRIBUTE_LENGTH, Short.reverseBytes(length));
    buffer.putShort(attribute + ATTRIBUTE_TYPE, Short.reverseBytes((short) type));
  }

  private static int le16(ByteBuffer buffer, int at) {
    return Short.toUnsignedInt(Short.reverseBytes(buffer.getShort(at)));
  }

  private static int le32(ByteBuffer buffer, int at) {
    return Integer.reverseBytes(buffer.getInt(at));
  }
}
