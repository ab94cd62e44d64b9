package dev.caplance.dist;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Long-lived TCP connections of the lab's client to the VIP, with servers on all backends. Every
 * connection is watched; those whose backend was taken away by the test are forgiven.
 */
final class Conversations implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String PORT = "7000";

  private final List<Dialogue> servers = new ArrayList<>();
  private final Dialogue client;
  private final Set<Integer> forgiven = new HashSet<>();

  /** What a connection has done. The port is the client's. */
  record Conversation(int number, String backend, int port, long exchanges, String state) {

    static Conversation parse(String line) {
      String[] words = line.split(" ", 5);
      return new Conversation(
          Integer.parseInt(words[0]),
          words[1],
          Integer.parseInt(words[2]),
          Long.parseLong(words[3]),
          words[4]);
    }
  }

  /** Starts servers on these backends, whether they are registered or not. */
  Conversations(Lab lab, String... backends) {
    for (String name : backends) {
      servers.add(new Dialogue(lab, name, TcpPrograms.Echo.class, name, PORT));
    }
    client = new Dialogue(lab, "client", TcpPrograms.Talk.class, Lab.VIP, PORT);
  }

  /** Opens connections until so many are watched. */
  void openUntil(int count) {
    int missing = count - watched().size();
    if (missing > 0) {
      open(missing);
    }
  }

  /** Opens so many more connections. */
  void open(int count) {
    client.ask("open " + count);
  }

  /** Opens connections until one is with this backend, and gives that one. */
  Conversation openWith(String backend) {
    return await("a connection with " + backend)
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .until(
            () -> {
              open(1);
              return with(backend);
            },
            with -> !with.isEmpty())
        .get(0);
  }

  /** Closes those with this backend. */
  void closeWith(String backend) {
    List<Conversation> closed = with(backend);
    forgive(backend);
    closed.forEach(conversation -> client.ask("close " + conversation.number()));
  }

  /** Those that are watched and are with this backend. */
  private List<Conversation> with(String backend) {
    return watched().values().stream().filter(c -> c.backend().equals(backend)).toList();
  }

  /** All that are watched, by their numbers. */
  Map<Integer, Conversation> watched() {
    Map<Integer, Conversation> watched = new LinkedHashMap<>();
    for (String line : client.ask("report")) {
      Conversation conversation = Conversation.parse(line);
      if (!forgiven.contains(conversation.number())) {
        watched.put(conversation.number(), conversation);
      }
    }
    return watched;
  }

  /** From now on the connections to this backend may end. */
  void forgive(String backend) {
    with(backend).forEach(conversation -> forgiven.add(conversation.number()));
  }

  /** Waits until each connection that is watched has exchanged some more, or one has broken. */
  void awaitProgress() {
    Map<Integer, Conversation> before = watched();
    await("progress of every connection")
        .atMost(PATIENCE)
        .until(
            () ->
                watched().values().stream()
                    .allMatch(
                        now ->
                            !now.state().equals("open")
                                || now.exchanges() >= before.get(now.number()).exchanges() + 3));
  }

  /** Those that are watched and have broken. */
  List<Conversation> broken() {
    return watched().values().stream().filter(c -> !c.state().equals("open")).toList();
  }

  @Override
  public void close() {
    client.close();
    servers.forEach(Dialogue::close);
  }
}
