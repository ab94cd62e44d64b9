package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * Divides a TCP packet that the kernel joined from many (generic receive offload) into segments, as
 * the kernel would: {@link #begin} takes the packet, {@link #writeHeader} writes the header of each
 * segment, whose payload stays where it is. Also completes a checksum that was left to the network
 * card. One object serves packet after packet. For one thread.
 *
 * <p>Fields that the joined segments had in common stay. The sequence number and the IPv4
 * identification are incremented; FIN and PSH go with the last segment, CWR with the first one (RFC
 * 3168, §6.1.2). Checksums are computed anew.
 */
public final class TcpSegmenter {

  /** Bytes of the longest header: IPv4 or IPv6 and TCP, with all options. */
  public static final int MAX_HEADER = 256;

  private ByteBuffer packet;
  private boolean ipv4;
  private int ip;
  private int tcp;
  private int headerLength;
  private int payloadLength;

  /** What the checksums of all segments have in common. */
  private long ipSum;

  private long tcpSum;

  /**
   * Takes a packet.
   *
   * @param header of the packet, read from {@code b}
   * @param b that holds the packet, network byte order
   * @param at where the packet begins
   * @param length its bytes
   * @return whether it can be divided: it has a whole TCP header of at most {@link #MAX_HEADER}
   *     bytes with IP's
   */
  public boolean begin(IpHeader header, ByteBuffer b, int at, int length) {
    packet = b;
    ipv4 = header.ipv4();
    ip = at;
    tcp = header.upperOffset();
    int tcpHeader = Transport.tcpHeaderLength(b, tcp);
    headerLength = tcp - ip + tcpHeader;
    payloadLength = length - headerLength;
    boolean whole =
        tcpHeader >= Transport.TCP_MIN_HEADER && payloadLength >= 0 && headerLength <= MAX_HEADER;
    if (whole) {
      sumWhatSegmentsShare(tcpHeader);
    }
    return whole;
  }

  private void sumWhatSegmentsShare(int tcpHeader) {
    if (ipv4) {
      ipSum = Checksum.sum(packet, ip, tcp - ip) + without(ip + Ipv4.TOTAL_LENGTH);
      ipSum += without(ip + Ipv4.IDENTIFICATION) + without(ip + Ipv4.CHECKSUM);
    }
    tcpSum = Transport.pseudoHeader(packet, ipv4, ip, IpProtocol.TCP, 0);
    tcpSum += Checksum.sum(packet, tcp, tcpHeader);
    tcpSum += without(tcp + Transport.SEQUENCE) + without(tcp + Transport.SEQUENCE + 2);
    tcpSum += without(tcp + Transport.FLAGS - 1) + without(tcp + Transport.TCP_CHECKSUM);
  }

  /** What removes a 16-bit word from a sum (RFC 1624). */
  private long without(int word) {
    return ~packet.getShort(word) & 0xffff;
  }

  /** Bytes of the IP and TCP headers of every segment. */
  public int headerLength() {
    return headerLength;
  }

  /** Bytes that are divided among segments. */
  public int payloadLength() {
    return payloadLength;
  }

  /** Computes the checksum of the undivided packet, in place. */
  public void completeChecksum() {
    packet.putShort(tcp + Transport.TCP_CHECKSUM, (short) 0);
    int length = ip + headerLength + payloadLength - tcp;
    long sum = Transport.pseudoHeader(packet, ipv4, ip, IpProtocol.TCP, length);
    sum += Checksum.sum(packet, tcp, length);
    packet.putShort(tcp + Transport.TCP_CHECKSUM, (short) Checksum.finish(sum));
  }

  /**
   * Writes the header of one segment, {@link #headerLength} bytes.
   *
   * @param number of the segment, from 0
   * @param offset of its payload in that of the packet, bytes
   * @param length of its payload; the segment is the last when it reaches the packet's end
   */
  public void writeHeader(int number, int offset, int length, ByteBuffer target, int to) {
    target.put(to, packet, ip, headerLength);
    writeIp(number, headerLength + length, target, to);
    int tcpTo = to + tcp - ip;
    int sequence = packet.getInt(tcp + Transport.SEQUENCE) + offset;
    target.putInt(tcpTo + Transport.SEQUENCE, sequence);
    int flags = Transport.tcpFlags(packet, tcp);
    if (offset + length < payloadLength) {
      flags &= ~(Transport.FIN | Transport.PSH);
    }
    if (offset > 0) {
      flags &= ~Transport.CWR;
    }
    target.put(tcpTo + Transport.FLAGS, (byte) flags);
    long sum = tcpSum + headerLength - (tcp - ip) + length;
    sum += Integer.toUnsignedLong(sequence);
    sum += Short.toUnsignedInt(target.getShort(tcpTo + Transport.FLAGS - 1));
    sum += Checksum.sum(packet, ip + headerLength + offset, length);
    target.putShort(tcpTo + Transport.TCP_CHECKSUM, (short) Checksum.finish(sum));
  }

  private void writeIp(int number, int total, ByteBuffer target, int to) {
    if (ipv4) {
      Ipv4.setTotalLength(target, to, total);
      int identification = Ipv4.identification(packet, ip) + number & 0xffff;
      Ipv4.setIdentification(target, to, identification);
      int checksum = Checksum.finish(ipSum + total + identification);
      target.putShort(to + Ipv4.CHECKSUM, (short) checksum);
    } else {
      Ipv6.setPayloadLength(target, to, total - Ipv6.HEADER);
    }
  }
}
