package dev.caplance.preflight.firewall;

import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.OptionalInt;

/**
 * Where a rule of the table {@code nat} sends packets (DNAT).
 *
 * @param port empty if the packet keeps its own
 */
public record Translation(InetAddress address, OptionalInt port) {

  @Override
  public String toString() {
    return port.isPresent()
        ? IpAddresses.format(new InetSocketAddress(address, port.getAsInt()))
        : IpAddresses.format(address);
  }
}
