package dev.caplance.ctl;

/** What a backend daemon says of its drain from one answer to the next. */
final class DrainProgress {

  private String lastShown = "";
  private String news = "";
  private String state = "";

  /** Takes a further answer to {@code status}. */
  void update(Answer backend) {
    Answer drain = backend.object("drain");
    state = drain.text("state");
    // The time to the deadline changes all the time; the connections are what one waits for.
    String shown = state + drain.text("connections");
    news =
        shown.equals(lastShown)
            ? ""
            : Words.known(backend.text("name"))
                + " is "
                + Words.known(backend.text("intent"))
                + ": "
                + Words.known(drain.text("text"))
                + "\n";
    lastShown = shown;
  }

  /** A line when there is something new to show since the last answer; otherwise empty. */
  String news() {
    return news;
  }

  /** Whether the drain is over, or there is none. */
  boolean ended() {
    return !state.equals("draining");
  }

  /** Whether it has ended as it should: by itself, not because somebody wanted something else. */
  boolean drained() {
    return state.equals("drained") || state.equals("deadline");
  }
}
