/**
 * Checks this machine, without changing it, for whatever would keep packets from their
 * destinations, and says how to fix it. This package holds what both daemons have in common; each
 * adds checks of its own.
 */
package dev.caplance.preflight;
