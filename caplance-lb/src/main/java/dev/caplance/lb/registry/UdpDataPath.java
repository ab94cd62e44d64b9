package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.LinuxSocket;
import dev.caplance.packet.IpAddresses;
import dev.caplance.session.SanityDatagram;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The data path through this machine's network. Each datagram has a socket of its own, so no
 * backend can make the load balancer hold sockets, and an ICMP error for one datagram does not fail
 * the next. For one thread.
 */
final class UdpDataPath implements DataPath {

  private static final Logger LOG = LoggerFactory.getLogger(UdpDataPath.class);

  /** Ethernet's MTU, assumed if the kernel does not tell the path's. */
  private static final int DEFAULT_MTU = 1500;

  /** Room for the longest path probe, which is not fragmented. */
  private static final int LEAST_MTU = 256;

  /** For how long the addresses of this machine are not read again: that takes a millisecond. */
  private static final long ADDRESSES_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final int dataPort;
  private final ProbeSender probeSender;
  private List<DataAddresses.Own> ownAddresses;
  private long ownAddressesRead;

  /**
   * Creates a data path.
   *
   * @param probeSender sends path probes
   */
  UdpDataPath(int dataPort, ProbeSender probeSender) {
    this.dataPort = dataPort;
    this.probeSender = probeSender;
  }

  @Override
  public Route routeTo(InetAddress dataAddress, Set<InetAddress> vips) throws RefusedException {
    DataAddresses.check(dataAddress, vips, ownAddresses());
    InetAddress source;
    try (DatagramChannel channel = connect(dataAddress)) {
      source = ((InetSocketAddress) channel.getLocalAddress()).getAddress();
    } catch (IOException e) {
      throw new RefusedException(
          "the load balancer cannot send to "
              + IpAddresses.format(dataAddress)
              + " ("
              + e.getMessage()
              + "); register with a data address that it has a route to");
    }
    // Routes of type "local" make further addresses local, which no interface shows; others are
    // new.
    if (source.equals(dataAddress)) {
      throw DataAddresses.ownAddress(dataAddress);
    }
    int mtu = mtu(dataAddress);
    if (mtu < LEAST_MTU) {
      throw new RefusedException(
          "the load balancer's route to "
              + IpAddresses.format(dataAddress)
              + " has an MTU of "
              + mtu
              + ", but at least "
              + LEAST_MTU
              + " is needed; raise the MTU of the route or of its interface");
    }
    return new Route(source, mtu);
  }

  private List<DataAddresses.Own> ownAddresses() throws RefusedException {
    long now = System.nanoTime();
    if (ownAddresses == null || now - ownAddressesRead > ADDRESSES_NANOS) {
      ownAddresses = DataAddresses.ofThisMachine();
      ownAddressesRead = now;
    }
    return ownAddresses;
  }

  @Override
  public int mtu(InetAddress dataAddress) {
    try {
      return LinuxSocket.pathMtu(dataAddress);
    } catch (LinuxException e) {
      LOG.debug("the MTU of the path to {} is unknown", IpAddresses.format(dataAddress), e);
      return DEFAULT_MTU;
    }
  }

  @Override
  public boolean probe(Target target, String token, boolean padded) {
    return probeSender.probe(target, token, padded);
  }

  @Override
  public void send(InetAddress dataAddress, SanityDatagram datagram) {
    try (DatagramChannel channel = connect(dataAddress)) {
      channel.write(ByteBuffer.wrap(datagram.format()));
    } catch (IOException e) {
      LOG.debug("cannot send SANITY to {}", IpAddresses.format(dataAddress), e);
    }
  }

  private DatagramChannel connect(InetAddress dataAddress) throws IOException {
    DatagramChannel channel = open(dataAddress);
    try {
      return channel.connect(new InetSocketAddress(dataAddress, dataPort));
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static DatagramChannel open(InetAddress dataAddress) throws IOException {
    try {
      return DatagramChannel.open(
          IpAddresses.isIpv4(dataAddress)
              ? StandardProtocolFamily.INET
              : StandardProtocolFamily.INET6);
    } catch (UnsupportedOperationException e) {
      throw new IOException("this machine has no IPv6", e);
    }
  }
}
