package dev.caplance.lb.registry;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import dev.caplance.lb.forwarding.ForwardingTable;
import dev.caplance.session.EventLoop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
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
 * {@link ForwardingTable#GRACE} is over. Without its file a load balancer works as well, only less
 * gently when it is restarted, so whatever goes wrong with that is only logged. Owned by the
 * registry's thread.
 */
final class Roster {

  private static final Logger LOG = LoggerFactory.getLogger(Roster.class);

  /** Where thousands register at once, the file is not written for each. */
  private static final Duration DELAY_OF_WRITING = Duration.ofSeconds(1);

  private final Path file;
  private final EventLoop loop;
  private final Collection<Backend> backends;
  private final Set<String> missing;
  private Set<String> written;

  /** When the file is written next; null while it is as it should be. */
  private EventLoop.Timer writing;

  /**
   * The roster that an earlier run left in the file.
   *
   * @param file names of backends, one on each line
   * @param backends the registered ones of each moment
   * @param onPatienceOver called when not all have returned in time; the roster is complete then
   */
  Roster(Path file, EventLoop loop, Collection<Backend> backends, Runnable onPatienceOver) {
    this.file = file;
    this.loop = loop;
    this.backends = backends;
    this.written = read();
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
      write(present);
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

  /** The names; none when there is no such file. */
  private Set<String> read() {
    try {
      return Set.copyOf(Files.readAllLines(file));
    } catch (NoSuchFileException e) {
      return Set.of();
    } catch (IOException e) {
      LOG.warn("cannot read {}, so no backend is awaited: {}", file, e.toString());
      return Set.of();
    }
  }

  /** Replaces all names. */
  private void write(Collection<String> names) {
    try {
      Files.createDirectories(file.getParent());
      Path draft = file.resolveSibling(file.getFileName() + ".new");
      Files.write(draft, names);
      Files.move(draft, file, REPLACE_EXISTING, ATOMIC_MOVE);
    } catch (IOException e) {
      LOG.warn("cannot write {}, so a restart will await no backend: {}", file, e.toString());
    }
  }
}
