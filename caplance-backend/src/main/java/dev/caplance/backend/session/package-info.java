/**
 * The backend's side of the session protocol: one session with each configured load balancer,
 * restored for as long as the daemon runs. {@link
 * dev.caplance.backend.session.LoadBalancerSessions} is the only door; behind it one thread owns
 * everything, and {@code Session} decides what is said.
 */
package dev.caplance.backend.session;
