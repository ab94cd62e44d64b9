package dev.caplance.preflight.firewall;

/**
 * A rule.
 *
 * @param text as the operator knows it
 */
record Rule(String text, Condition condition, Action action) {}
