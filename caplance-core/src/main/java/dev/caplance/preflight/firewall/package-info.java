/**
 * What a firewall does to a packet, told from its rules alone: the rules are read into {@link
 * dev.caplance.preflight.firewall.Table}s, and a {@link
 * dev.caplance.preflight.firewall.PacketSample} walks through them. Whatever is not understood
 * counts as "may be so, may be not", so that only what is certain is said. Changes nothing on the
 * machine.
 */
package dev.caplance.preflight.firewall;
