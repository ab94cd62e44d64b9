package dev.caplance.lb.registry;

import dev.caplance.session.EventLoop;
import dev.caplance.session.Message;
import dev.caplance.session.SanityDatagram;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Set;

/**
 * Sends the same SANITY datagram to a data address every second until it is stopped: a backend of
 * 2019 opens its port only after it has said REGISTER. For the thread of its event loop.
 */
final class PathProber {

  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private final EventLoop loop;
  private final DataPath dataPath;
  private final InetAddress dataAddress;
  private final SanityDatagram datagram;
  private final DataPath.Route route;
  private EventLoop.Timer next;

  /**
   * A prober that has sent nothing yet.
   *
   * @param vips addresses that are no data addresses
   * @throws RefusedException when nothing may or can be sent to the address
   */
  PathProber(
      EventLoop loop,
      DataPath dataPath,
      InetAddress dataAddress,
      Set<InetAddress> vips,
      SanityDatagram datagram)
      throws RefusedException {
    this.loop = loop;
    this.dataPath = dataPath;
    this.dataAddress = dataAddress;
    this.datagram = datagram;
    this.route = dataPath.routeTo(dataAddress, vips);
  }

  /** Sends now and from now on. */
  void start() {
    dataPath.send(dataAddress, datagram);
    next = loop.schedule(INTERVAL, this::start);
  }

  /** Sends no more; without effect when it was not started. */
  void stop() {
    if (next != null) {
      next.cancel();
    }
  }

  /** The route that packets to the data address take. */
  DataPath.Route route() {
    return route;
  }

  /** Whether this is the token that was sent. */
  boolean isProvedBy(Message.Sane sane) {
    return sane.token().equals(datagram.token());
  }
}
