package dev.caplance.packet;

import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * ARP on Ethernet (RFC 826), for announcements only.
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
    byte[] ip = address.getAddress();
    return ByteBuffer.allocate(LENGTH)
        .putShort((short) 1)
        .putShort((short) 0x0800)
        .put((byte) 6)
        .put((byte) 4)
        .putShort((short) 1)
        .put(mac)
        .put(ip)
        .put(new byte[6])
        .put(ip)
        .array();
  }
}
