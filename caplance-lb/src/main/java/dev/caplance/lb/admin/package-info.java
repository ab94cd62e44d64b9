/** What operators can ask the load balancer. */
package dev.caplance.lb.admin;
