package dev.caplance.lb.registry;

import dev.caplance.session.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What is done at the end of each turn of the event loop in which something happened: the set of
 * backends is published first, and then the replies of the sessions are sent, so that a backend
 * never reads about a change that is not in effect yet. For the event loop's thread.
 */
final class Publication {

  /** Pause before a change that did not take effect is published again. */
  private static final Duration REPUBLISH_DELAY = Duration.ofMillis(100);

  private final EventLoop loop;
  private final TablePublisher publisher;
  private final Collection<Backend> backends;
  private final Roster roster;
  private final Set<BackendSession> toDeliver = new LinkedHashSet<>();
  private boolean endOfTurnQueued;
  private boolean changed;
  private boolean inEffect = true;
  private boolean stopping;
  private List<BackendView> published = List.of();
  private boolean publishedComplete = true;

  /**
   * Creates a publication.
   *
   * @param backends the registered backends at any moment, as a live view
   */
  Publication(
      EventLoop loop, TablePublisher publisher, Collection<Backend> backends, Roster roster) {
    this.loop = loop;
    this.publisher = publisher;
    this.backends = backends;
    this.roster = roster;
  }

  /** Notes a change that may affect forwarding; it is published at the end of the turn. */
  void changed() {
    changed = true;
    queueEndOfTurn();
  }

  /** Notes a session whose replies are to be sent at the end of the turn. */
  void deliverAtEndOfTurn(BackendSession session) {
    toDeliver.add(session);
    queueEndOfTurn();
  }

  /** Publishes nothing any more, and sends replies at once. */
  void stop() {
    stopping = true;
  }

  private void queueEndOfTurn() {
    if (!endOfTurnQueued) {
      endOfTurnQueued = true;
      // Two tasks, so that backends get their replies even if publishing fails.
      loop.execute(this::publish);
      loop.execute(this::deliver);
    }
  }

  private void publish() {
    if (!changed || stopping) {
      return;
    }
    changed = false;
    List<BackendView> retaining =
        backends.stream().map(Backend::view).filter(BackendView::retainsFlows).toList();
    roster.update();
    boolean complete = roster.isComplete();
    if (!inEffect || !forwardsLike(retaining, published) || complete != publishedComplete) {
      // If publishing fails, replies must not be held back.
      inEffect = true;
      inEffect = publisher.publish(retaining, complete);
      published = retaining;
      publishedComplete = complete;
      if (!inEffect) {
        loop.schedule(REPUBLISH_DELAY, this::changed);
      }
    }
  }

  private static boolean forwardsLike(List<BackendView> left, List<BackendView> right) {
    return left.size() == right.size()
        && IntStream.range(0, left.size()).allMatch(i -> left.get(i).forwardsLike(right.get(i)));
  }

  private void deliver() {
    endOfTurnQueued = false;
    if (!inEffect && !stopping) {
      return;
    }
    List<BackendSession> sessions = new ArrayList<>(toDeliver);
    toDeliver.clear();
    sessions.forEach(BackendSession::deliver);
  }
}
