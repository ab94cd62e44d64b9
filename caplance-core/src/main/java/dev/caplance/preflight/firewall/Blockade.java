package dev.caplance.preflight.firewall;

/**
 * What is sure to drop a packet.
 *
 * @param where the table, the chain and the rule, for the operator
 * @param remedy the command that lets such packets pass there
 */
public record Blockade(String where, String remedy) {}
