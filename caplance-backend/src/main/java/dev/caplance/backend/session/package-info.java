/**
 * The backend's side of the session protocol: one session with each configured load balancer,
 * restored for as long as the daemon runs. {@link
 * dev.caplance.backend.session.LoadBalancerSessions} is the only entrance. Behind it one thread
 * owns everything: {@code Memberships} what all load balancers share, each {@code Membership} what
 * outlives a session, and {@code Session} decides what is said.
 */
package dev.caplance.backend.session;
