package dev.caplance.lb.registry;

import dev.caplance.lb.routing.Endpoint;
import java.net.InetAddress;

/**
 * A backend that packets may go to.
 *
 * @param legacy a backend of 2019: it gets packets of the service that is marked legacy and of no
 *     other; all others get packets of all services
 * @param endpoint the same object for as long as the backend is registered
 */
public record ForwardingBackend(
    String name, InetAddress dataAddress, boolean legacy, Endpoint endpoint) {}
