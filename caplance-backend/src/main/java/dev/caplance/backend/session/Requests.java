package dev.caplance.backend.session;

import dev.caplance.session.Communicator;
import dev.caplance.session.Message;
import dev.caplance.session.MessageCodec;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Sends the lines of one session and matches the answers to them. Lines of one kind are answered in
 * the order in which they were sent.
 */
final class Requests {

  /** Receives the answer to a line, exactly once. */
  @FunctionalInterface
  interface Reply {

    /** For lines whose answer nobody waits for. */
    Reply NOBODY = (confirmed, text) -> {};

    /**
     * The line was answered, or will not be.
     *
     * @param confirmed whether the load balancer does what it was told
     * @param text its answer, or why there is none
     */
    void answered(boolean confirmed, String text);
  }

  /** How long a {@link Reply} waits; the line itself may still be answered later. */
  static final Duration REPLY_TIMEOUT = Duration.ofSeconds(10);

  private static final int MAX_UNANSWERED = 64;

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

  private final Communicator communicator;
  private final LongSupplier nanoClock;
  private final Deque<Sent> unanswered = new ArrayDeque<>();

  Requests(Communicator communicator, LongSupplier nanoClock) {
    this.communicator = communicator;
    this.nanoClock = nanoClock;
  }

  void send(Message message, Reply reply) {
    unanswered.add(new Sent(message, nanoClock.getAsLong() + REPLY_TIMEOUT.toNanos(), reply));
    communicator.writeLine(MessageCodec.format(message));
  }

  /** Sends a line that is not answered. */
  void tell(Message message) {
    communicator.writeLine(MessageCodec.format(message));
  }

  /** Sends at least one line; the reply gets the answer to the last one. */
  void sendAll(List<Message> messages, Reply reply) {
    int last = messages.size() - 1;
    messages.subList(0, last).forEach(message -> send(message, Reply.NOBODY));
    send(messages.get(last), reply);
  }

  /** Whether more HEALTH is unanswered than a load balancer that works would leave. */
  boolean tooManyUnanswered() {
    return unanswered.stream().filter(sent -> sent.message instanceof Message.Health).count()
        > MAX_UNANSWERED;
  }

  /** The oldest line of a kind was confirmed; false if there is none, so nobody asked for it. */
  boolean confirm(Class<? extends Message> kind, String answer) {
    Optional<Sent> confirmed = take(kind);
    confirmed.ifPresent(sent -> sent.answer(true, answer));
    return confirmed.isPresent();
  }

  /** The oldest line of a kind was refused; empty if there is none. */
  Optional<Message> refuse(Class<? extends Message> kind, String answer) {
    Optional<Sent> refused = take(kind);
    refused.ifPresent(sent -> sent.answer(false, answer));
    return refused.map(sent -> sent.message);
  }

  /** There will be no more answers. */
  void abandon(String reason) {
    List<Sent> abandoned = List.copyOf(unanswered);
    unanswered.clear();
    abandoned.forEach(sent -> sent.answer(false, reason));
  }

  /** Ends the waiting of replies whose {@link #REPLY_TIMEOUT} is over. */
  void expire() {
    long now = nanoClock.getAsLong();
    for (Sent sent : List.copyOf(unanswered)) {
      if (sent.awaited() && sent.deadline - now <= 0) {
        sent.answer(
            false, "no answer within " + REPLY_TIMEOUT.toSeconds() + " s; it will still happen");
      }
    }
  }

  /** Nanoseconds until {@link #expire} has something to do. */
  long untilExpiry() {
    long now = nanoClock.getAsLong();
    return unanswered.stream()
        .filter(Sent::awaited)
        .mapToLong(sent -> sent.deadline - now)
        .min()
        .orElse(Long.MAX_VALUE);
  }

  private Optional<Sent> take(Class<? extends Message> kind) {
    for (Iterator<Sent> each = unanswered.iterator(); each.hasNext(); ) {
      Sent sent = each.next();
      if (kind.isInstance(sent.message)) {
        each.remove();
        return Optional.of(sent);
      }
    }
    return Optional.empty();
  }
}
