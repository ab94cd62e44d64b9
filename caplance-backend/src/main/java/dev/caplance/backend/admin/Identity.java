package dev.caplance.backend.admin;

import dev.caplance.backend.session.Offer;
import java.net.InetAddress;
import java.util.List;

/**
 * Who this backend is.
 *
 * @param version of this program
 * @param name that the load balancers know
 * @param address its data address
 * @param vips that it serves
 * @param offer what it offers the load balancers
 */
public record Identity(
    String version, String name, InetAddress address, List<InetAddress> vips, Offer offer) {}
