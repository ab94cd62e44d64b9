package dev.caplance.packet;

import java.nio.ByteBuffer;

/**
 * The IP header of one packet, of either version: {@link #read} checks it and fills the fields; one
 * object serves packet after packet. Addresses are two words of their 16-byte form in network
 * order, IPv4 as ::ffff:a.b.c.d.
 */
public final class IpHeader {

  /** More than any legitimate packet has. */
  private static final int MAX_EXTENSIONS = 8;

  private boolean ipv4;
  private boolean fragment;
  private boolean dontFragment;
  private int protocol;
  private int trafficClass;
  private int upperOffset;
  private int upperLength;
  private long sourceHigh;
  private long sourceLow;
  private long destinationHigh;
  private long destinationLow;

  /**
   * Checks a packet as the kernel checks those that it routes, which neither NFQUEUE nor raw
   * sockets do, and reads its header.
   *
   * @param b memory that holds the packet, network byte order
   * @param at where the packet begins
   * @param length the bytes that came
   * @return {@link Disposition#FORWARD} when the packet is valid and the header was read; otherwise
   *     the fields mean nothing
   */
  public Disposition read(ByteBuffer b, int at, int length) {
    return switch (version(b, at, length)) {
      case 4 -> readIpv4(b, at, length);
      case 6 -> readIpv6(b, at, length);
      default -> Disposition.MALFORMED;
    };
  }

  private Disposition readIpv4(ByteBuffer b, int at, int length) {
    Disposition check = Ipv4.check(b, at, length);
    if (check != Disposition.FORWARD) {
      return check;
    }
    readIpv4Fields(b, at, length);
    fragment = Ipv4.isFragment(b, at);
    trafficClass = Ipv4.trafficClass(b, at);
    return Ipv4.isMartian(Ipv4.source(b, at)) ? Disposition.MARTIAN_SOURCE : Disposition.FORWARD;
  }

  private Disposition readIpv6(ByteBuffer b, int at, int length) {
    Disposition check = Ipv6.check(b, at, length);
    if (check != Disposition.FORWARD) {
      return check;
    }
    readIpv6Fields(b, at, length, false);
    trafficClass = Ipv6.trafficClass(b, at);
    if (Ipv6.isMapped(destinationHigh, destinationLow)) {
      return Disposition.MALFORMED; // It would pass for a packet to an IPv4 address.
    }
    return Ipv6.isMartian(sourceHigh, sourceLow) ? Disposition.MARTIAN_SOURCE : Disposition.FORWARD;
  }

  /**
   * Reads the header of a packet that an ICMP error quotes. The packet is cut short and routers
   * have changed it, so its lengths and its checksum mean nothing. It may be the first fragment of
   * a packet, which has the header of the next protocol; only later ones are {@link #fragment}.
   */
  Disposition readQuoted(ByteBuffer b, int at, int length) {
    int version = version(b, at, length);
    if (version == 4 && length >= Ipv4.MIN_HEADER) {
      int header = Ipv4.headerLength(b, at);
      if (header < Ipv4.MIN_HEADER || header > length) {
        return Disposition.MALFORMED;
      }
      readIpv4Fields(b, at, length);
      fragment = Ipv4.isLaterFragment(b, at);
      return Disposition.FORWARD;
    }
    if (version == 6 && length >= Ipv6.HEADER) {
      readIpv6Fields(b, at, length, true);
      return Disposition.FORWARD;
    }
    return Disposition.MALFORMED;
  }

  private void readIpv4Fields(ByteBuffer b, int at, int length) {
    int header = Ipv4.headerLength(b, at);
    ipv4 = true;
    dontFragment = Ipv4.isDontFragment(b, at);
    protocol = Ipv4.protocol(b, at);
    upperOffset = at + header;
    upperLength = length - header;
    sourceHigh = 0;
    sourceLow = IpAddresses.mapped(Ipv4.source(b, at));
    destinationHigh = 0;
    destinationLow = IpAddresses.mapped(Ipv4.destination(b, at));
  }

  private void readIpv6Fields(ByteBuffer b, int at, int length, boolean quote) {
    ipv4 = false;
    dontFragment = true;
    walkExtensions(b, at, length, quote);
    sourceHigh = b.getLong(at + Ipv6.SOURCE);
    sourceLow = b.getLong(at + Ipv6.SOURCE + Long.BYTES);
    destinationHigh = b.getLong(at + Ipv6.DESTINATION);
    destinationLow = b.getLong(at + Ipv6.DESTINATION + Long.BYTES);
  }

  /**
   * Skips the extension headers. Where they are cut short, or too many, the protocol is the last
   * one that was read, which has no flow.
   */
  private void walkExtensions(ByteBuffer b, int at, int length, boolean quote) {
    fragment = false;
    int next = Ipv6.nextHeader(b, at);
    int offset = Ipv6.HEADER;
    for (int i = 0; i < MAX_EXTENSIONS && Ipv6.isExtension(next); i++) {
      if (offset + Ipv6.MIN_EXTENSION > length) {
        break;
      }
      int extension = at + offset;
      if (next == Ipv6.FRAGMENT) {
        fragment = quote ? Ipv6.isLaterPart(b, extension) : Ipv6.isPart(b, extension);
        if (fragment) {
          break;
        }
      }
      offset += Ipv6.extensionLength(b, extension, next);
      next = Ipv6.nextAfterExtension(b, extension);
    }
    protocol = next;
    upperOffset = at + Math.min(offset, length);
    upperLength = Math.max(length - offset, 0);
  }

  private static int version(ByteBuffer b, int at, int length) {
    return length < 1 ? 0 : b.get(at) >>> 4 & 0x0f;
  }

  public boolean ipv4() {
    return ipv4;
  }

  /** Whether this is a part of a packet. */
  public boolean fragment() {
    return fragment;
  }

  /** Whether no router may cut the packet: the DF bit is set, or it is IPv6. */
  public boolean dontFragment() {
    return dontFragment;
  }

  /** See {@link IpProtocol}. */
  public int protocol() {
    return protocol;
  }

  /** The TOS or traffic-class byte: DSCP in the upper six bits, ECN in the lower two. */
  public int trafficClass() {
    return trafficClass;
  }

  /** Where the header of the next protocol begins in the buffer. */
  public int upperOffset() {
    return upperOffset;
  }

  /** Bytes from {@link #upperOffset} to the packet's end. */
  public int upperLength() {
    return upperLength;
  }

  public long sourceHigh() {
    return sourceHigh;
  }

  public long sourceLow() {
    return sourceLow;
  }

  public long destinationHigh() {
    return destinationHigh;
  }

  public long destinationLow() {
    return destinationLow;
  }
}
