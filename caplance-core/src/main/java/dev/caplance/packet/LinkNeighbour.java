package dev.caplance.packet;

import java.net.InetAddress;
import java.util.HexFormat;

/**
 * A machine on a link that claims to have an address.
 *
 * @param mac six bytes
 */
public record LinkNeighbour(InetAddress address, byte[] mac) {

  /** The MAC as {@code 02:00:00:00:00:01}. */
  public String macText() {
    return HexFormat.ofDelimiter(":").formatHex(mac);
  }
}
