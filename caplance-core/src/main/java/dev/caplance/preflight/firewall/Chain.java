package dev.caplance.preflight.firewall;

import java.util.List;

/**
 * Rules in their order.
 *
 * @param hook where the kernel calls it, such as {@code input}; empty: only other chains do
 * @param drops whether a packet that comes to the end is dropped
 */
record Chain(String name, String hook, boolean drops, List<Rule> rules) {

  Chain {
    rules = List.copyOf(rules);
  }
}
