package dev.caplance.packet;

import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * The neighbour advertisement of ICMPv6 (RFC 4861, §4.4) with the IPv6 header before it, for
 * announcements only.
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
    packet.putShort(CHECKSUM, (short) checksum(packet));
    return packet.array();
  }

  /** Over the pseudo-header (RFC 8200, §8.1) and the message. */
  private static int checksum(ByteBuffer packet) {
    ByteBuffer summed = ByteBuffer.allocate(Ipv6.HEADER + LENGTH);
    summed.put(packet.slice(Ipv6.SOURCE, 32)).putInt(LENGTH).putInt(IpProtocol.ICMPV6);
    summed.put(packet.slice(Ipv6.HEADER, LENGTH));
    return Checksum.of(summed, 0, summed.capacity());
  }
}
