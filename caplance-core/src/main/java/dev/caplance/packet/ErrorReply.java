package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * Writes what a router or a host answers to a packet that goes no further: that it is too big, that
 * its port is unreachable, or that there is no connection. Each reply is a whole IP packet from the
 * packet's destination to its source. One object serves packet after packet. For one thread.
 */
public final class ErrorReply {

  /** Bytes of the longest reply, and of the buffer that it is written to (RFC 4443, §2.4 c). */
  public static final int MAX_LENGTH = 1280;

  /** The most bytes of an ICMP error (RFC 1812, §4.3.2.3). */
  private static final int MAX_IPV4_ERROR = 576;

  private static final int TTL = 64;

  private static final int UNREACHABLE = 3;
  private static final int UNREACHABLE_PORT = 3;
  private static final int FRAGMENTATION_NEEDED = 4;
  private static final int V6_UNREACHABLE = 1;
  private static final int V6_UNREACHABLE_PORT = 4;
  private static final int V6_PACKET_TOO_BIG = 2;

  private boolean ipv4;
  private ByteBuffer packet;
  private int ip;
  private int upper;
  private int length;

  /**
   * Takes the packet that the next replies are about.
   *
   * @param header of the packet, read from {@code bytes}
   * @param bytes that hold the packet, network byte order
   * @param at where the packet begins
   * @param packetLength its bytes
   */
  public ErrorReply about(IpHeader header, ByteBuffer bytes, int at, int packetLength) {
    ipv4 = header.ipv4();
    packet = bytes;
    ip = at;
    upper = header.upperOffset();
    length = packetLength;
    return this;
  }

  /**
   * Fragmentation needed (RFC 1191) or packet too big (RFC 4443).
   *
   * @param mtu the largest packet that would have gone on
   * @param reply written from its beginning, network byte order
   * @return bytes of the reply
   */
  public int tooBig(int mtu, ByteBuffer reply) {
    return ipv4
        ? icmp(UNREACHABLE, FRAGMENTATION_NEEDED, mtu, reply)
        : icmp(V6_PACKET_TOO_BIG, 0, mtu, reply);
  }

  /** Port unreachable; see {@link #tooBig}. */
  public int portUnreachable(ByteBuffer reply) {
    return ipv4
        ? icmp(UNREACHABLE, UNREACHABLE_PORT, 0, reply)
        : icmp(V6_UNREACHABLE, V6_UNREACHABLE_PORT, 0, reply);
  }

  /**
   * The reset that a host without the connection sends (RFC 9293, §3.10.7.1), which the sender of
   * the packet accepts: its sequence number is the one that the packet acknowledges, or it
   * acknowledges a packet that acknowledges nothing, such as a SYN. See {@link #tooBig}.
   */
  public int reset(ByteBuffer reply) {
    int header = Transport.TCP_MIN_HEADER;
    int flags = Transport.tcpFlags(packet, upper);
    boolean acknowledges = (flags & Transport.ACK) != 0;
    int tcp = writeIp(IpProtocol.TCP, header, reply);
    reply.putShort(tcp + Transport.SOURCE_PORT, (short) Transport.destinationPort(packet, upper));
    reply.putShort(tcp + Transport.DESTINATION_PORT, (short) Transport.sourcePort(packet, upper));
    reply.putInt(
        tcp + Transport.SEQUENCE,
        acknowledges ? packet.getInt(upper + Transport.ACKNOWLEDGEMENT) : 0);
    reply.putInt(tcp + Transport.ACKNOWLEDGEMENT, acknowledges ? 0 : sequenceAfter(flags));
    Transport.setTcpHeaderLength(reply, tcp, header);
    reply.put(
        tcp + Transport.FLAGS,
        (byte) (acknowledges ? Transport.RST : Transport.RST | Transport.ACK));
    reply.putShort(tcp + Transport.WINDOW, (short) 0);
    reply.putShort(tcp + Transport.TCP_CHECKSUM, (short) 0);
    reply.putShort(tcp + Transport.URGENT, (short) 0);
    reply.putShort(
        tcp + Transport.TCP_CHECKSUM, (short) checksum(reply, tcp, header, IpProtocol.TCP));
    return tcp + header;
  }

  /** The sequence number after the packet: SYN and FIN count like a byte of its payload. */
  private int sequenceAfter(int flags) {
    int payload = ip + length - upper - Transport.tcpHeaderLength(packet, upper);
    int marks = Integer.bitCount(flags & (Transport.SYN | Transport.FIN));
    return packet.getInt(upper + Transport.SEQUENCE) + payload + marks;
  }

  /** An error with as much of the packet as fits. */
  private int icmp(int type, int code, int value, ByteBuffer reply) {
    int room = ipv4 ? MAX_IPV4_ERROR - Ipv4.MIN_HEADER : MAX_LENGTH - Ipv6.HEADER;
    int quoted = Math.min(length, room - Icmp.HEADER);
    int message = Icmp.HEADER + quoted;
    int protocol = ipv4 ? IpProtocol.ICMP : IpProtocol.ICMPV6;
    int icmp = writeIp(protocol, message, reply);
    reply.put(icmp + Icmp.TYPE, (byte) type);
    reply.put(icmp + Icmp.CODE, (byte) code);
    reply.putShort(icmp + Icmp.CHECKSUM, (short) 0);
    reply.putInt(icmp + Icmp.VALUE, value);
    reply.put(icmp + Icmp.HEADER, packet, ip, quoted);
    int checksum =
        ipv4 ? Checksum.of(reply, icmp, message) : checksum(reply, icmp, message, protocol);
    reply.putShort(icmp + Icmp.CHECKSUM, (short) checksum);
    return icmp + message;
  }

  /** Writes the IP header of a reply with such a content; says where the content begins. */
  private int writeIp(int protocol, int content, ByteBuffer reply) {
    if (ipv4) {
      Ipv4.writeHeader(reply, 0, Ipv4.MIN_HEADER + content, protocol, TTL);
      reply.putInt(Ipv4.SOURCE, Ipv4.destination(packet, ip));
      reply.putInt(Ipv4.DESTINATION, Ipv4.source(packet, ip));
      Ipv4.completeChecksum(reply, 0);
      return Ipv4.MIN_HEADER;
    }
    Ipv6.writeHeader(reply, 0, content, protocol, TTL);
    reply.put(Ipv6.SOURCE, packet, ip + Ipv6.DESTINATION, Ipv6.ADDRESS);
    reply.put(Ipv6.DESTINATION, packet, ip + Ipv6.SOURCE, Ipv6.ADDRESS);
    return Ipv6.HEADER;
  }

  /** With the pseudo-header (RFC 9293, §3.1; RFC 8200, §8.1). */
  private int checksum(ByteBuffer reply, int at, int bytes, int protocol) {
    long sum = Transport.pseudoHeader(reply, ipv4, 0, protocol, bytes);
    return Checksum.finish(sum + Checksum.sum(reply, at, bytes));
  }
}
