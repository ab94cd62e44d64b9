package dev.caplance.host;

import static java.util.stream.Collectors.joining;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.IpPrefix;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The network interfaces of this machine at one moment, as {@code ip address} lists them.
 *
 * @param all in the kernel's order
 */
public record Interfaces(List<Interface> all) {

  /**
   * A network interface.
   *
   * @param flags as {@code ip} prints them: {@code LOOPBACK}, {@code NOARP}, …
   * @param mtu in bytes
   * @param addresses with the lengths of their prefixes
   */
  public record Interface(String name, Set<String> flags, int mtu, List<IpPrefix> addresses) {

    /** Whether it has this address, whatever the length of its prefix. */
    public boolean has(InetAddress address) {
      return addresses.stream().anyMatch(a -> a.address().equals(address));
    }

    /** Whether it tells neighbours which addresses are here, by ARP or neighbour discovery. */
    public boolean hasNeighbours() {
      return !flags.contains("LOOPBACK") && !flags.contains("NOARP");
    }

    /** Whether neighbours on one of its networks would look for an address there. */
    public boolean hasNeighboursOf(InetAddress address) {
      return hasNeighbours() && networks().anyMatch(network -> network.contains(address));
    }

    private Stream<IpPrefix> networks() {
      return addresses.stream()
          .filter(a -> !a.isSingleAddress() && !a.address().isLoopbackAddress());
    }
  }

  /**
   * Lists them.
   *
   * @throws IOException when {@code ip} is missing, fails, or prints something unexpected
   */
  public static Interfaces list(CommandRunner commands) throws IOException {
    return parse(commands.run("ip", "-json", "address", "show"));
  }

  /** Reads the output of {@code ip -json address show}. */
  public static Interfaces parse(String json) throws IOException {
    List<Interface> all = new ArrayList<>();
    IpJson.read("ip -json address show", json, link -> all.add(readInterface(link)));
    return new Interfaces(List.copyOf(all));
  }

  private static Interface readInterface(JsonObject link) {
    Set<String> flags = new TreeSet<>();
    link.getAsJsonArray("flags").forEach(flag -> flags.add(flag.getAsString()));
    List<IpPrefix> addresses = new ArrayList<>();
    for (JsonElement element : link.getAsJsonArray("addr_info")) {
      JsonObject info = element.getAsJsonObject();
      addresses.add(
          new IpPrefix(
              IpAddresses.parse(info.get("local").getAsString()),
              info.get("prefixlen").getAsInt()));
    }
    return new Interface(
        link.get("ifname").getAsString(), flags, link.get("mtu").getAsInt(), addresses);
  }

  /** The interface of this name. */
  public Optional<Interface> named(String name) {
    return all.stream().filter(i -> i.name().equals(name)).findFirst();
  }

  /** The names of all. */
  public List<String> names() {
    return all.stream().map(Interface::name).toList();
  }

  /** Those that have an address. */
  public Stream<Interface> with(InetAddress address) {
    return all.stream().filter(i -> i.has(address));
  }

  /** The addresses to which neighbours can send, for the operator. */
  public String describe() {
    String addresses =
        all.stream()
            .filter(Interface::hasNeighbours)
            .flatMap(i -> i.addresses().stream().map(a -> i.name() + " " + a))
            .collect(joining(", "));
    return addresses.isEmpty() ? "it has none" : "it has " + addresses;
  }

  /**
   * Where a VIP belongs: on this interface or, if none is given, on the one whose network holds it,
   * the most specific network if there are several.
   *
   * @throws IOException when there is no such interface or network; says what to do
   */
  String place(InetAddress vip, Optional<String> wanted) throws IOException {
    if (wanted.isPresent()) {
      if (named(wanted.get()).isEmpty()) {
        throw new IOException(
            "there is no network interface '"
                + wanted.get()
                + "'; set 'interface' in the configuration to one of "
                + String.join(", ", names()));
      }
      return wanted.get();
    }
    record Network(String device, IpPrefix prefix) {}
    List<Network> networks =
        all.stream().flatMap(i -> i.networks().map(n -> new Network(i.name(), n))).toList();
    return networks.stream()
        .filter(network -> network.prefix().contains(vip))
        .max(Comparator.comparingInt(network -> network.prefix().length()))
        .map(Network::device)
        .orElseThrow(
            () ->
                new IOException(
                    IpAddresses.format(vip)
                        + " is not in any network of this machine ("
                        + networks.stream()
                            .map(n -> n.device() + " " + n.prefix())
                            .collect(joining(", "))
                        + "); correct the VIP, or set 'interface' in the configuration"));
  }
}
