package dev.caplance.backend.session;

import dev.caplance.backend.session.Requests.Reply;
import dev.caplance.session.Message;
import java.util.List;

/**
 * Has one load balancer know what this backend wants to be, in the lines that it understands. One
 * thread owns it.
 */
final class Announcer {

  private static final String CANNOT_DRAIN =
      ": it speaks the 2019 protocol and cannot drain, so connections through it are broken";

  private final PeerState peer;
  private final Requests requests;
  private final SessionNews news;
  private BackendIntent intent;

  Announcer(PeerState peer, Requests requests, SessionNews news, BackendIntent intent) {
    this.peer = peer;
    this.requests = requests;
    this.news = news;
    this.intent = intent;
  }

  /** This is what the backend wants to be from now on. */
  void intend(BackendIntent wanted) {
    intent = wanted;
  }

  /** Tells the intent, if the load balancer does not know it. */
  void tell(Reply reply) {
    List<Message> lines = peer.become(intent);
    boolean draining = peer.legacy() && intent == BackendIntent.DRAINING;
    Reply inFull =
        draining
            ? (confirmed, text) -> reply.answered(confirmed, confirmed ? text + CANNOT_DRAIN : text)
            : reply;
    if (lines.isEmpty()) {
      inFull.answered(true, "was " + peer.told().word() + " there already");
    } else {
      requests.sendAll(lines, inFull);
    }
  }

  /** Tells what follows from a change of the health, where HEALTH means nothing. */
  void tellHealth() {
    List<Message> lines = peer.become(intent);
    if (!lines.isEmpty()) {
      requests.sendAll(lines, Reply.NOBODY);
      news.pausedWhileUnhealthy(peer.pausesUnhealthy());
    }
  }

  /** Leaves the load balancer. */
  void leave(Reply reply) {
    requests.sendAll(peer.leave(), reply);
  }

  /** Sends what must be sent before the connection of a registered session may be closed. */
  void beforeTheEnd() {
    peer.beforeTheEnd().forEach(line -> requests.send(line, Reply.NOBODY));
  }
}
