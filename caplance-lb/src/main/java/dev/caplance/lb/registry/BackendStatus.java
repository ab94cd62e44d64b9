package dev.caplance.lb.registry;

import dev.caplance.session.Intent;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;

/**
 * One registered backend at one moment, for people and programs that ask.
 *
 * @param version of the protocol that it speaks: 2 or more, or 2019
 * @param intent what it asked for itself
 * @param takesNewFlows whether it is active and fit
 * @param weight its share of new flows in proportion to others, 1 to 256
 * @param services names of those that it serves, in its order; empty: all
 * @param mtu bytes of the largest outer packet on the way to it
 * @param session the other end of its session
 * @param lastWord when its last line came
 * @param silence how long ago that was
 * @param registeredSince through all reconnections
 * @param packets sent to it since then
 * @param bytes of these packets, without the encapsulation
 */
public record BackendStatus(
    String name,
    InetAddress dataAddress,
    int version,
    Intent intent,
    BackendHealth health,
    boolean takesNewFlows,
    int weight,
    Set<String> services,
    int mtu,
    InetSocketAddress session,
    Instant lastWord,
    Duration silence,
    Instant registeredSince,
    long packets,
    long bytes) {}
