package dev.caplance.host;

import dev.caplance.linux.LinuxSocket;
import dev.caplance.packet.Arp;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.NeighbourAdvertisement;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;

/**
 * Announces to the neighbours on a link that an address is here now, so that they stop sending to
 * the machine that had it before. Needs CAP_NET_RAW. Any thread may call.
 */
public final class VipAnnouncer {

  private static final int MAC_LENGTH = 6;

  private VipAnnouncer() {}

  /**
   * Announces an address, IPv4 by gratuitous ARP and IPv6 by an unsolicited neighbour
   * advertisement. Does nothing on a device without a MAC, which has no neighbours.
   */
  public static void announce(InetAddress vip, String device) throws IOException {
    NetworkInterface link = NetworkInterface.getByName(device);
    if (link == null) {
      throw new IOException("the interface " + device + " no longer exists");
    }
    byte[] mac = link.getHardwareAddress();
    if (mac == null || mac.length != MAC_LENGTH) {
      return;
    }
    if (IpAddresses.isIpv4(vip)) {
      byte[] packet = Arp.announcement(mac, vip);
      LinuxSocket.sendFrame(link.getIndex(), Arp.ETHERTYPE, Arp.everybody(), packet);
    } else {
      byte[] packet = NeighbourAdvertisement.announcement(mac, vip);
      LinuxSocket.sendFrame(
          link.getIndex(),
          NeighbourAdvertisement.ETHERTYPE,
          NeighbourAdvertisement.everybody(),
          packet);
    }
  }
}
