package dev.caplance.backend.admin;

import dev.caplance.backend.session.SessionSettings;
import java.net.InetAddress;
import java.util.List;

/**
 * Who this backend is.
 *
 * @param version of this program
 * @param vips that it serves
 * @param settings its name and data address, and what it tells the load balancers
 */
public record Identity(String version, List<InetAddress> vips, SessionSettings settings) {}
