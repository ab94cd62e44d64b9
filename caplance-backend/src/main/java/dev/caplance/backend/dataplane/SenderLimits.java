package dev.caplance.backend.dataplane;

import dev.caplance.packet.AddressSet;
import dev.caplance.packet.TokenBucket;
import java.util.stream.Stream;

/**
 * A rate limit for each known sender, and one that all other senders share: strangers who use up
 * theirs keep no known sender from being heard. Allocates nothing once it is made. For one thread.
 */
final class SenderLimits {

  private final AddressSet known;
  private final TokenBucket[] each;
  private final TokenBucket others;

  /** Limits of this many a second, none of them used yet. */
  SenderLimits(AddressSet known, int perSecond) {
    long now = System.nanoTime();
    this.known = known;
    this.each =
        Stream.generate(() -> TokenBucket.perSecond(perSecond, now))
            .limit(known.size())
            .toArray(TokenBucket[]::new);
    this.others = TokenBucket.perSecond(perSecond, now);
  }

  /** Takes from the limit of the sender whose 16-byte form has these halves; false if used up. */
  boolean take(long high, long low, long now) {
    int index = known.indexOf(high, low);
    return (index < 0 ? others : each[index]).take(now);
  }
}
