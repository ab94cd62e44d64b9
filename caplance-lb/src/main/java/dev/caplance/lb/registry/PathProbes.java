package dev.caplance.lb.registry;

import dev.caplance.session.EventLoop;
import dev.caplance.session.SanityDatagram;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;

/**
 * The path probes that are under way, by their tokens. Anybody can send datagrams that look like
 * replies; only a token that is under way costs more than a look-up, and only once.
 */
final class PathProbes {

  private final EventLoop loop;
  private final SecureRandom random;
  private final Map<String, PathWatch> underWay = new ConcurrentHashMap<>();

  PathProbes(EventLoop loop, SecureRandom random) {
    this.loop = loop;
    this.random = random;
  }

  /** Notes a probe of a watch and returns its token, which nobody can guess. */
  String begin(PathWatch watch) {
    String token = SanityDatagram.random(random).token();
    underWay.put(token, watch);
    return token;
  }

  /** Forgets a probe. */
  void end(String token) {
    underWay.remove(token);
  }

  /** Takes note of a reply. Any thread may call. */
  void answered(String token) {
    PathWatch watch = underWay.remove(token);
    if (watch != null) {
      try {
        loop.execute(() -> watch.answered(token));
      } catch (RejectedExecutionException e) {
        // The registry has been stopped, so nobody is interested any more.
      }
    }
  }
}
