package dev.caplance.lb.registry;

import dev.caplance.lb.forwarding.Target;

/**
 * Sends path probes the way that a target's packets go; who hears of a reply tells {@link
 * BackendRegistry#probeAnswered}.
 */
@FunctionalInterface
public interface ProbeSender {

  /**
   * Sends a probe.
   *
   * @param token for the reply
   * @param padded whether the outer packet is as large as {@link Target#mtu} allows, or as small as
   *     possible
   * @return whether the kernel took it
   */
  boolean probe(Target target, String token, boolean padded);
}
