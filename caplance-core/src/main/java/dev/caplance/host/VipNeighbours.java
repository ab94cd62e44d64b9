package dev.caplance.host;

import dev.caplance.linux.LinuxException;
import dev.caplance.linux.NeighbourSocket;
import dev.caplance.packet.Arp;
import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.LinkNeighbour;
import dev.caplance.packet.NeighbourAdvertisement;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the machines on this machine's links say about virtual addresses, by ARP (RFC 826) and
 * neighbour discovery (RFC 4861), and what this one tells them. Needs CAP_NET_RAW. Used by one
 * thread at a time.
 */
public final class VipNeighbours implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(VipNeighbours.class);

  private static final int MAC_LENGTH = 6;

  /** A single frame may be lost. */
  private static final int PROBES = 2;

  /** On a link, the answer takes less than a millisecond; a busy machine may take longer. */
  private static final int PATIENCE_MILLIS = 120;

  /** Messages that one look reads at most. */
  private static final int MOST = 1000;

  private final Map<String, Ears> ears = new HashMap<>();

  /** The sockets of a device, both open or both closed. */
  private record Ears(NeighbourSocket arp, Optional<NeighbourSocket> advertisements) {

    private void close() {
      arp.close();
      advertisements.ifPresent(NeighbourSocket::close);
    }
  }

  /** A device with neighbours. */
  private record Link(String device, int index, byte[] mac) {

    private static Optional<Link> of(String device) throws IOException {
      NetworkInterface link = NetworkInterface.getByName(device);
      if (link == null) {
        throw new IOException("the interface " + device + " no longer exists");
      }
      byte[] mac = link.getHardwareAddress();
      return mac == null || mac.length != MAC_LENGTH
          ? Optional.empty()
          : Optional.of(new Link(device, link.getIndex(), mac));
    }
  }

  /**
   * Announces to the neighbours on a link that an address is here now, so that they stop sending to
   * the machine that had it before: IPv4 by gratuitous ARP, IPv6 by an unsolicited neighbour
   * advertisement. Does nothing on a device without a MAC, which has no neighbours.
   */
  public void announce(InetAddress vip, String device) throws IOException {
    Optional<Link> found = Link.of(device);
    if (found.isEmpty()) {
      return;
    }
    Link link = found.get();
    if (IpAddresses.isIpv4(vip)) {
      byte[] packet = Arp.announcement(link.mac(), vip);
      NeighbourSocket.sendFrame(link.index(), Arp.ETHERTYPE, Arp.everybody(), packet);
    } else {
      byte[] packet = NeighbourAdvertisement.announcement(link.mac(), vip);
      NeighbourSocket.sendFrame(
          link.index(),
          NeighbourAdvertisement.ETHERTYPE,
          NeighbourAdvertisement.everybody(),
          packet);
    }
  }

  /**
   * Asks who has addresses; takes about a quarter of a second for all of them.
   *
   * @param devices the addresses that are not on this machine, each with the device on whose link
   *     it would be
   * @return the MACs of the machines that have one; empty where asking is not possible
   */
  public Map<InetAddress, String> holders(Map<InetAddress, String> devices) {
    Map<InetAddress, String> holders = new LinkedHashMap<>();
    rivals(devices); // What was said before does not count.
    for (int i = 0; i < PROBES; i++) {
      devices.forEach(this::probe);
      holders.putAll(listen(devices, PATIENCE_MILLIS));
    }
    return holders;
  }

  private void probe(InetAddress vip, String device) {
    try {
      Optional<Link> link = Link.of(device);
      if (link.isEmpty()) {
        return;
      }
      int index = link.get().index();
      if (IpAddresses.isIpv4(vip)) {
        byte[] packet = Arp.probe(link.get().mac(), vip);
        NeighbourSocket.sendFrame(index, Arp.ETHERTYPE, Arp.everybody(), packet);
      } else {
        byte[] to = NeighbourAdvertisement.probed(vip);
        byte[] packet = NeighbourAdvertisement.probe(vip);
        NeighbourSocket.sendFrame(index, NeighbourAdvertisement.ETHERTYPE, to, packet);
      }
    } catch (IOException e) {
      LOG.debug("cannot ask who has {}", vip, e);
    }
  }

  /**
   * Which machines have said since the last call that they have addresses which this machine has.
   * Waits for nothing.
   *
   * @param devices the addresses, each with its device
   * @return their MACs
   */
  public Map<InetAddress, String> rivals(Map<InetAddress, String> devices) {
    return listen(devices, 1);
  }

  private Map<InetAddress, String> listen(Map<InetAddress, String> devices, int millis) {
    ears.keySet().stream()
        .filter(device -> !devices.containsValue(device))
        .toList()
        .forEach(device -> ears.remove(device).close());
    Map<InetAddress, String> heard = new LinkedHashMap<>();
    for (String device : Set.copyOf(devices.values())) {
      Set<InetAddress> here =
          devices.entrySet().stream()
              .filter(entry -> entry.getValue().equals(device))
              .map(Map.Entry::getKey)
              .collect(Collectors.toSet());
      try {
        Optional<Link> link = Link.of(device);
        if (link.isPresent()) {
          listen(link.get(), here, millis, heard);
        }
      } catch (IOException e) {
        LOG.debug("cannot listen on {}", device, e);
        Optional.ofNullable(ears.remove(device)).ifPresent(Ears::close);
      }
    }
    return heard;
  }

  private void listen(Link link, Set<InetAddress> vips, int millis, Map<InetAddress, String> heard)
      throws IOException {
    if (!ears.containsKey(link.device())) {
      ears.put(link.device(), open(link));
    }
    Ears open = ears.get(link.device());
    if (vips.stream().anyMatch(IpAddresses::isIpv4)) {
      read(open.arp(), Arp::sender, link, vips, millis, heard);
    }
    if (open.advertisements().isPresent() && !vips.stream().allMatch(IpAddresses::isIpv4)) {
      read(
          open.advertisements().get(),
          NeighbourAdvertisement::advertiser,
          link,
          vips,
          millis,
          heard);
    }
  }

  private static Ears open(Link link) throws LinuxException {
    NeighbourSocket arp = NeighbourSocket.arp(link.index(), Arp.ETHERTYPE);
    Optional<NeighbourSocket> advertisements = Optional.empty();
    try {
      advertisements = Optional.of(NeighbourSocket.advertisements(link.device()));
    } catch (LinuxException e) {
      LOG.debug("no IPv6 on {}", link.device(), e);
    }
    return new Ears(arp, advertisements);
  }

  /** Reads until nothing comes for a time, and at most so long in all. */
  private static void read(
      NeighbourSocket socket,
      Function<byte[], Optional<LinkNeighbour>> reader,
      Link link,
      Set<InetAddress> vips,
      int millis,
      Map<InetAddress, String> heard)
      throws LinuxException {
    long end = System.nanoTime() + millis * 1_000_000L;
    for (int i = 0; i < MOST; i++) {
      int left = (int) Math.max(1, (end - System.nanoTime()) / 1_000_000);
      Optional<byte[]> message = socket.receive(left);
      if (message.isEmpty()) {
        return;
      }
      reader
          .apply(message.get())
          .filter(neighbour -> vips.contains(neighbour.address()))
          .filter(neighbour -> !Arrays.equals(neighbour.mac(), link.mac()))
          .ifPresent(neighbour -> heard.put(neighbour.address(), neighbour.macText()));
    }
  }

  /** Whether a device has a carrier. */
  public static boolean isUp(String device) {
    try {
      NetworkInterface link = NetworkInterface.getByName(device);
      return link != null && link.isUp();
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    ears.values().forEach(Ears::close);
    ears.clear();
  }
}
