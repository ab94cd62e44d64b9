package dev.caplance.host;

import dev.caplance.linux.LinuxSocket;
import dev.caplance.packet.Arp;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;

/**
 * Tells the neighbours on a link that an address is here now, so that they do not go on sending to
 * the machine that had it before. Needs CAP_NET_RAW.
 */
public final class VipAnnouncer {

  private static final int MAC_LENGTH = 6;

  private VipAnnouncer() {}

  /**
   * Announces an IPv4 address by gratuitous ARP. Does nothing for IPv6, whose neighbours ask again
   * by themselves, nor on a device without a MAC, which has no neighbours.
   */
  public static void announce(InetAddress vip, String device) throws IOException {
    NetworkInterface link = NetworkInterface.getByName(device);
    if (link == null) {
      throw new IOException("there is no interface " + device + " any more");
    }
    byte[] mac = link.getHardwareAddress();
    if (IpAddresses.isIpv4(vip) && mac != null && mac.length == MAC_LENGTH) {
      LinuxSocket.broadcastFrame(link.getIndex(), Arp.ETHERTYPE, Arp.announcement(mac, vip));
    }
  }
}
