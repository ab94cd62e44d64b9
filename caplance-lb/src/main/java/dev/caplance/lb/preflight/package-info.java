/** What can keep a load balancer from its work on a machine. */
package dev.caplance.lb.preflight;
