package dev.caplance.backend.admin;

import java.net.InetAddress;
import java.util.List;

/**
 * Who this backend is.
 *
 * @param version of this program
 * @param name that the load balancers know
 * @param address its data address
 * @param vips that it serves
 */
public record Identity(String version, String name, InetAddress address, List<InetAddress> vips) {}
