package dev.caplance.packet;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * Neighbour discovery of ICMPv6 (RFC 4861): the advertisement (§4.4) with the IPv6 header before
 * it, and the solicitation (§4.3), which is the same without flags and option, as a probe.
 *
 * <pre>
 *  0 IPv6 header: next header 58, hop limit 255, from the address itself to all nodes, ff02::1
 * 40 type 136   41 code 0   42 checksum   44 flags: Router, Solicited, Override
 * 48 target's address
 * 64 option 2 (target's MAC)   65 its length in units of 8 bytes   66 the MAC
 * </pre>
 */
public final class NeighbourAdvertisement {

  /** The EtherType of IPv6. */
  public static final int ETHERTYPE = 0x86dd;

  private static final InetAddress ALL_NODES = IpAddresses.parse("ff02::1");

  private static final int TYPE = 136;
  private static final int OVERRIDE = 0x2000_0000;
  private static final int TARGET_MAC = 2;

  /** Bytes from the ICMPv6 header to the end. */
  private static final int LENGTH = 32;

  private static final int SOLICITATION = 24;
  private static final int SOLICIT = 135;
  private static final int IP_LENGTH = 16;

  /** Where an advertisement has the address, and its first option. */
  private static final int TARGET = 8;

  private static final int OPTION = 24;

  private static final int CHECKSUM = Ipv6.HEADER + 2;

  /** Routers lower it, so a packet that has it comes from the link (§7.1.2). */
  private static final int HOP_LIMIT = 255;

  private NeighbourAdvertisement() {}

  /** The MAC that an announcement goes to: that of all IPv6 nodes (RFC 2464, §7). */
  public static byte[] everybody() {
    return new byte[] {0x33, 0x33, 0, 0, 0, 1};
  }

  /**
   * An unsolicited advertisement (§7.2.6): hosts that know the address update their caches.
   *
   * @param mac six bytes
   * @param address IPv6
   * @return the packet, without an Ethernet header
   */
  public static byte[] announcement(byte[] mac, InetAddress address) {
    ByteBuffer packet =
        ByteBuffer.allocate(Ipv6.HEADER + LENGTH)
            .putInt(0x6000_0000)
            .putShort((short) LENGTH)
            .put((byte) IpProtocol.ICMPV6)
            .put((byte) HOP_LIMIT)
            .put(address.getAddress())
            .put(ALL_NODES.getAddress())
            .put((byte) TYPE)
            .put((byte) 0)
            .putShort((short) 0)
            .putInt(OVERRIDE)
            .put(address.getAddress())
            .put((byte) TARGET_MAC)
            .put((byte) 1)
            .put(mac);
    packet.putShort(CHECKSUM, (short) checksum(packet, LENGTH));
    return packet.array();
  }

  /**
   * A probe, as in duplicate address detection (RFC 4862, §5.4.2): asks from the unspecified
   * address who has an address. Whoever has it advertises it to all nodes.
   *
   * @param address IPv6
   * @return the packet, without an Ethernet header
   */
  public static byte[] probe(InetAddress address) {
    ByteBuffer packet =
        ByteBuffer.allocate(Ipv6.HEADER + SOLICITATION)
            .putInt(0x6000_0000)
            .putShort((short) SOLICITATION)
            .put((byte) IpProtocol.ICMPV6)
            .put((byte) HOP_LIMIT)
            .put(new byte[IP_LENGTH])
            .put(solicitedNode(address))
            .putInt(SOLICIT << (Byte.SIZE * 3))
            .putInt(0)
            .put(address.getAddress());
    packet.putShort(CHECKSUM, (short) checksum(packet, SOLICITATION));
    return packet.array();
  }

  /** The MAC that a probe for an address goes to. */
  public static byte[] probed(InetAddress address) {
    byte[] ip = address.getAddress();
    return new byte[] {0x33, 0x33, (byte) 0xff, ip[13], ip[14], ip[15]};
  }

  /** Of RFC 4291, §2.7.1: ff02::1:ff00:0 and the last three bytes. */
  private static byte[] solicitedNode(InetAddress address) {
    byte[] group = IpAddresses.parse("ff02::1:ff00:0").getAddress();
    System.arraycopy(address.getAddress(), 13, group, 13, 3);
    return group;
  }

  /**
   * Who advertises which address; empty for other bytes and for advertisements without a MAC.
   *
   * @param message from the ICMPv6 header on
   */
  public static Optional<LinkNeighbour> advertiser(byte[] message) {
    if (message.length < LENGTH || message[0] != (byte) TYPE || message[OPTION] != TARGET_MAC) {
      return Optional.empty();
    }
    return Optional.of(
        new LinkNeighbour(
            IpAddresses.ofBytes(Arrays.copyOfRange(message, TARGET, TARGET + IP_LENGTH)),
            Arrays.copyOfRange(message, OPTION + 2, LENGTH)));
  }

  /** Over the pseudo-header (RFC 8200, §8.1) and the message. */
  private static int checksum(ByteBuffer packet, int length) {
    ByteBuffer summed = ByteBuffer.allocate(Ipv6.HEADER + length);
    summed.put(packet.slice(Ipv6.SOURCE, 32)).putInt(length).putInt(IpProtocol.ICMPV6);
    summed.put(packet.slice(Ipv6.HEADER, length));
    return Checksum.of(summed, 0, summed.capacity());
  }
}
