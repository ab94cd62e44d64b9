package dev.caplance.lb.dataplane.nfqueue;

import dev.caplance.lb.dataplane.Dataplane.ProbeListener;
import dev.caplance.lb.forwarding.Target;
import dev.caplance.linux.Errno;
import dev.caplance.linux.LinuxException;
import dev.caplance.linux.ReceiveLoop;
import dev.caplance.packet.IpAddresses;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Sends path probes and hears the replies: a socket and a thread for each IP version. Anybody can
 * send to these sockets, so the listener hears only of tokens that were sent in the last half
 * minute, and of each once. Any thread may call.
 */
final class PathProbes implements AutoCloseable {

  private static final long MEMORY_NANOS = TimeUnit.SECONDS.toNanos(30);

  private static final InetAddress ANY_IPV4 = IpAddresses.parse("0.0.0.0");
  private static final InetAddress ANY_IPV6 = IpAddresses.parse("::");

  private record Channel(ProbeSocket socket, ReceiveLoop loop) {}

  private final int dataPort;
  private final ReceiveLoop.Owner owner;

  /** The times at which tokens were sent, the oldest first. */
  private final Map<String, Long> expected = new LinkedHashMap<>();

  private ProbeListener listener = (sender, token) -> {};
  private Channel ipv4;
  private Channel ipv6;

  /**
   * Creates probes without opening sockets.
   *
   * @param dataPort the UDP port of backends
   * @param owner told about loops that end and about system calls that keep failing
   */
  PathProbes(int dataPort, ReceiveLoop.Owner owner) {
    this.dataPort = dataPort;
    this.owner = owner;
  }

  /** Sets who hears of the replies. */
  synchronized void onReply(ProbeListener newListener) {
    listener = newListener;
  }

  /** Opens the sockets and listens; without IPv6 if the kernel has none. */
  synchronized void start() throws LinuxException {
    Channel first = open("probes-ipv4", ANY_IPV4);
    try {
      ipv6 = open("probes-ipv6", ANY_IPV6);
      ipv6.loop.start();
    } catch (LinuxException e) {
      if (e.errno() != Errno.EAFNOSUPPORT && e.errno() != Errno.EADDRNOTAVAIL) {
        first.socket.close();
        throw e;
      }
    }
    ipv4 = first;
    ipv4.loop.start();
  }

  private Channel open(String name, InetAddress any) throws LinuxException {
    ProbeSocket socket = ProbeSocket.open(any, dataPort, this::replied, owner);
    return new Channel(socket, new ReceiveLoop(name, socket, owner));
  }

  /** See {@link dev.caplance.lb.dataplane.Dataplane#probe}. */
  synchronized boolean send(Target target, String token, boolean padded) {
    Channel channel = IpAddresses.isIpv4(target.address()) ? ipv4 : ipv6;
    if (channel == null) {
      return false;
    }
    expect(token, System.nanoTime());
    return channel.socket.send(target, token, padded);
  }

  private void expect(String token, long now) {
    Iterator<Long> times = expected.values().iterator();
    while (times.hasNext() && now - times.next() > MEMORY_NANOS) {
      times.remove();
    }
    expected.put(token, now);
  }

  private void replied(InetAddress sender, String token) {
    ProbeListener hears;
    synchronized (this) {
      hears = expected.remove(token) == null ? null : listener;
    }
    if (hears != null) {
      hears.replied(sender, token);
    }
  }

  /** Ends the threads and closes the sockets. */
  @Override
  public void close() {
    List<Channel> open = new ArrayList<>();
    synchronized (this) {
      if (ipv4 != null) {
        open.add(ipv4);
      }
      if (ipv6 != null) {
        open.add(ipv6);
      }
      ipv4 = null;
      ipv6 = null;
    }
    open.forEach(channel -> channel.loop.stop());
    open.forEach(channel -> channel.socket.close());
  }
}
