package dev.caplance.lb.registry;

import java.util.List;

/** Takes what the registry publishes: the backends that packets may go to. */
@FunctionalInterface
public interface TablePublisher {

  /**
   * From now on packets may go to these backends and no others, and new flows only to those that
   * take them. Called on the registry's thread, at most once in a turn of its event loop and only
   * when something changed; before the first call there are no backends.
   *
   * @param backends immutable, in byte order of their names; all of them retain flows
   * @param complete whether no backend is awaited after a restart; if one is, connections that
   *     began before the restart may belong to it
   * @return whether this stands. Only then are backends told about the change; if not, the registry
   *     calls again a little later
   */
  boolean publish(List<BackendView> backends, boolean complete);
}
