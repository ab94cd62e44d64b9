/** The preflight checks of a load balancer. */
package dev.caplance.lb.preflight;
