package dev.caplance.daemon;

import dev.caplance.packet.Disposition;
import dev.caplance.packet.TrafficCounter;
import dev.caplance.packet.TrafficCounters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warns while counters grow that stand for traffic that clients lose, at once and then at most once
 * a minute. Nobody looks at counters before something is wrong. A task of {@link Upkeep}; used by
 * one thread.
 */
public final class LossWatch {

  private static final Logger LOG = LoggerFactory.getLogger(LossWatch.class);
  private static final Duration PERIOD = Duration.ofMinutes(1);

  private final Supplier<List<Counter>> counters;
  private final LongSupplier nanoClock;

  /** The values that the last warning, or silence, was about. */
  private Map<String, Long> told = new HashMap<>();

  private long lastWarning;
  private boolean quiet = true;

  /**
   * One reason why packets are lost.
   *
   * @param name as in the status
   * @param sentence what happens to such a packet, with a full stop
   * @param value packets so far; less than before when it began anew
   */
  public record Counter(String name, String sentence, long value) {}

  /**
   * The counters of the threads that carry packets, added up.
   *
   * @param losses what a packet of a client may become that does not reach it
   * @param failures of system calls that take packets with them
   */
  public static List<Counter> ofTraffic(
      List<TrafficCounters.Snapshot> threads,
      List<Disposition> losses,
      List<TrafficCounter> failures) {
    List<Counter> counters = new ArrayList<>();
    for (Disposition loss : losses) {
      long sum = threads.stream().mapToLong(thread -> thread.of(loss)).sum();
      counters.add(new Counter(loss.label(), loss.description(), sum));
    }
    for (TrafficCounter failure : failures) {
      String name = failure.name().toLowerCase(Locale.ROOT).replace('_', ' ');
      long sum = threads.stream().mapToLong(thread -> thread.of(failure)).sum();
      counters.add(new Counter(name, failure.description(), sum));
    }
    return counters;
  }

  /** Watches the counters that are supplied at each look. */
  public LossWatch(Supplier<List<Counter>> counters) {
    this(counters, System::nanoTime);
  }

  LossWatch(Supplier<List<Counter>> counters, LongSupplier nanoClock) {
    this.counters = counters;
    this.nanoClock = nanoClock;
  }

  /** Reads the counters, and logs what has grown unless that was done less than a minute ago. */
  public void look() {
    List<Counter> now = counters.get();
    if (!quiet && nanoClock.getAsLong() - lastWarning < PERIOD.toNanos()) {
      return;
    }
    List<String> losses = new ArrayList<>();
    Map<String, Long> values = new HashMap<>();
    for (Counter counter : now) {
      long before = told.getOrDefault(counter.name(), 0L);
      long growth = counter.value() < before ? counter.value() : counter.value() - before;
      if (growth > 0) {
        losses.add(growth + " \"" + counter.name() + "\": " + counter.sentence());
      }
      values.put(counter.name(), counter.value());
    }
    told = values;
    quiet = losses.isEmpty();
    if (!quiet) {
      lastWarning = nanoClock.getAsLong();
      LOG.warn("packets of clients are lost. {}", String.join(" ", losses));
    }
  }
}
