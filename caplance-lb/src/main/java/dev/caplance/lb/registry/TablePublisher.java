package dev.caplance.lb.registry;

import java.util.List;

/** Takes the set of backends that the registry publishes. */
@FunctionalInterface
public interface TablePublisher {

  /**
   * Replaces the set of backends that may get packets; new flows go only to those that take them.
   * Called on the registry's thread, at most once per turn of its event loop and only after a
   * change. Before the first call there are no backends.
   *
   * @param backends immutable, in byte order of their names; all of them retain flows
   * @param complete false while backends are awaited after a restart; connections that began before
   *     the restart may belong to one of those
   * @return whether the change is in effect. Backends are told about it only then; otherwise the
   *     registry calls again shortly
   */
  boolean publish(List<BackendView> backends, boolean complete);
}
