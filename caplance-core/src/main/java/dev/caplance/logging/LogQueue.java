package dev.caplance.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps the threads of a daemon from waiting for whoever reads its log. Messages wait in a queue
 * for a thread that writes them; when nobody reads what that thread writes, or the disk hangs, the
 * queue fills and further messages are dropped and counted. The number is logged as soon as
 * messages are written again. The last quarter of the queue is kept for warnings and errors.
 *
 * <p>Logback's own {@code AsyncAppender} does the same but for the counting. Any thread may log.
 */
final class LogQueue extends UnsynchronizedAppenderBase<ILoggingEvent> {

  /** Messages that may wait: about a megabyte of them. */
  private static final int CAPACITY = 2048;

  private static final int FOR_WARNINGS = CAPACITY / 4;

  /** How long {@link #stop} waits for the messages to be written. */
  private static final long LAST_WORDS_MILLIS = 1000;

  private static final long NOTICE_PERIOD_NANOS = 1_000_000_000;

  private final Logger logger;
  private final Appender<ILoggingEvent> destination;
  private final AtomicLong total;
  private final BlockingQueue<ILoggingEvent> waiting = new ArrayBlockingQueue<>(CAPACITY);
  private final AtomicLong dropped = new AtomicLong();
  private final Thread writer;
  private long lastNotice = System.nanoTime() - NOTICE_PERIOD_NANOS;

  /**
   * A queue in front of a destination, which it owns from now on.
   *
   * @param logger the source of the message about dropped ones
   * @param total counts the dropped messages, too
   */
  LogQueue(Logger logger, Appender<ILoggingEvent> destination, AtomicLong total) {
    this.logger = logger;
    this.destination = destination;
    this.total = total;
    this.writer = new Thread(this::write, "log " + destination.getName());
    writer.setDaemon(true);
    setContext(logger.getLoggerContext());
  }

  @Override
  public void start() {
    super.start();
    writer.start();
  }

  @Override
  protected void append(ILoggingEvent event) {
    boolean room =
        event.getLevel().isGreaterOrEqual(Level.WARN) || waiting.remainingCapacity() > FOR_WARNINGS;
    if (room) {
      event.prepareForDeferredProcessing();
    }
    if (!room || !waiting.offer(event)) {
      dropped.incrementAndGet();
      total.incrementAndGet();
    }
  }

  private void write() {
    try {
      while (isStarted()) {
        write(waiting.take());
      }
    } catch (InterruptedException e) {
      // Only stop() interrupts; what waits is still to be written.
    }
    for (ILoggingEvent event = waiting.poll(); event != null; event = waiting.poll()) {
      write(event);
    }
    destination.stop();
  }

  private void write(ILoggingEvent event) {
    try {
      destination.doAppend(event);
      if (dropped.get() > 0 && (waiting.isEmpty() || mayNotice())) {
        lastNotice = System.nanoTime();
        destination.doAppend(notice(dropped.getAndSet(0)));
      }
    } catch (Error e) {
      // Such as a stack that overflows while an exception is described: the next message may do.
      dropped.incrementAndGet();
    }
  }

  /** A reader that is merely slow is not told with every message. */
  private boolean mayNotice() {
    return System.nanoTime() - lastNotice > NOTICE_PERIOD_NANOS;
  }

  private ILoggingEvent notice(long lost) {
    Object[] lines = {lost};
    String text = "dropped {} messages of this log, because nobody took them";
    return new LoggingEvent(LogQueue.class.getName(), logger, Level.WARN, text, null, lines);
  }

  /** Returns when everything is written, or a second later. */
  @Override
  public void stop() {
    if (!isStarted()) {
      return;
    }
    super.stop();
    writer.interrupt();
    try {
      TimeUnit.MILLISECONDS.timedJoin(writer, LAST_WORDS_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
