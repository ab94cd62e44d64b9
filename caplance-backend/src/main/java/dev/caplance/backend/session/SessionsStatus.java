package dev.caplance.backend.session;

import dev.caplance.session.Message;
import java.util.List;

/**
 * How it stands with all load balancers at one moment.
 *
 * @param intent what this backend wants to be
 * @param health what HEALTH tells them
 * @param loadBalancers in the order of the configuration
 */
public record SessionsStatus(
    BackendIntent intent, Message.Health health, List<SessionStatus> loadBalancers) {}
