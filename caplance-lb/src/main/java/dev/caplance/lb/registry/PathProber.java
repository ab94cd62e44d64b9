package dev.caplance.lb.registry;

import dev.caplance.session.EventLoop;
import dev.caplance.session.Message;
import dev.caplance.session.SanityDatagram;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Probes the path to a data address: sends the same SANITY datagram every second until it is
 * stopped. One datagram is not enough, because a 2019 backend opens its port only after it has sent
 * REGISTER. For the event loop's thread.
 */
final class PathProber {

  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private final EventLoop loop;
  private final DataPath dataPath;
  private final InetAddress dataAddress;
  private final SanityDatagram datagram;
  private final DataPath.Route route;
  private final BooleanSupplier maySend;
  private EventLoop.Timer next;

  /**
   * Creates a prober without starting it.
   *
   * @param vips addresses that are not valid as data addresses
   * @param maySend asked before each datagram
   * @throws RefusedException if packets must not or cannot be sent to the address
   */
  PathProber(
      EventLoop loop,
      DataPath dataPath,
      InetAddress dataAddress,
      Set<InetAddress> vips,
      SanityDatagram datagram,
      BooleanSupplier maySend)
      throws RefusedException {
    this.loop = loop;
    this.dataPath = dataPath;
    this.dataAddress = dataAddress;
    this.datagram = datagram;
    this.maySend = maySend;
    this.route = dataPath.routeTo(dataAddress, vips);
  }

  /** Sends a datagram at once, and then one every second. */
  void start() {
    if (maySend.getAsBoolean()) {
      dataPath.send(dataAddress, datagram);
    }
    next = loop.schedule(INTERVAL, this::start);
  }

  /** Stops sending. Has no effect if it was not started. */
  void stop() {
    if (next != null) {
      next.cancel();
    }
  }

  /** The route that packets to the data address take. */
  DataPath.Route route() {
    return route;
  }

  /** Whether SANE carries the token that was sent. */
  boolean isProvedBy(Message.Sane sane) {
    return sane.token().equals(datagram.token());
  }
}
