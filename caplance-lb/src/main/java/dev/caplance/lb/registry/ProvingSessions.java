package dev.caplance.lb.registry;

import dev.caplance.packet.IpAddresses;
import dev.caplance.packet.TokenBucket;
import dev.caplance.session.EventLoop;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The sessions that are proving the path to a data address. Anybody can name any address in
 * REGISTER and so have SANITY sent there; a few such sessions are admitted for each address, and
 * they get few datagrams. Sessions that come from the data address itself are admitted in any case
 * and share nothing with the others. For the event loop's thread.
 */
final class ProvingSessions {

  /** Sessions of either kind that may prove one data address at a time. */
  static final int MAX_OF_A_KIND = 4;

  /** SANITY datagrams to one data address in each second for the sessions of either kind. */
  static final int SANITY_PER_SECOND = 10;

  /** For how long an address is remembered after its last session, so that its budget holds. */
  private static final Duration MEMORY = Duration.ofSeconds(2);

  private final EventLoop loop;
  private final Map<Key, Kind> kinds = new HashMap<>();

  ProvingSessions(EventLoop loop) {
    this.loop = loop;
  }

  private record Key(InetAddress dataAddress, boolean own) {
    static Key of(BackendSession session, InetAddress dataAddress) {
      return new Key(dataAddress, session.peer().getAddress().equals(dataAddress));
    }
  }

  private static final class Kind {
    final List<BackendSession> sessions = new ArrayList<>();
    final TokenBucket sanity;

    Kind(long now) {
      sanity = TokenBucket.perSecond(SANITY_PER_SECOND, now);
    }
  }

  /**
   * Adds a session. At the limit, the oldest of those that come from the data address gives way to
   * another one from there.
   *
   * @throws RefusedException at the limit, if it comes from another address
   */
  void add(BackendSession session, InetAddress dataAddress) throws RefusedException {
    Key key = Key.of(session, dataAddress);
    Kind kind = kinds.computeIfAbsent(key, k -> new Kind(loop.nanoTime()));
    if (kind.sessions.size() >= MAX_OF_A_KIND) {
      if (!key.own) {
        throw new RefusedException(
            "the limit of "
                + MAX_OF_A_KIND
                + " sessions that prove "
                + IpAddresses.format(dataAddress)
                + " from other addresses is reached; try again, or connect from that address");
      }
      kind.sessions
          .get(0)
          .refuse("a newer session from " + IpAddresses.format(dataAddress) + " took its place");
    }
    kind.sessions.add(session);
  }

  /** Forgets a session that has registered or ended; has no effect if it was not added. */
  void remove(BackendSession session, InetAddress dataAddress) {
    Key key = Key.of(session, dataAddress);
    Kind kind = kinds.get(key);
    if (kind != null && kind.sessions.remove(session) && kind.sessions.isEmpty()) {
      loop.schedule(
          MEMORY,
          () -> {
            if (kind.sessions.isEmpty()) {
              kinds.remove(key, kind);
            }
          });
    }
  }

  /** Whether a session may send SANITY now; otherwise it tries again a second later. */
  boolean maySend(BackendSession session, InetAddress dataAddress) {
    Kind kind = kinds.get(Key.of(session, dataAddress));
    return kind != null && kind.sanity.take(loop.nanoTime());
  }
}
