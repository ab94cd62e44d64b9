package dev.caplance.lb.dataplane;

import java.time.Duration;

/**
 * After how long without a packet a flow is forgotten, in whole seconds.
 *
 * @param tcp of a connection
 * @param udp of a flow of datagrams
 * @param closing of a connection that one side has ended
 */
public record FlowTimeouts(Duration tcp, Duration udp, Duration closing) {}
