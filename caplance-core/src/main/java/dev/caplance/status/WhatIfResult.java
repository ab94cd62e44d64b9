package dev.caplance.status;

import java.util.List;

/**
 * How many slots of a service's table would have another backend after a change: the result of a
 * load balancer's method {@code whatif}. Its parameters are {@code change} ({@code remove}, {@code
 * add} or {@code weight}), {@code name}, {@code weight} (1 to 256) and {@code service}, which may
 * be absent when there is only one.
 *
 * @param slots how many the table has
 * @param moved slots that would have another backend, or one instead of none
 * @param movedBetweenOthers those of them that the changed backend has neither before nor after
 */
public record WhatIfResult(
    String service,
    Integer slots,
    Integer moved,
    Integer movedBetweenOthers,
    List<Share> backends) {

  /** The slots of one backend. */
  public record Share(String name, Integer before, Integer after) {}
}
