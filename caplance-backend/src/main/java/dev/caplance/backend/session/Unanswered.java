package dev.caplance.backend.session;

import dev.caplance.session.Message;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * The lines of one session that have not been answered, in the order in which they were sent, which
 * is the order of the answers. Some were sent for somebody who waits for the answer.
 */
final class Unanswered {

  /** Told once what became of a line that was sent for somebody. */
  @FunctionalInterface
  interface Reply {

    /** For lines that nobody waits for. */
    Reply NOBODY = (confirmed, text) -> {};

    /**
     * The line was answered, or will not be.
     *
     * @param confirmed whether the load balancer does what it was told
     * @param text its answer, or why there is none
     */
    void answered(boolean confirmed, String text);
  }

  /** How long somebody waits for an answer; the line itself may be answered later. */
  static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final class Sent {
    private final Message message;
    private final long deadline;
    private Reply reply;

    private Sent(Message message, long deadline, Reply reply) {
      this.message = message;
      this.deadline = deadline;
      this.reply = reply;
    }

    private boolean awaited() {
      return reply != Reply.NOBODY;
    }

    private void answer(boolean confirmed, String text) {
      Reply waiting = reply;
      reply = Reply.NOBODY;
      waiting.answered(confirmed, text);
    }
  }

  private final Deque<Sent> lines = new ArrayDeque<>();

  /** A line was sent, at a nano time. */
  void add(Message message, Reply reply, long now) {
    lines.add(new Sent(message, now + PATIENCE.toNanos(), reply));
  }

  int size() {
    return lines.size();
  }

  /** The oldest line of a kind was confirmed; false when there is none, so nobody asked for it. */
  boolean confirm(Class<? extends Message> kind, String answer) {
    Optional<Sent> confirmed = take(kind);
    confirmed.ifPresent(sent -> sent.answer(true, answer));
    return confirmed.isPresent();
  }

  /** The oldest line of a kind was refused; empty when there is none. */
  Optional<Message> refuse(Class<? extends Message> kind, String answer) {
    Optional<Sent> refused = take(kind);
    refused.ifPresent(sent -> sent.answer(false, answer));
    return refused.map(sent -> sent.message);
  }

  /** There will be no more answers. */
  void abandon(String reason) {
    List<Sent> abandoned = List.copyOf(lines);
    lines.clear();
    abandoned.forEach(sent -> sent.answer(false, reason));
  }

  /** Lets nobody wait longer than {@link #PATIENCE}. */
  void expire(long now) {
    for (Sent sent : List.copyOf(lines)) {
      if (sent.awaited() && sent.deadline - now <= 0) {
        sent.answer(false, "no answer within " + PATIENCE.toSeconds() + " s");
      }
    }
  }

  /** Nanoseconds until {@link #expire} has something to do. */
  long untilExpiry(long now) {
    return lines.stream()
        .filter(Sent::awaited)
        .mapToLong(sent -> sent.deadline - now)
        .min()
        .orElse(Long.MAX_VALUE);
  }

  private Optional<Sent> take(Class<? extends Message> kind) {
    for (Iterator<Sent> each = lines.iterator(); each.hasNext(); ) {
      Sent sent = each.next();
      if (kind.isInstance(sent.message)) {
        each.remove();
        return Optional.of(sent);
      }
    }
    return Optional.empty();
  }
}
