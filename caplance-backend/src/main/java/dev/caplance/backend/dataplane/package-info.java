/** Encapsulated packets in, the packets themselves out to the application on this machine. */
package dev.caplance.backend.dataplane;
