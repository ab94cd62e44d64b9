package dev.caplance.preflight;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.host.CommandRunner;
import dev.caplance.host.IpJson;
import dev.caplance.packet.IpAddresses;
import dev.caplance.preflight.firewall.Prefix;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The network interfaces at one moment.
 *
 * @param all in the kernel's order
 */
public record Interfaces(List<Interface> all) {

  /**
   * A network interface.
   *
   * @param flags as {@code ip} prints them: {@code LOOPBACK}, {@code NOARP}, …
   */
  public record Interface(String name, Set<String> flags, int mtu, List<Assigned> addresses) {

    public boolean has(InetAddress address) {
      return addresses.stream().anyMatch(a -> a.address().equals(address));
    }

    /** Whether it tells its neighbours on a network which addresses are here. */
    public boolean hasNeighbours() {
      return !flags.contains("LOOPBACK") && !flags.contains("NOARP");
    }

    /** Whether an address is in a network that this interface is in. */
    public boolean networkHolds(InetAddress other) {
      return hasNeighbours() && addresses.stream().anyMatch(a -> a.networkHolds(other));
    }
  }

  /** An address of an interface. */
  public record Assigned(InetAddress address, int prefixLength) {

    public String cidr() {
      return IpAddresses.format(address) + "/" + prefixLength;
    }

    private boolean networkHolds(InetAddress other) {
      return prefixLength < address.getAddress().length * 8
          && new Prefix(address, prefixLength).holds(other);
    }
  }

  /** Asks for them. */
  public static Interfaces list(CommandRunner commands) throws IOException {
    return parse(commands.run("ip", "-json", "address", "show"));
  }

  /** Reads the output of {@code ip -json address show}. */
  static Interfaces parse(String json) throws IOException {
    List<Interface> all = new ArrayList<>();
    IpJson.read("ip -json address show", json, link -> all.add(readInterface(link)));
    return new Interfaces(List.copyOf(all));
  }

  private static Interface readInterface(JsonObject link) {
    Set<String> flags = new TreeSet<>();
    link.getAsJsonArray("flags").forEach(flag -> flags.add(flag.getAsString()));
    List<Assigned> addresses = new ArrayList<>();
    for (JsonElement element : link.getAsJsonArray("addr_info")) {
      JsonObject info = element.getAsJsonObject();
      addresses.add(
          new Assigned(
              IpAddresses.parse(info.get("local").getAsString()),
              info.get("prefixlen").getAsInt()));
    }
    return new Interface(
        link.get("ifname").getAsString(), flags, link.get("mtu").getAsInt(), addresses);
  }

  /** Those that have an address. */
  public Stream<Interface> with(InetAddress address) {
    return all.stream().filter(i -> i.has(address));
  }

  /** The addresses where this machine has neighbours, for the operator. */
  public String describe() {
    String addresses =
        all.stream()
            .filter(Interface::hasNeighbours)
            .flatMap(i -> i.addresses().stream().map(a -> i.name() + " " + a.cidr()))
            .collect(Collectors.joining(", "));
    return addresses.isEmpty() ? "it has none" : "it has " + addresses;
  }
}
