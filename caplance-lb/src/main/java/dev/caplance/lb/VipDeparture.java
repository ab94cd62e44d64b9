package dev.caplance.lb;

import dev.caplance.packet.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stop's wait for VIPs that another program, such as keepalived, put on this machine. Until it
 * takes them away, clients send here, and without rules this machine would reset their connections;
 * so the load balancer goes on serving them. Any thread may call {@link #hurry}.
 */
final class VipDeparture {

  private static final Logger LOG = LoggerFactory.getLogger(VipDeparture.class);
  private static final int LOOK_MILLIS = 50;

  private final Addresses addresses;
  private final CountDownLatch hurried = new CountDownLatch(1);

  /** Lists the addresses of this machine. */
  @FunctionalInterface
  interface Addresses {
    Set<InetAddress> list() throws IOException;
  }

  VipDeparture(Addresses addresses) {
    this.addresses = addresses;
  }

  /** Returns when this machine has none of the VIPs, or after this time. */
  void await(Collection<InetAddress> vips, Duration atMost) throws IOException {
    long start = System.nanoTime();
    List<InetAddress> here = here(vips);
    if (here.isEmpty()) {
      return;
    }
    LOG.info(
        "another program has put {} on this machine: serving until it is gone, at most {} s",
        text(here),
        atMost.toSeconds());
    try {
      while (!here.isEmpty() && System.nanoTime() - start < atMost.toNanos()) {
        if (hurried.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
          break;
        }
        here = here(vips);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!here.isEmpty()) {
      LOG.warn("{} is still on this machine, which will reset its clients now", text(here));
    }
  }

  /** Ends the wait. */
  void hurry() {
    hurried.countDown();
  }

  private List<InetAddress> here(Collection<InetAddress> vips) throws IOException {
    Set<InetAddress> all = addresses.list();
    return vips.stream().filter(all::contains).toList();
  }

  private static String text(List<InetAddress> vips) {
    return vips.stream().map(IpAddresses::format).collect(Collectors.joining(", "));
  }
}
