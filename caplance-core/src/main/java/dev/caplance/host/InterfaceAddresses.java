package dev.caplance.host;

import static java.util.stream.Collectors.joining;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The network interfaces and their addresses at one moment, as {@code ip address} lists them.
 *
 * @param devices the names of all interfaces
 * @param assigned their addresses
 */
record InterfaceAddresses(List<String> devices, List<Assigned> assigned) {

  /** An address of a device. */
  record Assigned(String device, InetAddress address, int prefixLength) {

    String cidr() {
      return IpAddresses.format(address) + "/" + prefixLength;
    }

    /** Whether it has neighbours, to whom it could be announced. */
    private boolean isInNetwork() {
      return prefixLength < address.getAddress().length * 8 && !address.isLoopbackAddress();
    }

    private boolean networkHolds(InetAddress other) {
      byte[] mine = address.getAddress();
      byte[] theirs = other.getAddress();
      if (mine.length != theirs.length) {
        return false;
      }
      for (int bit = 0; bit < prefixLength; bit++) {
        int mask = 0x80 >> bit % 8;
        if ((mine[bit / 8] & mask) != (theirs[bit / 8] & mask)) {
          return false;
        }
      }
      return true;
    }
  }

  static InterfaceAddresses list(CommandRunner commands) throws IOException {
    return parse(commands.run("ip", "-json", "address", "show"));
  }

  /** Reads the output of {@code ip -json address show}. */
  static InterfaceAddresses parse(String json) throws IOException {
    List<String> devices = new ArrayList<>();
    List<Assigned> assigned = new ArrayList<>();
    IpJson.read(
        "ip -json address show",
        json,
        link -> {
          String device = link.get("ifname").getAsString();
          devices.add(device);
          for (JsonElement info : link.getAsJsonArray("addr_info")) {
            JsonObject address = info.getAsJsonObject();
            assigned.add(
                new Assigned(
                    device,
                    IpAddresses.parse(address.get("local").getAsString()),
                    address.get("prefixlen").getAsInt()));
          }
        });
    return new InterfaceAddresses(List.copyOf(devices), List.copyOf(assigned));
  }

  /** Whether a device has this address with this prefix length. */
  boolean contain(String cidr, String device) {
    return assigned.stream().anyMatch(a -> a.device().equals(device) && a.cidr().equals(cidr));
  }

  /** Whether a device has this address, in whatever network. */
  boolean contain(InetAddress address, String device) {
    return assigned.stream()
        .anyMatch(a -> a.device().equals(device) && a.address().equals(address));
  }

  /**
   * Where an address belongs: on this device or, if none is given, on the one whose network holds
   * it, the most specific network if there are several.
   *
   * @throws IOException when there is no such device or network, with advice
   */
  String device(InetAddress address, Optional<String> wanted) throws IOException {
    if (wanted.isEmpty()) {
      return deviceFor(address);
    }
    requireDevice(wanted.get());
    return wanted.get();
  }

  private String deviceFor(InetAddress address) throws IOException {
    List<Assigned> networks = assigned.stream().filter(Assigned::isInNetwork).toList();
    return networks.stream()
        .filter(network -> network.networkHolds(address))
        .max(Comparator.comparingInt(Assigned::prefixLength))
        .map(Assigned::device)
        .orElseThrow(
            () ->
                new IOException(
                    IpAddresses.format(address)
                        + " is in no network of this machine ("
                        + networks.stream()
                            .map(n -> n.device() + " " + n.cidr())
                            .collect(joining(", "))
                        + "); correct the VIP, or set 'interface' in the configuration"));
  }

  private void requireDevice(String device) throws IOException {
    if (!devices.contains(device)) {
      throw new IOException(
          "there is no network interface '"
              + device
              + "'; set 'interface' in the configuration to one of "
              + String.join(", ", devices));
    }
  }
}
