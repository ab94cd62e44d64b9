package dev.caplance.lb.admin;

import java.net.InetAddress;

/**
 * One service at one moment.
 *
 * @param legacy whether backends of 2019 get its packets
 * @param backends that get its packets now
 */
public record ServiceStatus(String name, InetAddress vip, boolean legacy, int backends) {}
