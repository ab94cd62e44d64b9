package dev.caplance.packet;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * ARP on Ethernet (RFC 826): announcements, probes, and who sends what.
 *
 * <pre>
 *  0 hardware type 1   2 protocol 0x0800   4 lengths 6 and 4   6 operation 1 (request)
 *  8 sender's MAC     14 sender's address 18 target's MAC (0) 24 target's address
 * </pre>
 */
public final class Arp {

  /** The EtherType of ARP. */
  public static final int ETHERTYPE = 0x0806;

  private static final byte BROADCAST = (byte) 0xff;

  private static final int LENGTH = 28;
  private static final int MAC_LENGTH = 6;
  private static final int IP_LENGTH = 4;
  private static final int SENDER_MAC = 8;
  private static final int SENDER_IP = 14;

  private Arp() {}

  /** The MAC that an announcement goes to: broadcast. */
  public static byte[] everybody() {
    return new byte[] {BROADCAST, BROADCAST, BROADCAST, BROADCAST, BROADCAST, BROADCAST};
  }

  /**
   * An announcement (RFC 5227, §2.3): the sender asks for its own address, and hosts that know the
   * address update their caches.
   *
   * @param mac six bytes
   * @param address IPv4
   * @return the packet, without an Ethernet header
   */
  public static byte[] announcement(byte[] mac, InetAddress address) {
    return request(mac, address.getAddress(), address);
  }

  /**
   * A probe (RFC 5227, §2.1.1): asks who has an address, and gives none of its own, so that
   * nobody's cache changes. Whoever has the address replies to the MAC.
   *
   * @param mac six bytes
   * @param address IPv4
   * @return the packet, without an Ethernet header
   */
  public static byte[] probe(byte[] mac, InetAddress address) {
    return request(mac, new byte[IP_LENGTH], address);
  }

  private static byte[] request(byte[] mac, byte[] sender, InetAddress target) {
    return ByteBuffer.allocate(LENGTH)
        .putShort((short) 1)
        .putShort((short) 0x0800)
        .put((byte) MAC_LENGTH)
        .put((byte) IP_LENGTH)
        .putShort((short) 1)
        .put(mac)
        .put(sender)
        .put(new byte[MAC_LENGTH])
        .put(target.getAddress())
        .array();
  }

  /** What a request or reply says of its sender; empty for other bytes and for a probe. */
  public static Optional<LinkNeighbour> sender(byte[] packet) {
    if (packet.length < LENGTH || packet[4] != MAC_LENGTH || packet[5] != IP_LENGTH) {
      return Optional.empty();
    }
    InetAddress address =
        IpAddresses.ofBytes(Arrays.copyOfRange(packet, SENDER_IP, SENDER_IP + IP_LENGTH));
    return address.isAnyLocalAddress()
        ? Optional.empty()
        : Optional.of(
            new LinkNeighbour(
                address, Arrays.copyOfRange(packet, SENDER_MAC, SENDER_MAC + MAC_LENGTH)));
  }
}
