package dev.caplance.backend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says whether the kernel refuses IPv4 packets on {@code lo} that no answer would leave through
 * ({@code rp_filter}, ip-sysctl.rst). The stricter value of {@code lo} and of all interfaces
 * counts. Used by one thread at a time.
 */
final class ReversePathWatch {

  private static final Logger LOG = LoggerFactory.getLogger(ReversePathWatch.class);
  private static final String STRICT = "1";

  private final Path interfaces;
  private final Consumer<Boolean> onLook;
  private boolean strict;

  /**
   * A watch that has seen nothing yet.
   *
   * @param onLook told at each {@link #look} whether they are refused
   */
  ReversePathWatch(Consumer<Boolean> onLook) {
    this(Path.of("/proc/sys/net/ipv4/conf"), onLook);
  }

  ReversePathWatch(Path interfaces, Consumer<Boolean> onLook) {
    this.interfaces = interfaces;
    this.onLook = onLook;
  }

  /** Looks; logs what is new. */
  void look() throws IOException {
    boolean now = isRefused(value("all"), value("lo"));
    onLook.accept(now);
    if (now && !strict) {
      LOG.info(
          "net.ipv4.conf.all.rp_filter or that of lo is 1: packets are delivered through a raw"
              + " socket, which costs more than the link behind lo (0 or 2 would allow that)");
    } else if (strict && !now) {
      LOG.info("rp_filter allows the link behind lo again: packets are delivered through it");
    }
    strict = now;
  }

  /** The kernel takes the larger number, of which 2 is the loose one. */
  private static boolean isRefused(String all, String lo) {
    return STRICT.equals(all.compareTo(lo) > 0 ? all : lo);
  }

  private String value(String name) throws IOException {
    try {
      return Files.readString(interfaces.resolve(name).resolve("rp_filter")).strip();
    } catch (NoSuchFileException e) {
      return "0";
    }
  }
}
