package dev.caplance.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Backends come and go; the connections to all others stay. */
class ChurnIT {

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int CONNECTIONS = 100;
  private static final int EVENTS = 50;

  /** Opened when a backend takes connections again, so that it has some to lose. */
  private static final int MORE = 10;

  /** What a backend is, as far as the test has brought it. */
  private enum Standing {
    GONE,
    ACTIVE,
    PAUSED,
    DRAINING
  }

  /** What the test may do to a backend next. */
  private enum Event {
    START(Standing.ACTIVE),
    PAUSE(Standing.PAUSED),
    DRAIN(Standing.DRAINING),
    RESUME(Standing.ACTIVE),
    STOP(Standing.GONE),
    KILL(Standing.GONE);

    private final Standing then;

    Event(Standing then) {
      this.then = then;
    }

    static List<Event> possible(Standing now) {
      return switch (now) {
        case GONE -> List.of(START);
        case ACTIVE -> List.of(PAUSE, DRAIN, DRAIN, STOP, KILL);
        case PAUSED -> List.of(RESUME, RESUME, KILL);
        case DRAINING -> List.of(RESUME, RESUME, KILL);
      };
    }

    /** Whether connections to the backend end: with all of these it may keep none. */
    boolean takesConnectionsAway() {
      return then == Standing.PAUSED || then == Standing.GONE;
    }
  }

  private final TreeMap<String, Standing> standings = new TreeMap<>();

  /** Those that were killed while paused or draining, and have to be resumed after their start. */
  private final Set<String> keptOut = new TreeSet<>();

  @Test
  void noConnectionBreaksThatNeedNot() {
    SplittableRandom random = new SplittableRandom(3);
    standings.put("b2", Standing.GONE);
    standings.put("b3", Standing.GONE);
    TreeMap<Event, Integer> done = new TreeMap<>();
    try (Cluster cluster = new Cluster("b1");
        Conversations conversations = new Conversations(cluster.lab(), "b1", "b2", "b3")) {
      conversations.openUntil(CONNECTIONS);
      for (int i = 0; i < EVENTS; i++) {
        String name = random.nextBoolean() ? "b2" : "b3";
        List<Event> possible = Event.possible(standings.get(name));
        Event event = possible.get(random.nextInt(possible.size()));
        if (event.takesConnectionsAway()) {
          conversations.forgive(name);
        }
        happen(cluster, name, event);
        done.merge(event, 1, Integer::sum);
        conversations.awaitProgress();
        assertThat(conversations.broken())
            .as("broken after %s of %s, event %s", event, name, i)
            .isEmpty();
        if (event.then == Standing.ACTIVE) {
          conversations.open(MORE);
        }
        conversations.openUntil(CONNECTIONS);
      }
      assertThat(done).as("every event occurs").containsOnlyKeys(Event.values());
      assertThat(conversations.watched()).hasSizeGreaterThanOrEqualTo(CONNECTIONS);
    }
  }

  /** The flows are forgotten, and the backends return one after the other. */
  @Test
  void aRestartOfTheLoadBalancerBreaksNoConnection() {
    try (Cluster cluster = new Cluster("b1", "b2", "b3");
        Conversations conversations = new Conversations(cluster.lab(), "b1", "b2", "b3")) {
      conversations.openUntil(CONNECTIONS);
      conversations.awaitProgress();
      cluster.balancer().kill();
      cluster.startBalancer();
      conversations.awaitProgress();
      assertThat(conversations.broken()).as("broken after a crash").isEmpty();
      assertThat(cluster.balancer().stop()).isZero();
      cluster.startBalancer();
      conversations.awaitProgress();
      assertThat(conversations.broken()).as("broken after a stop").isEmpty();
      assertThat(conversations.watched()).hasSize(CONNECTIONS);
    }
  }

  private void happen(Cluster cluster, String name, Event event) {
    switch (event) {
      case START -> start(cluster, name);
      case PAUSE -> cluster.ctl(name, "pause").succeeded();
      case DRAIN -> cluster.ctl(name, "drain").succeeded();
      case RESUME -> cluster.ctl(name, "resume").succeeded();
      case STOP -> assertThat(cluster.backend(name).stop()).isZero();
      case KILL -> kill(cluster, name);
    }
    standings.put(name, event.then);
    await(name + " at the load balancer after " + event)
        .atMost(PATIENCE)
        .until(() -> takesNewFlows(cluster, name) == (event.then == Standing.ACTIVE));
  }

  private void kill(Cluster cluster, String name) {
    if (standings.get(name) != Standing.ACTIVE) {
      keptOut.add(name);
    }
    cluster.backend(name).kill();
  }

  /** What an operator said holds beyond a crash, until it is taken back. */
  private void start(Cluster cluster, String name) {
    cluster.startBackend(name);
    if (keptOut.remove(name)) {
      assertThat(cluster.backend(name).status().get("intent").getAsString())
          .as("intent of %s after its restart", name)
          .isNotEqualTo("active");
      cluster.ctl(name, "resume").succeeded();
    }
  }

  private static boolean takesNewFlows(Cluster cluster, String name) {
    for (JsonElement element : cluster.balancer().status().getAsJsonArray("backends")) {
      JsonObject backend = element.getAsJsonObject();
      if (backend.get("name").getAsString().equals(name)) {
        return backend.get("intent").getAsString().equals("active")
            && backend.getAsJsonObject("health").get("state").getAsString().equals("fit");
      }
    }
    return false;
  }
}
