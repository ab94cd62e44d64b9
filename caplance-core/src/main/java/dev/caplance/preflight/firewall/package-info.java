/**
 * Predicts from its rules what a firewall does to a packet: the rules are read into {@link
 * dev.caplance.preflight.firewall.Table}s, and a {@link
 * dev.caplance.preflight.firewall.PacketSample} walks through them. A match that is not understood
 * may hold or not, so that only what is certain is reported. Changes nothing on the machine.
 */
package dev.caplance.preflight.firewall;
