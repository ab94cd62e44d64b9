package dev.caplance.lb.registry;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * The sessions that have not registered yet, up to a limit. At the limit, the address with the most
 * of them loses its oldest one, so that one address with thousands of half-open sessions does not
 * keep others out. Not thread-safe.
 */
final class UnregisteredSessions {

  private final int limit;
  private final Map<InetAddress, LinkedHashSet<BackendSession>> byAddress = new LinkedHashMap<>();
  private int size;

  UnregisteredSessions(int limit) {
    this.limit = limit;
  }

  /** Adds a new session; at the limit, another one is closed first. */
  void add(BackendSession session) {
    if (size == limit) {
      BackendSession victim = oldestOfBusiestAddress();
      remove(victim);
      victim.refuse(
          "the limit of "
              + limit
              + " unregistered sessions is reached; this one was the oldest from its address; try"
              + " again");
    }
    byAddress.computeIfAbsent(address(session), key -> new LinkedHashSet<>()).add(session);
    size++;
  }

  /** Forgets a session that has registered or ended. */
  void remove(BackendSession session) {
    LinkedHashSet<BackendSession> sessions = byAddress.get(address(session));
    if (sessions != null && sessions.remove(session)) {
      size--;
      if (sessions.isEmpty()) {
        byAddress.remove(address(session));
      }
    }
  }

  /** All of them, as they are now. */
  List<BackendSession> all() {
    List<BackendSession> all = new ArrayList<>(size);
    byAddress.values().forEach(all::addAll);
    return all;
  }

  private BackendSession oldestOfBusiestAddress() {
    LinkedHashSet<BackendSession> most = byAddress.values().iterator().next();
    for (LinkedHashSet<BackendSession> sessions : byAddress.values()) {
      if (sessions.size() > most.size()) {
        most = sessions;
      }
    }
    return most.iterator().next();
  }

  private static InetAddress address(BackendSession session) {
    return session.peer().getAddress();
  }
}
