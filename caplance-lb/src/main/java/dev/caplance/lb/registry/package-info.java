/**
 * Who is registered, in which state: the load balancer's side of the sessions. One event loop owns
 * all of it; what comes out is the ordered set of backends that packets may go to now. What is done
 * with that set is unknown here.
 */
package dev.caplance.lb.registry;
