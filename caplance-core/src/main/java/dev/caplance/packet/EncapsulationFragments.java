package dev.caplance.packet;

import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * Cuts the outer packet of an encapsulation into IP fragments (RFC 791, RFC 8200 §4.5) of at most
 * the MTU that its receiver named, whatever the MTU of the sender's own route is: {@link #begin}
 * takes a packet, {@link #writeNext} writes the header of each fragment in turn, whose payload
 * stays where it is. The first fragment also has the UDP header. One object serves packet after
 * packet. For one thread.
 */
public final class EncapsulationFragments {

  /** Bytes of the longest header of a fragment. */
  public static final int MAX_HEADER = Ipv6.HEADER + Ipv6.MIN_EXTENSION + Transport.UDP_HEADER;

  private static final int HOPS = 64;
  private static final int UNIT = 8;
  private static final int UDP_LENGTH = 4;
  private static final int UDP_CHECKSUM = 6;

  private boolean ipv4;
  private Ends ends;
  private int sourcePort;
  private int trafficClass;
  private int identification;
  private int room;
  private int checksum;

  /** Bytes of the UDP header and the packet, and those of them that are in earlier fragments. */
  private int total;

  private int done;
  private int payloadOffset;
  private int payloadLength;

  /**
   * Where fragments come from and go to.
   *
   * @param port the UDP port at the destination
   */
  public record Ends(
      boolean ipv4,
      long sourceHigh,
      long sourceLow,
      long destinationHigh,
      long destinationLow,
      int port) {

    /** Takes two addresses of the same IP version. */
    public static Ends of(InetAddress source, InetAddress destination, int port) {
      return new Ends(
          IpAddresses.isIpv4(source),
          IpAddresses.high(source),
          IpAddresses.low(source),
          IpAddresses.high(destination),
          IpAddresses.low(destination),
          port);
    }
  }

  /**
   * Takes a packet to encapsulate.
   *
   * @param at where it begins in {@code packet}, network byte order
   * @param mtu bytes of the largest fragment, at least 68
   * @param id distinguishes the fragments of different packets; for IPv4, its lower 16 bits must
   *     not be zero
   */
  public void begin(
      Ends newEnds,
      int newSourcePort,
      int newTrafficClass,
      int mtu,
      int id,
      ByteBuffer packet,
      int at,
      int length) {
    ends = newEnds;
    ipv4 = ends.ipv4();
    sourcePort = newSourcePort;
    trafficClass = newTrafficClass;
    identification = id;
    room = (mtu - headerLength()) / UNIT * UNIT;
    total = Transport.UDP_HEADER + length;
    done = 0;
    checksum = checksum(packet, at, length);
  }

  private int headerLength() {
    return ipv4 ? Ipv4.MIN_HEADER : Ipv6.HEADER + Ipv6.MIN_EXTENSION;
  }

  private int checksum(ByteBuffer packet, int at, int length) {
    long sum = Checksum.sum(packet, at, length) + IpProtocol.UDP + 2L * total;
    sum += sourcePort + ends.port();
    if (ipv4) {
      sum += (ends.sourceLow() & 0xffff_ffffL) + (ends.destinationLow() & 0xffff_ffffL);
    } else {
      sum += words(ends.sourceHigh()) + words(ends.sourceLow());
      sum += words(ends.destinationHigh()) + words(ends.destinationLow());
    }
    int finished = Checksum.finish(sum);
    return finished == 0 ? 0xffff : finished; // Zero means that there is none (RFC 768).
  }

  private static long words(long half) {
    return (half >>> 32) + (half & 0xffff_ffffL);
  }

  /** Whether there is another fragment. */
  public boolean hasNext() {
    return done < total;
  }

  /**
   * Writes the header of the next fragment.
   *
   * @return its bytes
   */
  public int writeNext(ByteBuffer target, int to) {
    int length = Math.min(room, total - done);
    boolean more = done + length < total;
    if (ipv4) {
      writeIpv4(target, to, length, more);
    } else {
      writeIpv6(target, to, length, more);
    }
    int header = headerLength();
    boolean first = done == 0;
    if (first) {
      writeUdp(target, to + header);
      header += Transport.UDP_HEADER;
    }
    payloadOffset = first ? 0 : done - Transport.UDP_HEADER;
    payloadLength = first ? length - Transport.UDP_HEADER : length;
    done += length;
    return header;
  }

  /** Where the payload of the fragment just written begins in the packet. */
  public int payloadOffset() {
    return payloadOffset;
  }

  /** Bytes of that payload. */
  public int payloadLength() {
    return payloadLength;
  }

  private void writeIpv4(ByteBuffer target, int to, int length, boolean more) {
    Ipv4.writeHeader(target, to, Ipv4.MIN_HEADER + length, IpProtocol.UDP, HOPS);
    target.put(to + Ipv4.TRAFFIC_CLASS, (byte) trafficClass);
    Ipv4.setIdentification(target, to, identification);
    Ipv4.setFragment(target, to, done, more);
    target.putInt(to + Ipv4.SOURCE, (int) ends.sourceLow());
    target.putInt(to + Ipv4.DESTINATION, (int) ends.destinationLow());
    Ipv4.completeChecksum(target, to);
  }

  private void writeIpv6(ByteBuffer target, int to, int length, boolean more) {
    Ipv6.writeHeader(target, to, Ipv6.MIN_EXTENSION + length, Ipv6.FRAGMENT, HOPS);
    Ipv6.setTrafficClass(target, to, trafficClass);
    target.putLong(to + Ipv6.SOURCE, ends.sourceHigh());
    target.putLong(to + Ipv6.SOURCE + Long.BYTES, ends.sourceLow());
    target.putLong(to + Ipv6.DESTINATION, ends.destinationHigh());
    target.putLong(to + Ipv6.DESTINATION + Long.BYTES, ends.destinationLow());
    Ipv6.writeFragmentHeader(target, to + Ipv6.HEADER, IpProtocol.UDP, done, more, identification);
  }

  private void writeUdp(ByteBuffer target, int at) {
    target.putShort(at + Transport.SOURCE_PORT, (short) sourcePort);
    target.putShort(at + Transport.DESTINATION_PORT, (short) ends.port());
    target.putShort(at + UDP_LENGTH, (short) total);
    target.putShort(at + UDP_CHECKSUM, (short) checksum);
  }
}
