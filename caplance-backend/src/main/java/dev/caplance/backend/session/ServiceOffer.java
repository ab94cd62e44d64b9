package dev.caplance.backend.session;

import dev.caplance.backend.session.Requests.Reply;
import dev.caplance.session.Message;
import java.util.List;

/**
 * Tells one load balancer the VIPs of this backend, so that it gets packets for these only, and
 * takes the answers. One thread owns it.
 */
final class ServiceOffer {

  private final SessionSettings settings;
  private final Requests requests;
  private final SessionNews news;
  private int unanswered;

  ServiceOffer(SessionSettings settings, Requests requests, SessionNews news) {
    this.settings = settings;
    this.requests = requests;
    this.news = news;
  }

  /** Sends as many lines as it takes. */
  void send() {
    List<Message.Serves> lines = Message.Serves.split(settings.name(), settings.vips());
    unanswered = lines.size();
    lines.forEach(line -> requests.send(line, Reply.NOBODY));
  }

  /** An answer has come; the last one counts. Returns whether it was asked for. */
  boolean answered(Message.Serving answer) {
    boolean asked = requests.confirm(Message.Serves.class, "SERVING");
    if (asked) {
      unanswered--;
      if (unanswered == 0) {
        news.serving(answer.services(), List.copyOf(answer.unknown()));
      }
    }
    return asked;
  }
}
