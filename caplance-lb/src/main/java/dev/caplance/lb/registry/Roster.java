package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.session.EventLoop;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who took new flows when the load balancer was last seen, so that after a restart it is known who
 * has yet to return: a table of those alone that are back already would send the connections of the
 * others to strangers, who reset them. It is complete when all have returned, fit or not, or when
 * {@link ForwardingTable#GRACE} is over. Owned by the registry's thread.
 */
final class Roster {

  private static final Logger LOG = LoggerFactory.getLogger(Roster.class);

  /** Where thousands register at once, the file is not written for each. */
  private static final Duration DELAY_OF_WRITING = Duration.ofSeconds(1);

  private final RosterFile file;
  private final EventLoop loop;
  private final Collection<Backend> backends;
  private final Set<String> missing;
  private Set<String> written;

  /** When the file is written next; null while it is as it should be. */
  private EventLoop.Timer writing;

  /**
   * The roster that an earlier run left in the file.
   *
   * @param backends the registered ones of each moment
   * @param onPatienceOver called when not all have returned in time; the roster is complete then
   */
  Roster(RosterFile file, EventLoop loop, Collection<Backend> backends, Runnable onPatienceOver) {
    this.file = file;
    this.loop = loop;
    this.backends = backends;
    this.written = file.read();
    this.missing = new TreeSet<>(written);
    if (!missing.isEmpty()) {
      loop.schedule(ForwardingTable.GRACE, () -> giveUp(onPatienceOver));
    }
  }

  /** Whether nobody has yet to return. */
  boolean isComplete() {
    return missing.isEmpty();
  }

  /** The backends have changed. */
  void update() {
    if (!isComplete()) {
      strikeOutReturned();
    }
    if (isComplete() && writing == null) {
      writing = loop.schedule(DELAY_OF_WRITING, this::write);
    }
  }

  private void strikeOutReturned() {
    backends.stream()
        .map(Backend::view)
        .filter(BackendView::hasReturned)
        .map(BackendView::name)
        .forEach(missing::remove);
    if (isComplete()) {
      LOG.info("all backends of the time before the restart have returned");
    }
  }

  /** Writes what has not been written yet: the load balancer stops, and will part with all. */
  void close() {
    if (writing != null) {
      writing.cancel();
      write();
    }
  }

  private void write() {
    writing = null;
    Set<String> present =
        backends.stream()
            .map(Backend::view)
            .filter(BackendView::takesNewFlows)
            .map(BackendView::name)
            .collect(Collectors.toCollection(TreeSet::new));
    if (!present.equals(written)) {
      file.write(present);
      written = present;
    }
  }

  private void giveUp(Runnable onPatienceOver) {
    if (!isComplete()) {
      LOG.warn(
          "have not returned within {} s of the start: {}; their connections go to others",
          ForwardingTable.GRACE.toSeconds(),
          String.join(", ", missing));
      missing.clear();
      onPatienceOver.run();
    }
  }
}
