package dev.caplance.lb.registry;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Names of backends in a file, one on each line. Without it a load balancer works as well, only
 * less gently when it is restarted, so whatever goes wrong is logged and no more.
 */
final class RosterFile {

  private static final Logger LOG = LoggerFactory.getLogger(RosterFile.class);

  private final Path file;

  RosterFile(Path file) {
    this.file = file;
  }

  /** The names; none when there is no such file. */
  Set<String> read() {
    try {
      return Set.copyOf(Files.readAllLines(file));
    } catch (NoSuchFileException e) {
      return Set.of();
    } catch (IOException e) {
      LOG.warn("cannot read {}, so that no backend is waited for: {}", file, e.toString());
      return Set.of();
    }
  }

  /** Replaces all names. */
  void write(Collection<String> names) {
    try {
      Files.createDirectories(file.getParent());
      Path draft = file.resolveSibling(file.getFileName() + ".new");
      Files.write(draft, names);
      Files.move(draft, file, REPLACE_EXISTING, ATOMIC_MOVE);
    } catch (IOException e) {
      LOG.warn("cannot write {}, so that a restart will wait for nobody: {}", file, e.toString());
    }
  }
}
