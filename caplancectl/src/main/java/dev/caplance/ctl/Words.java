package dev.caplance.ctl;

import dev.caplance.status.HealthState;
import dev.caplance.status.ReportedIntent;
import java.time.Clock;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;

/** Phrases that more than one report uses. What a daemon did not say is null. */
final class Words {

  private static final int DEFAULT_PORT = 1338;

  private Words() {}

  static boolean isKnown(String text) {
    return text != null && !text.isEmpty();
  }

  /** A text of the daemon, or that it did not say it. */
  static String known(String text) {
    return isKnown(text) ? text : "unknown";
  }

  /** A word of the daemon as people read it, or that it did not say it. */
  static String known(Enum<?> word) {
    return word == null ? "unknown" : word.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /**
   * Intent and health of a backend: {@code active, unhealthy (503 no workers)}, {@code active,
   * healthy (no checks)}.
   */
  static String state(ReportedIntent intent, HealthState health, Integer code, String reason) {
    return known(intent) + ", " + health(health, code, reason);
  }

  private static String health(HealthState state, Integer code, String reason) {
    if (state == null || state == HealthState.UNKNOWN) {
      return "health unknown";
    }
    // A code of 200 says no more than the state; its reason may, such as "no checks".
    String number = code == null || state == HealthState.HEALTHY ? "" : code + " ";
    String detail = (number + (reason == null ? "" : reason)).strip();
    return detail.isEmpty() ? known(state) : known(state) + " (" + detail + ")";
  }

  /** The address of a load balancer, with its port unless that is the default. */
  static String loadBalancer(String address, Integer port) {
    String host = known(address);
    if (port == null || port == DEFAULT_PORT) {
      return host;
    }
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }

  /** Version and age of a daemon: {@code 0.1.0, up 3 h 12 min}. */
  static String daemon(String version, Instant startedAt, Clock clock) {
    String up = Quantities.spanSince(startedAt, clock);
    return known(version) + (up.isEmpty() ? "" : ", up " + up);
  }

  /**
   * A line that counts packets, then a line for each reason why some were dropped.
   *
   * @param passed the verb for those that went on, for example {@code delivered}
   * @param bytes of those
   * @param stopped the verb for those that were dropped, for example {@code refused}
   */
  static String packets(
      Long received,
      String passed,
      Long passedCount,
      Long bytes,
      String stopped,
      Map<String, Long> stoppedByReason) {
    Columns reasons = new Columns("<>");
    long sum = 0;
    for (Map.Entry<String, Long> reason : stoppedByReason.entrySet()) {
      if (reason.getValue() != 0) {
        reasons.row("  " + reason.getKey(), Quantities.count(reason.getValue()));
        sum += reason.getValue();
      }
    }
    return "packets  received "
        + known(Quantities.count(received))
        + "   "
        + passed
        + " "
        + known(Quantities.count(passedCount))
        + " ("
        + known(Quantities.bytes(bytes))
        + ")   "
        + stopped
        + " "
        + Quantities.count(sum)
        + "\n"
        + reasons;
  }
}
