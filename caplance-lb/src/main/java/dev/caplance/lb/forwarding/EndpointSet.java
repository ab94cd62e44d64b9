package dev.caplance.lb.forwarding;

import java.util.Collection;

/** An immutable set of endpoints, found by their numbers without a search through all. */
final class EndpointSet {

  private final Endpoint[] slots;

  EndpointSet(Collection<Endpoint> endpoints) {
    slots = new Endpoint[Integer.highestOneBit(Math.max(1, endpoints.size()) * 4 - 1)];
    for (Endpoint endpoint : endpoints) {
      int slot = slotOf(endpoint.id());
      while (slots[slot] != null) {
        slot = next(slot);
      }
      slots[slot] = endpoint;
    }
  }

  /** The endpoint with this number, or null. */
  Endpoint find(int id) {
    int slot = slotOf(id);
    while (slots[slot] != null) {
      if (slots[slot].id() == id) {
        return slots[slot];
      }
      slot = next(slot);
    }
    return null;
  }

  private int slotOf(int id) {
    return id & (slots.length - 1);
  }

  private int next(int slot) {
    return (slot + 1) & (slots.length - 1);
  }
}
