package dev.caplance.lb.registry;

import java.util.List;

/** Where the registry tells which backends packets may go to. */
@FunctionalInterface
public interface TablePublisher {

  /**
   * From now on packets may go to these backends and no others, and new flows only to those that
   * take them. Called on the registry's thread, at most once in a turn of its event loop and only
   * when the set is another one than the last; before the first call it is empty. What backends are
   * told about the change is sent afterwards.
   *
   * @param backends immutable, in byte order of their names
   * @param complete whether nobody is waited for after a restart; if not, connections that began
   *     before it may belong to backends that are not here yet
   */
  void publish(List<ForwardingBackend> backends, boolean complete);
}
