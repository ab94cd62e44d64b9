package dev.caplance.lb.admin;

import dev.caplance.lb.forwarding.ForwardingTable;
import java.util.List;

/**
 * What new packets meet at one moment.
 *
 * @param table that the data plane has
 * @param services in the order of the table
 * @param slots of each service's table
 */
public record RoutingStatus(ForwardingTable table, List<ServiceStatus> services, int slots) {}
