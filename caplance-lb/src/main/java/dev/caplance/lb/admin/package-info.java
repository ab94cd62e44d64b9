/** The control methods of the load balancer. */
package dev.caplance.lb.admin;
