/**
 * Receives encapsulated packets and delivers what they carry to the application on this machine.
 */
package dev.caplance.backend.dataplane;
