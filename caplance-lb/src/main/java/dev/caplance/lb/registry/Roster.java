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
 * The names of the backends that took new flows when the load balancer last ran. After a restart
 * they tell which backends are still missing: a table without those would send their connections to
 * other backends, which would reset them. The roster is complete when all of them have registered
 * again and reported their state, whatever it is, or when {@link ForwardingTable#GRACE} has passed.
 * The load balancer also works without the file, but a restart may then break connections; so
 * errors with it are only logged. Owned by the registry's thread.
 */
final class Roster {

  private static final Logger LOG = LoggerFactory.getLogger(Roster.class);

  /** Collects changes, so that the file is not written once per backend when thousands register. */
  private static final Duration WRITE_DELAY = Duration.ofSeconds(1);

  private final Path file;
  private final EventLoop loop;
  private final Collection<Backend> backends;
  private final Set<String> missing;
  private Set<String> written;

  /** Timer of the next write; null if none is due. */
  private EventLoop.Timer pendingWrite;

  /**
   * Reads the roster that the previous process has left.
   *
   * @param file names of backends, one per line
   * @param backends the registered backends at any moment, as a live view
   * @param onTimeout called if some have not returned in time; the roster is complete then
   */
  Roster(Path file, EventLoop loop, Collection<Backend> backends, Runnable onTimeout) {
    this.file = file;
    this.loop = loop;
    this.backends = backends;
    this.written = read();
    this.missing = new TreeSet<>(written);
    if (!missing.isEmpty()) {
      loop.schedule(ForwardingTable.GRACE, () -> timeOut(onTimeout));
    }
  }

  /** Whether no backend is missing any more. */
  boolean isComplete() {
    return missing.isEmpty();
  }

  /** Takes note of a change of the registered backends. */
  void update() {
    if (!isComplete()) {
      removeReturned();
    }
    if (isComplete() && pendingWrite == null) {
      pendingWrite = loop.schedule(WRITE_DELAY, this::write);
    }
  }

  private void removeReturned() {
    backends.stream()
        .map(Backend::view)
        .filter(BackendView::hasReported)
        .map(BackendView::name)
        .forEach(missing::remove);
    if (isComplete()) {
      LOG.info("all backends from before the restart have returned");
    }
  }

  /** Writes a pending change now, because stopping the load balancer deregisters all backends. */
  void close() {
    if (pendingWrite != null) {
      pendingWrite.cancel();
      write();
    }
  }

  private void write() {
    pendingWrite = null;
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

  private void timeOut(Runnable onTimeout) {
    if (!isComplete()) {
      LOG.warn(
          "backends that have not returned within {} s of the start: {}; their connections go to"
              + " others",
          ForwardingTable.GRACE.toSeconds(),
          String.join(", ", missing));
      missing.clear();
      onTimeout.run();
    }
  }

  /** Reads the names; none if there is no file. */
  private Set<String> read() {
    try {
      return Set.copyOf(Files.readAllLines(file));
    } catch (NoSuchFileException e) {
      return Set.of();
    } catch (IOException e) {
      LOG.warn(
          "cannot read {}, so this start does not wait for earlier backends: {}",
          file,
          e.toString());
      return Set.of();
    }
  }

  /** Replaces the names in the file. */
  private void write(Collection<String> names) {
    try {
      Files.createDirectories(file.getParent());
      Path draft = file.resolveSibling(file.getFileName() + ".new");
      Files.write(draft, names);
      Files.move(draft, file, REPLACE_EXISTING, ATOMIC_MOVE);
    } catch (IOException e) {
      LOG.warn(
          "cannot write {}, so a restart will not wait for the current backends: {}",
          file,
          e.toString());
    }
  }
}
