package dev.caplance.backend;

import dev.caplance.host.KernelParameter;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches whether the kernel refuses IPv4 packets on {@code lo} because their answers would not
 * leave through {@code lo} ({@code rp_filter}, ip-sysctl.rst). The larger of the values for {@code
 * lo} and for all interfaces counts. Used by one thread at a time.
 */
final class ReversePathWatch {

  private static final Logger LOG = LoggerFactory.getLogger(ReversePathWatch.class);
  private static final String STRICT = "1";

  private final Path interfaces;
  private final Consumer<Boolean> onRefused;
  private boolean strict;

  /**
   * A watch that has checked nothing yet.
   *
   * @param onRefused told at each {@link #check} whether they are refused
   */
  ReversePathWatch(Consumer<Boolean> onRefused) {
    this(Path.of("/proc/sys/net/ipv4/conf"), onRefused);
  }

  ReversePathWatch(Path interfaces, Consumer<Boolean> onRefused) {
    this.interfaces = interfaces;
    this.onRefused = onRefused;
  }

  /** Reads the values; logs a change. */
  void check() throws IOException {
    boolean now = isRefused(value("all"), value("lo"));
    onRefused.accept(now);
    if (now && !strict) {
      LOG.info(
          "rp_filter of lo or of all interfaces is 1, so packets are delivered through a raw socket,"
              + " which costs more than a packet socket on lo (0 or 2 would allow that)");
    } else if (strict && !now) {
      LOG.info("rp_filter is no longer 1: packets are delivered through a packet socket on lo");
    }
    strict = now;
  }

  /** The kernel takes the larger number, of which 2 is the loose one. */
  private static boolean isRefused(String all, String lo) {
    return STRICT.equals(all.compareTo(lo) > 0 ? all : lo);
  }

  private String value(String name) throws IOException {
    try {
      return KernelParameter.read(interfaces.resolve(name).resolve("rp_filter"));
    } catch (NoSuchFileException e) {
      return "0";
    }
  }
}
