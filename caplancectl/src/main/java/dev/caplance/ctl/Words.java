package dev.caplance.ctl;

import java.time.Clock;
import java.util.Map;

/** Phrases that more than one report uses. */
final class Words {

  private static final long DEFAULT_PORT = 1338;
  private static final long FIT = 200;

  private Words() {}

  /** A word of the daemon's, or that it did not say it. */
  static String known(String word) {
    return word.isEmpty() ? "unknown" : word;
  }

  /** Intent and health of a backend: {@code active, unfit (503 no workers)}. */
  static String state(Answer backend) {
    return known(backend.text("intent")) + ", " + health(backend.object("health"));
  }

  private static String health(Answer health) {
    Long code = health.number("code");
    String state = health.text("state");
    if (state.isEmpty() && code != null) {
      state = code == FIT ? "fit" : "unfit";
    }
    if (!state.equals("unfit")) {
      return state.equals("fit") ? state : "health unknown";
    }
    String detail = ((code == null ? "" : code + " ") + health.text("reason")).strip();
    return detail.isEmpty() ? state : state + " (" + detail + ")";
  }

  /** The address of a load balancer, with its port if that is not the usual one. */
  static String loadBalancer(Answer loadBalancer) {
    String address = known(loadBalancer.text("address"));
    Long port = loadBalancer.number("port");
    if (port == null || port == DEFAULT_PORT) {
      return address;
    }
    return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
  }

  /** Version and age of a daemon: {@code 0.1.0, up 3 h 12 min}. */
  static String daemon(Answer daemon, Clock clock) {
    String up = Quantities.spanSince(daemon.text("startedAt"), clock);
    return known(daemon.text("version")) + (up.isEmpty() ? "" : ", up " + up);
  }

  /**
   * A line of what became of the packets, then a line for each reason why some did not go on.
   *
   * @param passed the member that counts those that went on, for example {@code delivered}
   * @param stopped the member that counts the others by reason, for example {@code refused}
   */
  static String packets(Answer packets, String passed, String stopped) {
    Columns reasons = new Columns("<>");
    long sum = 0;
    for (Map.Entry<String, Long> reason : packets.counts(stopped).entrySet()) {
      if (reason.getValue() != 0) {
        reasons.row("  " + reason.getKey(), Quantities.count(reason.getValue()));
        sum += reason.getValue();
      }
    }
    return "packets  received "
        + known(Quantities.count(packets.number("received")))
        + "   "
        + passed
        + " "
        + known(Quantities.count(packets.number(passed)))
        + " ("
        + known(Quantities.bytes(packets.number("bytes")))
        + ")   "
        + stopped
        + " "
        + Quantities.count(sum)
        + "\n"
        + reasons;
  }
}
