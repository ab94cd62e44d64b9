package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * Joins TCP segments that follow each other into one packet, as the kernel's generic receive
 * offload does: the first segment's header, changed in its place by {@link #end}, and then the
 * payloads of all. One object serves packet after packet.
 *
 * <p>The checksum of the joined packet is computed from those of the segments, not from their
 * bytes: it is wrong when one of theirs was, and the receiver notices.
 */
public final class TcpJoiner {

  private ByteBuffer bytes;
  private boolean ipv4;
  private boolean open;
  private int ip;
  private int tcp;
  private int headerLength;
  private int firstPayload;
  private int mostBytes;
  private int segments;
  private int payload;
  private int flags;
  private long payloadSum;

  /**
   * Takes the first packet.
   *
   * @param header of the packet, read from {@code b}
   * @param b that holds the packet, network byte order
   * @param at where the packet begins
   * @param length its bytes
   * @param most bytes that the joined packet may have, up to 65,535
   */
  public void begin(IpHeader header, ByteBuffer b, int at, int length, int most) {
    bytes = b;
    mostBytes = most;
    segments = 1;
    ipv4 = header.ipv4();
    ip = at;
    tcp = header.upperOffset();
    open =
        header.protocol() == IpProtocol.TCP
            && !header.fragment()
            && tcp - ip == (ipv4 ? Ipv4.MIN_HEADER : Ipv6.HEADER)
            && header.upperLength() > Transport.TCP_MIN_HEADER;
    if (open) {
      headerLength = tcp - ip + Transport.tcpHeaderLength(b, tcp);
      payload = length - headerLength;
      firstPayload = payload;
      flags = Transport.tcpFlags(b, tcp);
      open =
          flags == Transport.ACK
              && headerLength >= tcp - ip + Transport.TCP_MIN_HEADER
              && payload > 0
              && (payload & 1) == 0;
      payloadSum = open ? payloadSum(b, ip, length) : 0;
    }
  }

  /**
   * Adds a packet to the one that {@link #begin} took, if possible: its payload, from {@link
   * #headerLength} on, then belongs behind what is joined so far.
   *
   * @param b the same that holds the first
   */
  public boolean join(IpHeader header, ByteBuffer b, int at, int length) {
    int more = length - headerLength;
    if (!open
        || header.protocol() != IpProtocol.TCP
        || header.ipv4() != ipv4
        || header.upperOffset() - at != tcp - ip
        || more <= 0
        || headerLength + payload + more > mostBytes
        || !follows(b, at)) {
      return false;
    }
    payloadSum += payloadSum(b, at, length);
    flags |= Transport.tcpFlags(b, at + tcp - ip);
    payload += more;
    segments++;
    open = more == firstPayload && flags == Transport.ACK;
    return true;
  }

  /** Whether the headers differ only where those of successive segments must. */
  private boolean follows(ByteBuffer b, int at) {
    int other = at + tcp - ip;
    int otherFlags = Transport.tcpFlags(b, other);
    return (otherFlags & ~Transport.PSH) == Transport.ACK
        && b.getInt(other + Transport.SEQUENCE) == bytes.getInt(tcp + Transport.SEQUENCE) + payload
        && (ipv4 ? sameIpv4(b, at) : sameIpv6(b, at))
        && b.getInt(other) == bytes.getInt(tcp)
        && b.getInt(other + Transport.ACKNOWLEDGEMENT)
            == bytes.getInt(tcp + Transport.ACKNOWLEDGEMENT)
        && b.get(other + Transport.DATA_OFFSET) == bytes.get(tcp + Transport.DATA_OFFSET)
        && b.getShort(other + Transport.WINDOW) == bytes.getShort(tcp + Transport.WINDOW)
        && sameOptions(b, other);
  }

  /**
   * Version, traffic class, flags, TTL, protocol, addresses; with DF, the identification is free.
   */
  private boolean sameIpv4(ByteBuffer b, int at) {
    return b.getShort(at + Ipv4.VERSION) == bytes.getShort(ip + Ipv4.VERSION)
        && b.getShort(at + Ipv4.FRAGMENT) == bytes.getShort(ip + Ipv4.FRAGMENT)
        && Ipv4.isDontFragment(b, at)
        && b.getShort(at + Ipv4.TTL) == bytes.getShort(ip + Ipv4.TTL)
        && b.getLong(at + Ipv4.SOURCE) == bytes.getLong(ip + Ipv4.SOURCE);
  }

  /** Everything but the length. */
  private boolean sameIpv6(ByteBuffer b, int at) {
    boolean same =
        b.getInt(at + Ipv6.VERSION) == bytes.getInt(ip + Ipv6.VERSION)
            && b.getShort(at + Ipv6.NEXT_HEADER) == bytes.getShort(ip + Ipv6.NEXT_HEADER);
    for (int i = Ipv6.SOURCE; same && i < Ipv6.HEADER; i += 8) {
      same = b.getLong(at + i) == bytes.getLong(ip + i);
    }
    return same;
  }

  private boolean sameOptions(ByteBuffer b, int other) {
    for (int i = Transport.TCP_MIN_HEADER; i < headerLength - (tcp - ip); i += 4) {
      if (b.getInt(other + i) != bytes.getInt(tcp + i)) {
        return false;
      }
    }
    return true;
  }

  /**
   * What the payload of a segment must sum up to for the segment's checksum to be right: the
   * complement of all that the checksum covers besides it.
   */
  private long payloadSum(ByteBuffer b, int at, int length) {
    int header = tcp - ip;
    long rest = Transport.pseudoHeader(b, ipv4, at, IpProtocol.TCP, length - header);
    rest += Checksum.sum(b, at + header, headerLength - header);
    return Checksum.finish(rest);
  }

  /** Bytes of the IP and TCP headers of each packet. */
  public int headerLength() {
    return headerLength;
  }

  /** Makes the first packet's header that of the joined one; no further packet can be added. */
  public void end() {
    open = false;
    if (segments <= 1) {
      return;
    }
    int length = headerLength + payload;
    if (ipv4) {
      Ipv4.setTotalLength(bytes, ip, length);
      Ipv4.completeChecksum(bytes, ip);
    } else {
      Ipv6.setPayloadLength(bytes, ip, length - Ipv6.HEADER);
    }
    bytes.put(tcp + Transport.FLAGS, (byte) flags);
    bytes.putShort(tcp + Transport.TCP_CHECKSUM, (short) 0);
    long sum = Transport.pseudoHeader(bytes, ipv4, ip, IpProtocol.TCP, length - (tcp - ip));
    sum += Checksum.sum(bytes, tcp, headerLength - (tcp - ip)) + payloadSum;
    bytes.putShort(tcp + Transport.TCP_CHECKSUM, (short) Checksum.finish(sum));
    segments = 1;
  }
}
