package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * Writes what a router or host says to the sender of a packet that goes no further: that it is too
 * big, that nobody is there, or that there is no connection. Whole IP packets from the packet's
 * destination to its source, at the beginning of a buffer in network order.
 */
public final class Reply {

  /** Bytes of the longest reply, and of the buffer it is written to (RFC 4443, §2.4 c). */
  public static final int MAX_LENGTH = 1280;

  /** RFC 1812, §4.3.2.3: an ICMP error has at most so many bytes. */
  private static final int MAX_IPV4_ERROR = 576;

  private static final int TTL = 64;
  private static final int PSEUDO_HEADER_IPV6_SOURCE = 8;

  private static final int UNREACHABLE = 3;
  private static final int UNREACHABLE_PORT = 3;
  private static final int FRAGMENTATION_NEEDED = 4;
  private static final int V6_UNREACHABLE = 1;
  private static final int V6_UNREACHABLE_PORT = 4;
  private static final int V6_PACKET_TOO_BIG = 2;

  private Reply() {}

  /**
   * Fragmentation needed (RFC 1191) or packet too big (RFC 4443).
   *
   * @param header of the packet, read from {@code packet}
   * @param at where the packet begins
   * @param length its bytes
   * @param mtu the largest packet that would have gone on
   * @return bytes of the reply
   */
  public static int tooBig(
      IpHeader header, ByteBuffer packet, int at, int length, int mtu, ByteBuffer reply) {
    return header.ipv4()
        ? icmp(packet, at, length, UNREACHABLE, FRAGMENTATION_NEEDED, mtu, reply)
        : icmpv6(packet, at, length, V6_PACKET_TOO_BIG, 0, mtu, reply);
  }

  /** Port unreachable; parameters as for {@link #tooBig}. */
  public static int unreachable(
      IpHeader header, ByteBuffer packet, int at, int length, ByteBuffer reply) {
    return header.ipv4()
        ? icmp(packet, at, length, UNREACHABLE, UNREACHABLE_PORT, 0, reply)
        : icmpv6(packet, at, length, V6_UNREACHABLE, V6_UNREACHABLE_PORT, 0, reply);
  }

  /** A reset in answer to a SYN (RFC 9293, §3.10.7.1); parameters as for {@link #tooBig}. */
  public static int reset(IpHeader header, ByteBuffer packet, int at, ByteBuffer reply) {
    int length = Transport.TCP_MIN_HEADER;
    int tcp = writeIp(header.ipv4(), packet, at, IpProtocol.TCP, length, reply);
    int syn = header.upperOffset();
    reply.putShort(tcp, packet.getShort(syn + 2));
    reply.putShort(tcp + 2, packet.getShort(syn));
    reply.putInt(tcp + 4, 0);
    reply.putInt(tcp + 8, packet.getInt(syn + 4) + 1);
    reply.put(tcp + 12, (byte) ((length / 4) << 4));
    reply.put(tcp + 13, (byte) (Transport.RST | Transport.ACK));
    reply.putShort(tcp + 14, (short) 0);
    reply.putInt(tcp + 16, 0);
    int sum = checksum(header.ipv4(), reply, tcp, length, IpProtocol.TCP);
    reply.putShort(tcp + 16, (short) sum);
    return tcp + length;
  }

  private static int icmp(
      ByteBuffer packet, int at, int length, int type, int code, int value, ByteBuffer reply) {
    int quoted = Math.min(length, MAX_IPV4_ERROR - Ipv4.MIN_HEADER - Icmp.HEADER);
    int total = Icmp.HEADER + quoted;
    int icmp = writeIp(true, packet, at, IpProtocol.ICMP, total, reply);
    writeError(packet, at, quoted, type, code, value, reply, icmp);
    reply.putShort(icmp + 2, (short) Checksum.of(reply, icmp, total));
    return icmp + total;
  }

  private static int icmpv6(
      ByteBuffer packet, int at, int length, int type, int code, int value, ByteBuffer reply) {
    int quoted = Math.min(length, MAX_LENGTH - Ipv6.HEADER - Icmp.HEADER);
    int total = Icmp.HEADER + quoted;
    int icmp = writeIp(false, packet, at, IpProtocol.ICMPV6, total, reply);
    writeError(packet, at, quoted, type, code, value, reply, icmp);
    int sum = checksum(false, reply, icmp, total, IpProtocol.ICMPV6);
    reply.putShort(icmp + 2, (short) sum);
    return icmp + total;
  }

  private static void writeError(
      ByteBuffer packet,
      int at,
      int quoted,
      int type,
      int code,
      int value,
      ByteBuffer reply,
      int icmp) {
    reply.put(icmp, (byte) type);
    reply.put(icmp + 1, (byte) code);
    reply.putShort(icmp + 2, (short) 0);
    reply.putInt(icmp + 4, value);
    reply.put(icmp + Icmp.HEADER, packet, at, quoted);
  }

  /** Writes the header of a packet that goes back, and gives where its content begins. */
  private static int writeIp(
      boolean ipv4, ByteBuffer packet, int at, int protocol, int length, ByteBuffer reply) {
    if (ipv4) {
      reply.putInt(0, 0x4500_0000 | Ipv4.MIN_HEADER + length);
      reply.putInt(4, 0);
      reply.putInt(8, TTL << 24 | protocol << 16);
      reply.putInt(Ipv4.SOURCE, packet.getInt(at + Ipv4.DESTINATION));
      reply.putInt(Ipv4.DESTINATION, packet.getInt(at + Ipv4.SOURCE));
      reply.putShort(10, (short) Checksum.of(reply, 0, Ipv4.MIN_HEADER));
      return Ipv4.MIN_HEADER;
    }
    reply.putInt(0, 0x6000_0000);
    reply.putInt(4, length << 16 | protocol << 8 | TTL);
    for (int i = 0; i < 16; i += 8) {
      reply.putLong(Ipv6.SOURCE + i, packet.getLong(at + Ipv6.DESTINATION + i));
      reply.putLong(Ipv6.DESTINATION + i, packet.getLong(at + Ipv6.SOURCE + i));
    }
    return Ipv6.HEADER;
  }

  /** With the pseudo-header of both addresses, length and protocol (RFC 9293, RFC 8200 §8.1). */
  private static int checksum(boolean ipv4, ByteBuffer reply, int at, int length, int protocol) {
    int addresses = ipv4 ? Ipv4.SOURCE : PSEUDO_HEADER_IPV6_SOURCE;
    return Checksum.of(reply, addresses, at + length - addresses, length + protocol);
  }
}
