/**
 * Looks at the machine, without changing it, for what would keep packets from their way, and says
 * what mends it. Here is what both daemons have in common; each adds checks of its own.
 */
package dev.caplance.preflight;
