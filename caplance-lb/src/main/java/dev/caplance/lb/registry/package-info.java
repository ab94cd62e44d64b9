/**
 * The load balancer's side of the sessions: which backends are registered, and in which state. A
 * single event loop owns all of it. The result is an ordered set of backends that may get packets;
 * what is done with it is unknown here.
 */
package dev.caplance.lb.registry;
