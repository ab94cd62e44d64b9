package dev.caplance.preflight.firewall;

/** What a rule does to a packet that it matches. */
sealed interface Action {

  record Accept() implements Action {}

  /** Silently or with an error to the sender. */
  record Drop() implements Action {}

  /** The packet continues after the rule that jumped to this chain, or meets the policy. */
  record Return() implements Action {}

  /** The packet continues with the next rule: a log, a counter. */
  record Pass() implements Action {}

  /** Changes where the packet goes (DNAT). */
  record Translate(Translation to) implements Action {}

  /** Not understood. */
  record Unclear() implements Action {}

  /**
   * The packet enters another chain.
   *
   * @param forGood whether a packet that returns from there leaves this chain, too (goto)
   */
  record Visit(String chain, boolean forGood) implements Action {}
}
