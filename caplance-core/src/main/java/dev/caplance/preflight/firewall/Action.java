package dev.caplance.preflight.firewall;

/** What a rule does to a packet that it matches. */
sealed interface Action {

  record Accept() implements Action {}

  /** Silently, or telling the sender. */
  record Drop() implements Action {}

  /** The packet goes on after the rule that led to this chain, or meets the policy. */
  record Return() implements Action {}

  /** The next rule follows: a log, a counter. */
  record Pass() implements Action {}

  /** Something that is not understood. */
  record Unclear() implements Action {}

  /**
   * Another chain.
   *
   * @param forGood whether what comes back from there leaves this chain too
   */
  record Visit(String chain, boolean forGood) implements Action {}
}
