package dev.caplance.host;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets kernel parameters (sysctl(8)), keeps them so, and restores their original values. At the end
 * a value that something else has changed in the meantime is left alone. Used by one thread at a
 * time.
 */
public final class Sysctls {

  private static final Logger LOG = LoggerFactory.getLogger(Sysctls.class);

  private final Journal journal;
  private final Path root;
  private Map<String, String> kept = Map.of();

  /** For the parameters of this machine; a journal remembers their original values. */
  public Sysctls(Journal journal) {
    this(journal, Path.of("/proc/sys"));
  }

  Sysctls(Journal journal, Path root) {
    this.journal = journal;
    this.root = root;
  }

  /**
   * Sets these parameters, and restores the others that an earlier call or a crashed run changed. A
   * parameter that already has its value is not touched, now or at the end. For one that a crashed
   * run changed, the value before that run remains the original.
   *
   * @param wanted names as {@code sysctl} takes them ({@code net.ipv4.conf.all.arp_ignore}) and
   *     values
   */
  public void apply(Map<String, String> wanted) throws IOException {
    for (MachineChange.Sysctl leftover : journal.changes(MachineChange.Sysctl.class)) {
      if (!wanted.containsKey(leftover.name())) {
        undo(leftover);
        journal.remove(leftover);
      }
    }
    for (Map.Entry<String, String> entry : wanted.entrySet()) {
      set(entry.getKey(), normalised(entry.getValue()));
    }
    kept = Map.copyOf(wanted);
  }

  /**
   * Sets the parameters of the last {@link #apply} again that something else has changed since, and
   * logs each.
   *
   * @throws IOException when one could not be read or set; the others were
   */
  public void putBack() throws IOException {
    Failures failures = new Failures();
    kept.forEach((name, value) -> failures.attempt(() -> putBack(name, normalised(value))));
    failures.throwIfAny();
  }

  private void putBack(String name, String wanted) throws IOException {
    String current = read(name);
    if (!current.equals(wanted)) {
      write(name, wanted);
      LOG.warn("{} was set to {} by something else: set to {} again", name, current, wanted);
    }
  }

  /**
   * Restores the original values, the last one first.
   *
   * @throws IOException when one could not be restored; the others were, and the next start tries
   *     again
   */
  public void restoreAll() throws IOException {
    kept = Map.of();
    journal.undo(journal.changes(MachineChange.Sysctl.class), this::undo);
  }

  private void set(String name, String wanted) throws IOException {
    List<MachineChange.Sysctl> leftovers =
        journal.changes(MachineChange.Sysctl.class).stream()
            .filter(leftover -> leftover.name().equals(name))
            .toList();
    String current = read(name);
    String original =
        leftovers.stream()
            .filter(leftover -> leftover.to().equals(current))
            .map(MachineChange.Sysctl::from)
            .findFirst()
            .orElse(current);
    MachineChange.Sysctl change = new MachineChange.Sysctl(name, original, wanted);
    if (!original.equals(wanted) && !leftovers.contains(change)) {
      journal.add(change);
    }
    if (!current.equals(wanted)) {
      write(name, wanted);
      LOG.info("set {} to {} (was {})", name, wanted, current);
    }
    for (MachineChange.Sysctl leftover : leftovers) {
      if (!leftover.equals(change)) {
        journal.remove(leftover);
      }
    }
  }

  private void undo(MachineChange.Sysctl change) throws IOException {
    String current = read(change.name());
    if (current.equals(change.to())) {
      write(change.name(), change.from());
      LOG.info("set {} back to {}", change.name(), change.from());
    } else {
      LOG.info("{} was set to {} by something else and is left alone", change.name(), current);
    }
  }

  private String read(String name) throws IOException {
    try {
      return normalised(KernelParameter.read(path(name)));
    } catch (NoSuchFileException e) {
      throw new IOException("this kernel has no parameter " + name, e);
    } catch (IOException e) {
      throw new IOException("cannot read the kernel parameter " + name + ": " + e, e);
    }
  }

  private void write(String name, String value) throws IOException {
    try {
      Files.writeString(path(name), value + "\n", StandardOpenOption.WRITE);
    } catch (AccessDeniedException e) {
      throw new IOException(
          "no permission to set the kernel parameter "
              + name
              + " to "
              + value
              + "; needs root, or the capability CAP_NET_ADMIN and a /proc/sys that is writable",
          e);
    } catch (IOException e) {
      throw new IOException(
          "cannot set the kernel parameter " + name + " to " + value + ": " + e, e);
    }
  }

  /** As in sysctl(8): in a name whose first separator is a slash, dots are part of the names. */
  private Path path(String name) {
    int slash = name.indexOf('/');
    boolean slashes = slash >= 0 && (name.indexOf('.') < 0 || slash < name.indexOf('.'));
    return root.resolve(slashes ? name : name.replace('.', '/'));
  }

  /** The kernel separates numbers by tabs, and accepts any white space. */
  private static String normalised(String value) {
    return value.strip().replaceAll("\\s+", " ");
  }
}
